"""A model learns a dataset's own answers, with values that somebody chose or that a search found."""

from studio.nav import FINETUNE
from studio.ui.forms.stage_page import stage_page
from studio.ui.search.page import search_results
from studio.ui.shared.i18n import _

stage_page(
    FINETUNE,
    _("Train a model on your own data with a small adapter (LoRA), even on a laptop."),
)
search_results(FINETUNE)
