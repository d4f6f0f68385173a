"""From a file of examples to a dataset."""

from studio.ui.data import data_page

data_page()
