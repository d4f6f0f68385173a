"""A teacher answers the rows of a dataset."""

from studio.nav import TEACHER
from studio.ui.i18n import _
from studio.ui.stage_page import stage_page

stage_page(
    TEACHER,
    _("A large model, here or behind an endpoint, answers your rows; a small one will learn from its answers."),
    "teacher",
)
