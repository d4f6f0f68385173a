"""Thresholds: what passes, what leaves a finding, and that each is wholly declared."""

from __future__ import annotations

import math

from backend.core.messages import MESSAGES
from backend.core.thresholds import THRESHOLDS, as_facts, findings
from backend.stages.evaluate import EvaluateParams
from backend.stages.quantize import QuantizeParams
from backend.stats.metrics import metrics


def test_a_figure_beyond_its_threshold_is_said_with_both() -> None:
    limits = EvaluateParams(data="d", max_invalid=0.25).model_dump()
    assert findings({"unusable": 0.25, "cut_off": 0.0}, limits) == []
    (found,) = findings({"unusable": 0.4, "cut_off": 0.0}, limits)
    assert found.code == "good.unusable" and "40.0%" in found.text() and "25.0%" in found.text()
    assert "max_invalid" in found.text() and as_facts([found])["findings"][0]["code"] == found.code


def test_what_is_no_number_passes_nothing() -> None:
    (found,) = findings({"first_token_agreement": math.nan}, QuantizeParams(model="m").model_dump())
    assert found.code == "good.agreement"
    assert findings({"first_token_agreement": 0.5}, QuantizeParams(model="m").model_dump()) == []


def test_a_threshold_holds_a_known_metric_and_has_a_reason_and_a_sentence() -> None:
    fields = {*EvaluateParams.model_fields, *QuantizeParams.model_fields}
    for row in THRESHOLDS.values():
        assert row.reason and row.metric in metrics() and row.code in MESSAGES and row.name in fields
