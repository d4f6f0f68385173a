"""A student learns a teacher's answers."""

from studio.nav import DISTILL
from studio.ui.ablation.panel import ablation
from studio.ui.i18n import _
from studio.ui.routes import route_card
from studio.ui.stage_page import stage_page

stage_page(
    DISTILL,
    _("A small student learns the answers of its teacher: much faster, much smaller, nearly as good."),
    "cut",
    "distill",
    "capture",
    asides={"distill": route_card},
    panels={"ablation": (_("Ablation"), ablation)},
)
