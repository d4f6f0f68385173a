"""The package that leaves the studio: its folder, model card, proof in Foundry Local, verification."""
