"""A model in 4 bits, the proof that it runs in Foundry Local, and the package to hand over."""

from studio.nav import QUANTIZE
from studio.ui.i18n import _
from studio.ui.stage_page import stage_page

stage_page(
    QUANTIZE,
    _("Weights in 4 bits make a model small and fast; a package hands it over with all that it needs."),
    "quantize",
    "prove",
    "package",
)
