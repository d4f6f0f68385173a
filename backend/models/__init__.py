"""Models to start from: the catalogue, the import of a folder, and the probe that refuses what is unsafe or broken."""
