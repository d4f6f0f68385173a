"""Home: all runs, the worker and the disk."""

from studio.ui.overview import overview

overview()
