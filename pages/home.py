"""Home: all runs, the worker and the disk."""

from studio.ui.home.page import home_page

home_page()
