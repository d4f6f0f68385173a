"""What the page Distill adds to its form."""
