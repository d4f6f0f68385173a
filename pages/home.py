"""Home: all runs, the worker and the disk."""

from studio.ui.home.page import overview

overview()
