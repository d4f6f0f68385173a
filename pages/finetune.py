"""A model learns a dataset's own answers."""

from studio.nav import FINETUNE
from studio.ui.forms.stage_page import stage_page
from studio.ui.shared.i18n import _

stage_page(
    FINETUNE,
    _("Train a model on your own data with a small adapter (LoRA), even on a laptop."),
)
