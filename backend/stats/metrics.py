"""The registry of metrics: the only list of what is measured, its name for people, its unit and where better is.

A metric is one row here, or an entry point of the group `slmops.metrics` in an installed package that names a `Metric`. One
with `tasks` and `score` or `row` is computed by every evaluation of such a task; tables, charts, cards and the command line
follow from the row. The 95 % interval of a mean over rows stands beside it as `<name>_low` and `<name>_high`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

from backend.core.messages.words import DROPS
from backend.stats import fields, quantities, rouge, scores, token_f1
from backend.stats.scores import Answers, same_text
from backend.stats.tasks import FAMILY, Task

Unit = Literal["share", "number", "count", "ms", "bytes", "usd", "fine"]
"""How a value is written; `share` is of 1, `fine` has five digits behind the point."""
_BOTH: tuple[Task, ...] = ("label", "text")


@dataclass(frozen=True)
class Metric:
    """`better`: where better is, "" for what is neither. `tasks`: the kinds of answer of which it is a quality. `score`: from
    expected and given answers to its value, or several by name; None where it is measured otherwise. `row`: the same of the
    expected and the given answer of one row; without `score`, the metric is the mean over rows. `headline`: the tasks whose
    first figure it is. `cost`: a figure against which quality is weighed. `card`: what a package's card calls it, "" for not
    there."""

    name: str
    title: str
    unit: Unit = "number"
    better: Literal["higher", "lower", ""] = ""
    tasks: tuple[Task, ...] = ()
    score: Callable[[Answers], float | Mapping[str, float]] | None = None
    headline: tuple[Task, ...] = ()
    cost: bool = False
    card: str = ""
    row: Callable[[str, str], float] | None = None


def _mean(
    name: str, title: str, tasks: tuple[Task, ...], row: Callable[[str, str], float], headline: tuple[Task, ...] = ()
) -> Metric:
    """A share that is the mean over rows."""
    return Metric(name, title, "share", "higher", tasks, None, headline, False, title, row)


BUILT_IN = (
    Metric(
        "accuracy", "Accuracy", "share", "higher", ("label",), scores.accuracy, ("label",), False, "Accuracy", same_text
    ),
    Metric("macro_f1", "Macro F1", "share", "higher", ("label",), scores.macro_f1, card="Macro F1"),
    Metric("balanced_accuracy", "Balanced accuracy", "share", "higher", ("label",), scores.balanced_accuracy),
    Metric("mcc", "MCC", "number", "higher", ("label",), scores.mcc),
    Metric("micro_f1", "Micro F1", "share", "higher", ("label",), scores.micro_f1),
    Metric("majority_baseline", "Majority baseline", "share", card="Always the commonest label"),
    Metric("baseline_accuracy", "Accuracy, quick baseline", "share", card="Quick baseline, no language model"),
    _mean("field_f1", "Field F1", ("extraction",), fields.field_f1, ("extraction",)),
    _mean("json_valid", "Valid JSON", ("extraction",), fields.is_valid_json),
    _mean("field_precision", "Field precision", ("extraction",), fields.field_precision),
    _mean("field_recall", "Field recall", ("extraction",), fields.field_recall),
    Metric("baseline_field_f1", "Field F1, quick baseline", "share", card="Quick baseline, no language model"),
    _mean("numeric_accuracy", "Numeric accuracy", ("maths",), quantities.same_quantity, ("maths",)),
    Metric(
        "baseline_numeric_accuracy",
        "Numeric accuracy, quick baseline",
        "share",
        card="Quick baseline, no language model",
    ),
    _mean("answer_in_text", "Answer in text", ("qa",), scores.answer_in_text),
    Metric("chrf", "chrF", "share", "higher", ("generation",), scores.chrf),
    Metric("bleu", "BLEU", "share", "higher", ("generation",), scores.bleu),
    _mean("rouge_1", "ROUGE-1", ("generation",), rouge.rouge_1),
    _mean("rouge_2", "ROUGE-2", ("generation",), rouge.rouge_2),
    Metric(
        "exact_match", "Exact match", "share", "higher", _BOTH, scores.exact_match, (), False, "Exact match", same_text
    ),
    _mean("token_f1", "Token F1", ("text",), token_f1.token_f1, ("qa", "text")),
    Metric("numbers_right", "Numbers right", "share", "higher", ("text",), scores.numbers_right, card="Numbers right"),
    Metric("number_rows", "Answers with numbers", "count"),
    Metric("baseline_token_f1", "Token F1, quick baseline", "share", card="Quick baseline, no language model"),
    _mean("rouge_l", "ROUGE-L", ("text",), rouge.rouge_l, ("generation",)),
    Metric("baseline_rouge_l", "ROUGE-L, quick baseline", "share", card="Quick baseline, no language model"),
    Metric("perplexity", "Perplexity", "number", "lower", _BOTH, card="Perplexity"),
    Metric("bits_per_byte", "Bits per byte", "number", "lower", ("text",)),
    Metric("n", "Rows evaluated", "count", card="Rows"),
    Metric("invalid_rate", "Invalid answers", "share"),
    Metric("unusable", "Unusable answers", "share"),
    Metric("too_long", "Rows beyond the context", "share"),
    Metric("ttft_ms", "Time to first token", "ms", "lower", card="Time to first token"),
    Metric("latency_ms_p50", "Latency, median", "ms", "lower", cost=True, card="Latency p50"),
    Metric("decode_tokens_per_s", "Tokens per second", "number", "higher", cost=True, card="Decode, tokens a second"),
    Metric("size_bytes", "Size on disk", "bytes", "lower", cost=True, card="Size on disk"),
    Metric("peak_memory_bytes", "Peak memory", "bytes", "lower", cost=True, card="Peak memory"),
    Metric("latency_ms_p95", "Latency, p95", "ms", "lower", card="Latency p95"),
    Metric("model_memory_bytes", "Memory over runtime baseline", "bytes", card="Memory over runtime baseline"),
    Metric("parameters", "Parameters", "count", card="Parameters"),
    Metric("train_loss", "Loss, last epoch", "number"),
    Metric("eval_loss", "Validation loss", "number"),
    Metric("eval_accuracy", "Correct validation answers", "share"),
    Metric("eval_token_f1", "Token F1, validation", "share"),
    Metric("reward_accuracy", "Reward accuracy", "share"),
    Metric("reward_margin", "Reward margin", "number"),
    Metric("eval_reward_accuracy", "Reward accuracy, validation", "share"),
    Metric("eval_reward_margin", "Reward margin, validation", "number"),
    Metric("eval_loss_before", "Validation loss, before", "number"),
    Metric("eval_perplexity", "Perplexity, validation", "number"),
    Metric("eval_bits_per_byte", "Bits per byte, validation", "number"),
    Metric("layers", "Layers", "count"),
    Metric("vocabulary", "Vocabulary", "count"),
    Metric("rows", "Rows", "count"),
    Metric("distinct", "Distinct inputs", "count"),
    Metric("majority_accuracy", "Accuracy, most common answer", "share"),
    Metric("classifier_accuracy", "Accuracy, TF-IDF classifier", "share"),
    Metric("nearest_accuracy", "Accuracy, nearest example", "share"),
    Metric("majority_token_f1", "Token F1, most common answer", "share"),
    Metric("nearest_token_f1", "Token F1, nearest example", "share"),
    Metric("data_errors", "Checks that failed", "count"),
    Metric("data_warnings", "Checks with warnings", "count"),
    Metric("rows_train", "Training rows", "count"),
    Metric("rows_validation", "Validation rows", "count"),
    Metric("rows_test", "Test rows", "count"),
    Metric("rows_pool", "Rows without answer", "count"),
    Metric("tokens_per_s", "Training tokens/s", "count"),
    Metric("trained_tokens", "Training tokens", "count"),
    Metric("steps", "Steps", "count"),
    Metric("trained_parameters", "Trained parameters", "count"),
    Metric("kept_step", "Step kept", "count"),
    Metric("best_step", "Best step", "count"),
    Metric("best_eval_loss", "Best validation loss", "number"),
    Metric("last_eval_loss", "Validation loss, last step", "number"),
    Metric("planned_steps", "Steps planned", "count"),
    Metric("last_eval_accuracy", "Correct validation answers, last step", "share"),
    Metric("last_eval_token_f1", "Token F1, validation, last step", "share"),
    Metric("answered", "Answers kept", "count"),
    Metric("asked", "Requests sent", "count"),
    Metric("cached", "Cached", "count"),
    Metric("dropped", "Dropped, total", "count"),
    Metric("lenient", "Labels matched leniently", "count"),
    Metric("trial_usable", "Usable trial answers", "share"),
    Metric("batch_done", "Batch requests done", "count"),
    Metric("seconds", "Seconds", "number"),
    Metric("agreement", "Agreement with human labels", "share"),
    Metric("confidence", "Mean confidence", "share"),
    Metric("kept", "Rows kept", "count"),
    Metric("score", "Mean score, 1 to 5", "number"),
    Metric("unreadable", "Unreadable replies", "count"),
    Metric("cut_off", "Truncated replies", "share"),
    Metric("judged", "Answers judged", "count"),
    Metric("distinct_2", "Distinct word pairs", "share"),
    Metric("near_duplicates_before", "Near duplicates before", "share"),
    Metric("near_duplicates", "Near duplicates", "share"),
    *(Metric(f"dropped_{code}", f"Dropped: {words}", "count") for code, words in DROPS.items()),
    Metric("accuracy_low", "Accuracy, lower bound", "share"),
    Metric("accuracy_high", "Accuracy, upper bound", "share"),
    Metric("weights_bytes", "Weights", "bytes"),
    Metric("load_seconds", "Load time (s)", "number"),
    Metric("first_token_agreement", "Same first token", "share"),
    Metric("zip_bytes", "Zip file size", "bytes"),
    Metric("accepted", "Answers accepted", "count"),
    Metric("edited", "Answers corrected", "count"),
    Metric("rejected", "Answers rejected", "count"),
    Metric("unreviewed", "Answers not reviewed", "count"),
    Metric("loss", "Held-out loss", "number"),
    Metric("tokens", "Tokens captured", "count"),
    Metric("k", "Tokens kept per position", "count"),
    Metric("bytes_per_token", "Bytes per token", "number"),
    Metric("mean_tail", "Probability mass dropped", "share"),
    Metric("teacher_loss", "Teacher's loss", "number"),
    Metric("loss_tokens", "Tokens compared", "count"),
    Metric("spent_usd", "Spent", "usd"),
    Metric("prompt_tokens", "Tokens sent", "count"),
    Metric("completion_tokens", "Tokens received", "count"),
    Metric("candidates", "Candidates", "count"),
    Metric("candidates_failed", "Candidates that failed", "count"),
    Metric("trials", "Trials", "count"),
    Metric("trials_pruned", "Trials ended early", "count"),
    Metric("trials_failed", "Trials that failed", "count"),
    Metric("best_score", "Best candidate", "share"),
    Metric("kl", "KL divergence", "fine"),
    Metric("top_token_agreement", "Top-1 agreement", "share"),
    Metric("quality_kept", "Quality kept", "share"),
    Metric("checks_passed", "Checks passed", "count"),
    Metric("checks_failed", "Checks failed", "count"),
    Metric("token_agreement", "Same tokens in answers", "share"),
    Metric("perplexity_ratio", "Perplexity ratio", "number"),
    Metric("kl_answer", "KL divergence, answers", "fine"),
    Metric("kl_prompt", "KL divergence, prompts", "fine"),
    Metric("task_loss", "Score loss", "share"),
    Metric("answers_score", "Score", "share"),
    Metric("format_kept", "Well-formed answers", "share"),
    Metric("memory_growth", "Memory growth", "share"),
    Metric("same_answers", "Identical answers", "share"),
    Metric("same_prompts", "Identical prompts", "share"),
    Metric("answer_tokens_per_s", "Output tokens/s", "number"),
    Metric("here_accuracy", "Accuracy here", "share"),
    Metric("here_load_seconds", "Load time here (s)", "number"),
    Metric("here_answer_tokens_per_s", "Tokens/s here", "number"),
    Metric("here_latency_ms_p50", "Latency here, median", "ms"),
    Metric("here_peak_memory_bytes", "Peak memory here", "bytes"),
    Metric("clients", "Concurrent clients", "count"),
    Metric("latency_ms_p99", "Latency, p99", "ms", "lower"),
    Metric("requests_failed", "Failed requests", "count"),
    Metric("cold_start_seconds", "Cold start (s)", "number"),
)


@cache
def metrics() -> dict[str, Metric]:
    """All metrics by name, in their order; those of other packages come last. Raises RuntimeError for a name that is there
    twice."""
    found: dict[str, Metric] = {}
    outside = [point.load() for point in entry_points(group="slmops.metrics")]
    for metric in (*BUILT_IN, *outside):
        if not isinstance(metric, Metric) or metric.name in found:
            raise RuntimeError(f"the metric {getattr(metric, 'name', metric)!r} is no Metric or defined twice")
        found[metric.name] = metric
    return found


def scores_of(task: Task, answers: Answers) -> dict[str, float]:
    """Every metric of a task, with the intervals of means over rows, and `n`, the number of rows."""
    found: dict[str, float] = {}
    for metric in metrics().values():
        if FAMILY[task].isdisjoint(metric.tasks):
            continue
        if metric.score is not None:
            value = metric.score(answers)
            found |= value if isinstance(value, Mapping) else {metric.name: value}
        elif metric.row is not None:
            found |= scores.mean_of(metric.name, row_scores(metric.name, answers.expected, answers.given))
    return found | {"n": float(len(answers.expected))}


def row_scores(name: str, expected: Sequence[str], given: Sequence[str]) -> list[float]:
    """The values of which a metric is the mean. Raises KeyError for a metric that is no mean over rows."""
    row = metrics()[name].row
    if row is None:
        raise KeyError(name)
    return [row(*pair) for pair in zip(expected, given, strict=True)]


def qualities() -> tuple[str, ...]:
    return tuple(metric.name for metric in metrics().values() if metric.tasks and metric.better)


def costs() -> tuple[str, ...]:
    return tuple(metric.name for metric in metrics().values() if metric.cost)


def higher_is_better(name: str) -> bool:
    """False for a metric that is not known."""
    return name in metrics() and metrics()[name].better == "higher"


def headline(measured: Mapping[str, object] | Sequence[str]) -> str:
    """The quality that these measurements are known by: the first figure of their task, which the metrics tell that only one
    task has (accuracy for labels, F1 of fields for extraction), else F1 of words, else the first that is there; "" for none."""
    there = [metric for metric in metrics().values() if metric.name in measured]
    for task in FAMILY:
        if any(metric.tasks == (task,) for metric in there):
            first = [metric.name for metric in there if task in metric.headline]
            if first:
                return first[0]
    return next((name for name in qualities() if name in measured), "")
