"""Endpoints and verdicts of auditions as people read them."""

from __future__ import annotations

from typing import Any

from backend.core.endpoints import PRESETS, EndpointTestResult, EndpointView, PresetName
from studio.ui.shared.formatting import count_text, escape_markdown, format_metric, money, number
from studio.ui.shared.i18n import _


def preset_label(name: PresetName) -> str:
    words = {"anthropic": _("Anthropic-compatible gateway"), "other": _("Another OpenAI-compatible service")}
    return words.get(name, PRESETS[name].title)


def price_text(endpoint: EndpointView) -> str:
    """`$0.30 in, $1.20 out per million tokens`."""
    if endpoint.input_price is None or endpoint.output_price is None:
        return _("prices unknown")
    if not endpoint.input_price and not endpoint.output_price:
        return _("free")
    price, paid = money(endpoint.input_price), money(endpoint.output_price)
    return _("{input} in, {output} out per million tokens").format(input=price, output=paid)


def logprobs_text(endpoint: EndpointView) -> str:
    """What its test showed, else what is usual for its kind."""
    if endpoint.trial:
        return _("log-probabilities: yes") if endpoint.trial.logprobs else _("log-probabilities: no")
    usual = PRESETS[endpoint.preset].logprobs
    if usual is None:
        return _("log-probabilities: not tested")
    return _("log-probabilities: usually") if usual else _("log-probabilities: usually not")


def context_text(endpoint: EndpointView) -> str:
    tokens = endpoint.context or (endpoint.trial.context if endpoint.trial else None)
    if not tokens:
        return ""
    return _("{count}-token context").format(count=count_text(tokens))


def trial_text(trial: EndpointTestResult | None) -> str:
    """`Answered in 0.42 s, 61 tokens/s`."""
    if trial is None:
        return _("Not tested yet.")
    if trial.tokens_per_s is None:
        return _("Answered in {seconds} s.").format(seconds=number(trial.seconds))
    rate = number(trial.tokens_per_s)
    return _("Answered in {seconds} s, {rate} tokens/s.").format(seconds=number(trial.seconds), rate=rate)


def gives_logprobs_text(trial: EndpointTestResult) -> str:
    """The same of a test alone, as a sentence."""
    return _("Returns log-probabilities.") if trial.logprobs else _("Doesn't return log-probabilities.")


def found_text(trial: EndpointTestResult) -> str:
    """What else its test showed: `Streams. Doesn't accept a seed. Not accepted, so left out: temperature.`"""
    if trial.streams is None:  # tested by an older version
        return ""
    found = [_("Streams.") if trial.streams else _("Doesn't stream.")]
    if "seed" not in trial.left_out:
        found.append(_("Accepts a seed.") if trial.seed else _("Doesn't accept a seed."))
    if trial.left_out:
        found.append(_("Not accepted, so left out: {names}.").format(names=", ".join(trial.left_out)))
    if trial.reasoning:
        found.append(_("Reasons before answering; the reasoning is kept apart."))
    return " ".join(found)


def distillation_terms_text(answer: str) -> str:
    return {"unknown": _("Unknown"), "yes": _("Yes"), "no": _("No")}[answer]


def score_text(one: dict[str, Any], metric: str) -> str:
    """`91.2 % (85.0 % – 95.1 %)`."""
    score, low, high = (format_metric(metric, one[name])[1] for name in ("metric", "low", "high"))
    return f"{score} ({low} – {high})"


def result_text(verdict: dict[str, Any]) -> str:
    """One line with a badge: what its last audition gave."""
    if verdict["failed"]:
        return f":red-badge[:material/error: {_('failed its audition')}] {escape_markdown(_(verdict['failed']))}"
    score = score_text(verdict, verdict["metric_name"])
    label = format_metric(verdict["metric_name"], 0.0)[0]
    return f":green-badge[:material/check: {_('passed its audition')}] {label} {score}"
