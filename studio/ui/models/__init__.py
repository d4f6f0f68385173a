"""The page Models: what this studio holds, what it was made from, and how more comes in."""
