"""Edit data: what a person changed in the rows of a dataset becomes a new version of it; the old one stays.

Needs a dataset, and changes (those of the page Data as they stand at the start, or a file of them). Leaves the dataset with
the changes applied: rows edited, deleted, tagged, added, labels added. Its facts say how many, also of the test split, because
results on other test rows can't be compared.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import FilePath, Name
from backend.core.refs import DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data.dataset import REJECTED_FILE, SPLITS, DataFolder, Row, Template, write_split, write_template
from backend.data.edits import EditPlan, edit_lines, read_edits
from backend.data.gates.quick import quick_facts
from backend.data.gates.rows import CheckedRows
from backend.data.human_changes import changes_problems, changes_quote, with_changes

_KEPT = (REJECTED_FILE, "NOTICE", "decisions.jsonl", "reading.json")
"""Files of the dataset that are as true of its new version."""


class EditParams(Params):
    data: DatasetRef = Field(title="Dataset", description="Dataset whose rows were edited.")
    edits: FilePath = Field(
        "",
        title="Changes",
        description="File of changes (JSON Lines). Leave blank to use the current changes from the Data page.",
    )
    name: Name = ""


class EditResult(Result):
    """Metrics: rows, edited, deleted, added, edited_test."""


def check(params: EditParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    problems += changes_problems(params.data, params.edits, read_edits, "edits.pending", world)
    return problems or check_fits(quote(params, world), world)


def quote(params: EditParams, world: World) -> Quote:
    return changes_quote(params.data, world)


def freeze(params: EditParams, studio: Any) -> EditParams:
    return with_changes(params, "edits", params.data, studio.edits)


def run(params: EditParams, ctx: Context) -> EditResult:
    source = ctx.input(params.data)
    data, plan = DataFolder(source.path), EditPlan(read_edits(Path(params.edits)))
    template = _template(data.template, plan)
    folder, tally = ctx.scratch("out"), Counter[str]()
    total = sum(source.facts.get("rows", {}).values())
    for split in SPLITS:
        if (data.path / f"{split}.jsonl").is_file() or plan.added(split):
            write_split(folder, split, _changed(ctx, data, split, plan, template, tally, total))
    if not any(tally[name] for name in ("edited", "deleted", "added")) and not plan.labels:
        raise StudioError("edits.other_rows", ref=source.name, count=len(plan.edits))
    if tally["rows_train"] == 0 and source.facts.get("rows", {}).get("train"):
        raise StudioError("edits.nothing_left", ref=source.name)
    write_template(folder, template)
    for name in _KEPT:
        if (data.path / name).is_file():
            shutil.copyfile(data.path / name, folder / name)
    (folder / "edits.jsonl").write_text(edit_lines(plan.edits), encoding="utf-8")
    counts = {name: tally[name] for name in ("edited", "deleted", "added", "edited_test")}
    if counts["edited_test"]:
        ctx.log(f"Test rows changed: {counts['edited_test']}. Earlier results are on other rows.", "warning")
    said = quick_facts(CheckedRows(folder), template, source.facts)  # what was typed may be personal, or contradict
    facts = {**source.facts, **said, "edits": counts}
    name = params.name or next_version(source.name)
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=[source.id], license=source.license)
    ctx.progress(1, 1, "done")
    metrics = {"rows": sum(facts["rows"].values()), **counts}
    return EditResult(artifact=made.id, metrics={key: float(value) for key, value in metrics.items()})


def next_version(name: str) -> str:
    """`tickets` -> `tickets-v2` -> `tickets-v3`."""
    found = re.fullmatch(r"(.*)-v(\d+)", name)
    base, number = (found[1], int(found[2])) if found else (name, 1)
    return f"{base[:90]}-v{number + 1}"


def _template(template: Template, plan: EditPlan) -> Template:
    new = [label for label in plan.labels if label not in template.labels]
    return template.model_copy(update={"labels": [*template.labels, *new]}) if template.labels else template


def _changed(
    ctx: Context,
    data: DataFolder,
    split: str,
    plan: EditPlan,
    template: Template,
    tally: Counter[str],
    total: int,
) -> Iterator[Row]:
    """The rows of a split as they are in the new version."""
    for row in data.rows(split):
        if tally["read"] % 1000 == 0:
            ctx.raise_if_cancelled()
            ctx.progress(tally["read"], total, "applying the changes")
        tally["read"] += 1
        new = plan.apply(split, row)
        what = "deleted" if new is None else "edited" if new != row else ""
        tally.update([what, f"{what}_{split}"] if what else [])
        if new is not None:
            _valid(new, row, template, data)
            tally[f"rows_{split}"] += 1
            yield new
    for row in plan.added(split):
        _valid(row, None, template, data)
        tally.update(["added", f"added_{split}", f"edited_{split}", f"rows_{split}"])
        yield row


def _valid(new: Row, old: Row | None, template: Template, data: DataFolder) -> None:
    """Raises StudioError where a change made an answer that is no label; what was there before is not judged."""
    wrong = template.answer == "label" and new.output is not None and new.output not in template.labels
    if wrong and (old is None or new.output != old.output):
        raise StudioError("edits.label_unknown", field="edits", ref=data.path.name, answer=str(new.output)[:100])


STAGE = Stage(
    name="edit_data",
    title="Edit data",
    page="data",
    open=("data", "name"),
    offers={"data": ("dataset",)},
    kind=Kind.DATASET,
    params=EditParams,
    result=EditResult,
    check=check,
    quote=quote,
    run=run,
    freeze=freeze,
    queue="light",
    example={"data": "voice-commands"},
)
