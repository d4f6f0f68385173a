"""The README of a package: what the model is, how to run it on each system, what was checked, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.core.errors import Problem
from backend.core.messages.reading_words import SCHEMAS
from backend.core.schemas import ArtifactView, Kind
from backend.core.units import decimal_text, human_bytes, percent_text
from backend.data.baseline_scores import stored_baseline
from backend.data.gates.model import ScoreCard
from backend.data.reading.stored import stored_reading, stored_warnings
from backend.packaging.package_folder import FOUNDRY_SDK, load_template
from backend.stats.metrics import metrics

REPORTS = {
    "parity": "Parity with the original",
    "foundry": "Runs in Foundry Local",
    "checklist": "Quality checklist",
    "search": "Search of quantizations",
}

READINESS = {"ready": "ready", "warnings": "ready, with warnings", "not_ready": "**not ready**"}

RUN = """## How to run

On Windows, macOS and Linux, with Python 3.11 or newer:

```
pip install -r requirements.txt
python run.py "your text"
```

`python run.py --labels "your text"` answers with one of the model's labels and nothing else, where it was trained on labels."""

FOUNDRY = """## How to run it in Foundry Local

`foundry.py` runs the model inside the Foundry Local runtime, by its SDK: on Windows, on macOS with Apple silicon and on Linux,
with Python 3.11 or newer. It loads the folder `model` as it lies here and needs no network once the SDK is installed.

Windows:

```
py -m venv foundry-env
foundry-env\\Scripts\\activate
pip install {sdk}
python foundry.py "your text"
```

macOS and Linux:

```
python3 -m venv foundry-env
source foundry-env/bin/activate
pip install {sdk}
python foundry.py "your text"
```

Foundry Local also has a command line, in preview. On Windows, `winget install Microsoft.FoundryLocal` installs it; for macOS
with Apple silicon there is an installer among the releases of https://github.com/microsoft/Foundry-Local. Copy the folder
`model`, under the name `{name}`, into the folder that `foundry cache location` prints; then:

```
foundry cache list
foundry run {name}
```

Before version 0.10 the last command is `foundry model run {name}`. These commands follow Microsoft's documentation and differ
between its previews; what was run before this package was made, if it was, stands under Checks."""


def model_card(
    name: str,
    release: str,
    view: ArtifactView,
    lineage: Sequence[ArtifactView],
    evaluations: Sequence[ArtifactView],
    reports: Sequence[ArtifactView] = (),
    notes: Sequence[str] = (),
    overrule: str = "",
    data_checks: Mapping[str, ScoreCard] | None = None,
    found: Sequence[Problem] = (),
) -> str:
    """The README of a package, with a front matter that model hubs read. `notes`: what its prompt file can't say; `overrule`:
    why it was made although a report failed; `data_checks`: what the newest check of each dataset found, by its id; `found`:
    what speaks against the package."""
    facts, template = view.facts, load_template(view.path)
    labels = ", ".join(template.labels)
    task = f"It answers with one of {len(template.labels)} labels: {labels}." if labels else "It answers in free text."
    size = f"{facts.get('parameters', 0) / 1e6:.1f} million parameters, {facts.get('layers', '?')} layers"
    parts = [
        f"---\nlicense: {(view.license or 'other').lower()}\nlibrary_name: onnxruntime-genai\n"
        "pipeline_tag: text-generation\n---",
        f"# {name} {release}",
        f"A small language model ({facts.get('architecture', '?')}, {size}, {facts.get('precision', '?')}) for ONNX "
        f"Runtime GenAI. {task} It runs on a CPU, without a network.",
        RUN,
        FOUNDRY.format(sdk=FOUNDRY_SDK, name=name),
        "## Intended use\n\nThe task of the data that it was trained on, with the prompt in `model/inference_model.json`. "
        "Other prompts and other tasks were not measured. Check answers before anything depends on them.",
        *notes,
        "## How good and how costly\n\n" + _metrics_table(evaluations),
        *_against_baseline(evaluations),
        "## Checks\n\n" + _checks(reports, overrule, found),
        *_data(lineage, data_checks or {}),
        "## Where it comes from\n\n" + _lineage_table([view, *lineage]),
        *_training(lineage),
        "`lineage.json` says the same for programs; `SHA256SUMS` holds the hash of every file (`sha256sum -c SHA256SUMS`).",
        f"## License\n\n{view.license or 'Unknown: ask whoever made the base model and the data.'}",
    ]
    return "\n\n".join(parts) + "\n"


def _checks(reports: Sequence[ArtifactView], overrule: str, found: Sequence[Problem]) -> str:
    parts = [f"**Packed although a check says no**, for this reason: {_line(overrule)}"] if overrule else []
    parts += ["\n".join(f"- {_line(problem.fact())}" for problem in found)] if found else []
    if not any(each.facts.get("report") == "parity" for each in reports):
        parts.append(
            "No parity report: nobody has compared this model's answers with those of the model that it was made from."
        )
    return "\n\n".join([*parts, *map(_report, reports)])


