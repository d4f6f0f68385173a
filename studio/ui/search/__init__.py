"""What a search found, below its form on each page that has it."""
