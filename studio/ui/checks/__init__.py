"""What the checks of a finished model found, as it is shown."""
