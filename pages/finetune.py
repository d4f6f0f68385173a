"""A model learns a dataset's own answers."""

from studio.nav import FINETUNE
from studio.ui.forms.stage_page import stage_page
from studio.ui.shared.i18n import _

stage_page(
    FINETUNE,
    _("A model learns the answers in your own data by a small adapter (LoRA), on a laptop too."),
)
