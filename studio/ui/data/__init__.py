"""The page Data: uploads, columns, datasets."""
