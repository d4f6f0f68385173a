"""A model in few bits, the search for the best way there, the checks of what came out, and the package to hand over."""

from studio.nav import QUANTIZE
from studio.ui.forms.stage_page import stage_page
from studio.ui.quantize.page import workflows
from studio.ui.search.page import search_results
from studio.ui.shared.i18n import _

stage_page(
    QUANTIZE,
    _("Make a model small and fast with low-bit weights, then package it for delivery."),
)
search_results(QUANTIZE)
workflows()
