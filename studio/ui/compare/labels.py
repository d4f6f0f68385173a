"""The comparison in words: names of models and benchmarks, what was gained, how sure that is, how a model was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from backend.api.metrics import qualities
from backend.core.schemas import Kind
from backend.results.answers import PairedCounts
from backend.results.evaluations import ENDPOINT, EvaluationView, Origin
from studio.ui.shared.formatting import count_text, decimal, format_metric, option_label, percent
from studio.ui.shared.i18n import _, ngettext

ALPHA = 0.05


def names(group: Sequence[EvaluationView]) -> dict[str, str]:
    """Evaluation id -> the model's name, and whether its answers were constrained; of equal ones the newer get a number."""
    seen: Counter[str] = Counter()
    found = {}
    for one in sorted(group, key=lambda one: one.created):
        name = f"{one.model_name} · {_('constrained')}" if one.constrained else one.model_name
        seen[name] += 1
        found[one.id] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return found


def truncate(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def short_name(name: str, most: int) -> str:
    """A model's name with its end, which tells those of one run apart: `Tickets-soporte-1…estre-int4`."""
    tail = most // 3
    return name if len(name) <= most else f"{name[: most - tail - 1]}…{name[-tail:]}"


def benchmark_label(group: Sequence[EvaluationView]) -> str:
    """`commands · Test · 250 rows · 4 models`."""
    one = group[0]
    split = option_label("evaluate", "split", one.split)
    rows = ngettext("{n} row", "{n} rows", one.n)
    return " · ".join([one.data_name, split, rows, ngettext("{n} model", "{n} models", len(group))])


def task_text(group: Sequence[EvaluationView]) -> str:
    """`Task: extraction (JSON)`; empty where the evaluations are of before, of plain text, or of several tasks."""
    tasks = {one.task for one in group}
    if len(tasks) > 1 or tasks & {"", "text"}:
        return ""
    return _("Task: {task}. It chose the metrics; to change it, evaluate again.").format(
        task=option_label("evaluate", "task", tasks.pop())
    )


def model_kind_label(one: EvaluationView) -> str:
    """`Adapter · FP32`."""
    words = {Kind.ADAPTER.value: _("Adapter"), Kind.ONNX.value: "ONNX", Kind.MODEL.value: _("Full model")}
    return f"{words[one.kind]} · {one.precision.upper()}" if one.kind in words else _("Endpoint")


def axis_name(metric: str) -> str:
    """The short word of a cost."""
    return {
        "latency_ms_p50": _("Latency"),
        "size_bytes": _("Size"),
        "peak_memory_bytes": _("Memory"),
        "decode_tokens_per_s": _("Tokens/s"),
    }[metric]


def rounded(share: float) -> str:
    """`0.85` -> `85%`; with a decimal where whole percents would say 0 or 100."""
    digits = 1 if share and (share < 0.01 or 0.99 <= share < 0.9995) else 0
    return percent(share, digits, digits)


def gain_text(metric: str, ratio: float) -> str:
    """`97% kept` of a quality that fell, `85% less` or `12% more` of anything else."""
    if metric == "perplexity":
        ratio = 1 / ratio
    elif metric in qualities() and ratio <= 1:
        return _("{share} kept").format(share=rounded(ratio))
    if abs(1 - ratio) < 0.005:
        return _("no difference")
    return (_("{share} less") if ratio < 1 else _("{share} more")).format(share=rounded(abs(1 - ratio)))


def quality_text(one: EvaluationView, quality: str) -> str:
    """`93.1% (88.1% to 96.0%, n = 250)`."""
    value = format_metric(quality, one.metrics[quality])[1]
    interval = one.interval(quality)
    count = count_text(one.n)
    if interval is None:
        return f"{value} (n = {count})"
    low, high = (format_metric(quality, each)[1] for each in interval)
    return _("{value} ({low} to {high}, n = {count})").format(value=value, low=low, high=high, count=count)


def significance_text(paired: PairedCounts, first: str, second: str) -> str:
    """What the counts of two models on the same rows mean, without a formula."""
    differ = paired.only_first + paired.only_second
    if not differ:
        return _("Both are correct on exactly the same rows.")
    likely = f"p < {decimal(0.001)}" if paired.p < 0.001 else f"p = {decimal(paired.p)}"
    if paired.p >= ALPHA:
        return _("No significant difference on these rows (exact McNemar test, {p}).").format(p=likely)
    better = first if paired.only_first > paired.only_second else second
    return _("{name} performs better on this data (exact McNemar test, {p}).").format(name=better, p=likely)


def origin_text(origin: Origin) -> str:
    """One step of a model's making, as a sentence with the names in quotes."""
    if origin.how == "imported":
        return _("“{name}”: imported, unchanged.").format(name=origin.name)
    if origin.how == "quantized":
        return _("“{name}”: ONNX export of “{source}”, {precision}.").format(
            name=origin.name, source=origin.source, precision=origin.detail
        )
    if origin.how == "attached":
        return _("“{name}”: adapter “{source}” attached to “{shared}”.").format(
            name=origin.name, source=origin.source, shared=origin.detail
        )
    if origin.how == "pruned":
        return _("“{name}”: keeps {layers} layers of “{source}”, untrained.").format(
            name=origin.name, source=origin.source, layers=origin.detail
        )
    if origin.how == "lora":
        said = _("“{name}”: LoRA adapter on “{source}”, trained on “{data}”.")
    elif origin.how == "tuned":
        said = _("“{name}”: “{source}” fine-tuned in full on “{data}”.")
    elif origin.how == "pretrained":
        said = _("“{name}”: “{source}” pre-trained further on the text of “{data}”.")
    else:
        said = _("“{name}”: student of “{source}”, {layers} layers, trained on “{data}”.")
    words = said.format(name=origin.name, source=origin.source, data=origin.data, layers=origin.detail)
    return words + (
        " " + _("Labels generated by “{teacher}”.").format(teacher=origin.teacher) if origin.teacher else ""
    )


def origin_texts(one: EvaluationView) -> list[str]:
    """All steps from the imported model on; an endpoint has one sentence."""
    if one.kind == ENDPOINT:
        return [_("“{name}”: remote endpoint, lineage unknown.").format(name=one.model_name)]
    return [origin_text(each) for each in one.origins] or [_("Model deleted; results kept.")]
