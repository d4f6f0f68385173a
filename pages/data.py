"""From a file of examples to a dataset."""

from studio.ui.data.page import data_page

data_page()