def _report(view: ArtifactView) -> str:
    """One check: its result, what failed, and every figure that it left."""
    facts = view.facts
    title = REPORTS.get(str(facts.get("report")), str(facts.get("report")))
    failed = ", ".join(map(str, facts.get("failed", [])))
    outcome = "passed" if facts.get("passed") else f"**failed**: {failed or 'no reason given'}"
    figures = [
        _row([key.replace("_", " "), _figure(key, value)])
        for key, value in facts.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    table = "\n".join([_row(["Figure", "Value"]), _row(["---"] * 2), *figures]) if figures else "It left no figures."
    return f"### {title}: {outcome}\n\n{_line(view.name)} (`{view.id}`)\n\n{table}"


def _figure(key: str, value: float) -> str:
    """`here_` is what a report calls the studio's own side of a comparison."""
    units = {metric.name: metric.unit for metric in metrics().values()} | {
        "same_answers": "share",
        "same_prompts": "share",
    }
    name = key.removeprefix("here_")
    if name in units or name.endswith("_bytes"):
        return _cell(value, units.get(name, "bytes"))
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _measured_how(facts: Mapping[str, Any]) -> str:
    """The split, and whether answers were constrained to a form."""
    return str(facts.get("split", "?")) + (", constrained answers" if facts.get("constrained") else "")


def _metrics_table(evaluations: Sequence[ArtifactView]) -> str:
    if not evaluations:
        return "Not measured."
    listed = [metric for metric in metrics().values() if metric.card or (metric.tasks and metric.better)]
    shown = [metric for metric in listed if any(metric.name in each.facts for each in evaluations)]
    head = [f"{each.facts.get('model_name', each.name)} ({_measured_how(each.facts)})" for each in evaluations]
    lines = [_row(["", *head]), _row(["---"] * (len(head) + 1))]
    for metric in shown:
        cells = [_cell(each.facts.get(metric.name), metric.unit) for each in evaluations]
        lines.append(_row([metric.card or metric.title, *cells]))
    return "\n".join(lines)


def _against_baseline(evaluations: Sequence[ArtifactView]) -> list[str]:
    """Whether each model beats what no language model reaches on the same rows."""
    compared = [(each, stored_baseline(each.facts)) for each in evaluations]
    lines = [
        f"- {_line(each.facts.get('model_name', each.name))}: {_line(found.comparison.sentence())}"
        for each, found in compared
        if found
    ]
    return ["\n".join(lines)] if lines else []


def _data(lineage: Sequence[ArtifactView], checks: Mapping[str, ScoreCard]) -> list[str]:
    """How the rows of each dataset were read, and what was said and found; nothing where no dataset tells."""
    parts = []
    for view in (each for each in lineage if each.kind is Kind.DATASET):
        check = checks.get(view.id)
        reading, warnings = stored_reading(view.path), stored_warnings(view.facts, check)
        if not reading and not warnings and not check and not view.facts.get("hub"):
            continue
        rows = ", ".join(f"{count:,} {split}" for split, count in view.facts.get("rows", {}).items() if count)
        lines = [f"**{_line(view.name)}**: {rows} rows." if rows else f"**{_line(view.name)}**"]
        if reading and reading.taken:
            schema = reading.taken.schema_name
            roles = reading.taken.roles
            columns = ", ".join(name for name in (*roles.input, roles.messages, roles.output) if name)
            lines.append(f"Read from `{_line(reading.file)}` as: {SCHEMAS.get(schema, schema)} ({_line(columns)}).")
        if origin := view.facts.get("hub"):
            lines.append(f"From {_line(origin['host'])}: {_line(origin['repo'])}, commit {_line(origin['commit'])}.")
        texts = [" ".join(lines), *([_bullets(warnings)] if warnings else []), *(_found(check) if check else [])]
        parts.append("\n\n".join(texts))
    return ["## Data\n\n" + "\n\n".join(parts)] if parts else []


def _found(check: ScoreCard) -> list[str]:
    """The verdict of a check, and what it found that nobody accepted."""
    said = f"Checked before training, {check.rows:,} rows: {READINESS[check.verdict]}."
    accepted = sum(bool(each.accepted) for each in check.findings)
    counted = "1 finding was" if accepted == 1 else f"{accepted} findings were"
    said += f" {counted} accepted with a reason." if accepted else ""
    left = [each.problem for each in check.findings if not each.accepted and each.severity != "info"]
    return [said, *([_bullets(left)] if left else [])]


def _bullets(problems: Sequence[Problem]) -> str:
    return "\n".join(f"- {_line(problem.sentence())}" for problem in problems)


def _lineage_table(ancestors: Sequence[ArtifactView]) -> str:
    lines = [_row(["Kind", "Name", "License", "SHA-256 of its files"]), _row(["---"] * 4)]
    lines += [_row([each.kind, each.name, each.license or "?", f"`{each.digest}`"]) for each in ancestors]
    return "\n".join(lines)


def _training(ancestors: Sequence[ArtifactView]) -> list[str]:
    """Where the trainings stopped and which weights they kept, where these are not simply the last of a whole run."""
    found = []
    for each in ancestors:
        run = each.facts.get("training") if each.kind in (Kind.ADAPTER, Kind.MODEL) else None
        if not run or not run.keys() & {"planned_steps", "last_eval_loss"}:
            continue
        planned = f" of {run['planned_steps']:.0f}" if "planned_steps" in run else ""
        found.append(
            f"The training of {_line(each.name)} stopped at step {run['steps']:.0f}{planned}. It holds the weights of step "
            f"{run['kept_step']:.0f}, with a validation loss of {run['eval_loss']:.3f}."
        )
    return found


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_line(str(cell)).replace("|", "\\|") for cell in cells) + " |"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(value: Any, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "bytes":
        return human_bytes(value)
    forms = {
        "share": percent_text(value),
        "ms": f"{value:.0f} ms",
        "count": decimal_text(value, most=0),
        "fine": f"{value:.4g}",
    }
    return forms.get(unit, f"{value:.1f}")
