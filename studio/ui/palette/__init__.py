"""The command palette, the shortcuts with their sheet, and the tour: what is there on every page."""
