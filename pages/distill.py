"""A student learns a teacher's answers."""

from studio.nav import DISTILL
from studio.ui.ablation.panel import ablation
from studio.ui.distill.methods import method_card
from studio.ui.forms.stage_page import stage_page
from studio.ui.search.page import search_results
from studio.ui.shared.i18n import _

stage_page(
    DISTILL,
    _("Train a small student on its teacher's answers: much faster, much smaller, nearly as good."),
    asides={"distill": method_card},
    panels={"ablation": (_("Ablation"), ablation)},
)
search_results(DISTILL)
