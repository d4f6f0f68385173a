"""Help inside the studio: short chapters, one page."""
