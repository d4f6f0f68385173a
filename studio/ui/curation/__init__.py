"""What became of rows that were generated or filtered: counts, classes, a map, examples."""
