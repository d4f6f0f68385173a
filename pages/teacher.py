"""A teacher answers the rows of a dataset; new rows are made for it, and its answers are filtered."""

from studio.nav import TEACHER
from studio.ui.curation.page import outcome
from studio.ui.i18n import _
from studio.ui.stage_page import stage_page

stage_page(
    TEACHER,
    _("A large model, here or behind an endpoint, answers your rows; a small one will learn from its answers."),
    "teacher",
    "generate",
    "judge",
    "curate",
)
outcome("generate", "judge", "curate")
