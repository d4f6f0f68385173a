"""Language, disk, worker, machine, and where things lie."""

from studio.ui.settings.page import settings_page

settings_page()
