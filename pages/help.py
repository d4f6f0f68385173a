"""Help: short chapters about the way from a file to a model."""

from studio.ui.help.page import help_page

help_page()
