"""Quality, speed, size and memory of the project's models, side by side."""

from studio.ui.compare.page import compare_page

compare_page()
