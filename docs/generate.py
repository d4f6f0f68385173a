"""Writes the pages of docs/ that follow from the code: `python -m docs.generate [--check]`.

With `--check` nothing is written: the exit code is 1 where a page differs from the code, and its name goes to stderr.
The functions take what they describe, so that a stage or metric of another package can be shown too; the pages that are
committed hold the built-in ones only.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from backend import stages
from backend.cli import app
from backend.core.fields import labels_of
from backend.core.refs import EndpointMark, RefTo
from backend.core.settings import VARIABLES, Settings
from backend.core.stage import AnyStage
from backend.models.architectures import STEPS, Row, table, tried_with
from backend.stats.metrics import BUILT_IN as BUILT_IN_METRICS
from backend.stats.metrics import Metric
from docs.glossary import OldWord, Term, terms

DOCS = Path(__file__).parent
CHAT_TEMPLATES = DOCS.parent / "benchmarks" / "chat_templates.json"
_NOTE = "<!-- Written by `make docs` from the code; `make check` compares. Change the code, not this file. -->"
_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", list: "list"}
_LONGEST_DEFAULT = 60


def built_in_stages() -> dict[str, AnyStage]:
    """The stages of this repository by name, in the order of the chain."""
    return {name: stages.stage(name) for name in stages.BUILT_IN}


def pages() -> dict[str, str]:
    """Every generated page: its path below docs/ and its text."""
    return {
        "glossary.md": glossary_page(terms()),
        "reference/stages.md": stages_page(built_in_stages()),
        "reference/metrics.md": metrics_page(BUILT_IN_METRICS),
        "reference/commands.md": commands_page(app),
        "reference/settings.md": settings_page(),
        "reference/architectures.md": architectures_page(table(), tried_with()),
        "reference/chat_templates.md": chat_templates_page(json.loads(CHAT_TEMPLATES.read_text("utf-8"))),
    }


def chat_templates_page(table: Mapping[str, Any]) -> str:
    """Which conversations became the tokens that transformers makes of them, family by family."""
    tried = ", ".join(f"{name} {number}" for name, number in table["packages"].items())
    rows = [tuple(row.values()) for row in table["rows"]]
    return _page(
        [
            "# Chat templates",
            "Conversations as the studio writes them, compared token for token with transformers' `apply_chat_template` "
            f"(`python -m benchmarks.chat_templates`; {tried}). The studio's own templates have the features of their "
            "families; rows of real tokenizers were tried by hand.",
            "*equal*: the same tokens. *folded*: the template refuses system turns, so the system message begins the "
            "question; the tokens are those of that question. *no place*: the template leaves tools out, and the studio "
            "stops and says so. *refused*: the template refuses this conversation, in both. –: the template can't turn "
            "thinking on or off.",
            _table(("template", *list(table["rows"][0])[1:]), rows),
        ]
    )


def architectures_page(rows: Sequence[Row], packages: Mapping[str, str]) -> str:
    """What went through the chain, architecture by architecture, and what stopped the rest."""
    words = {
        "import": "import",
        "lora": "LoRA",
        "chat": "chat",
        "merge": "merge",
        "int4": "INT4",
        "parity": "FP32 parity",
    }
    lines = [(row.title, f"`{row.type}`", *(_outcome(row.steps.get(step)) for step in STEPS), row.why) for row in rows]
    tried = ", ".join(f"{name} {number}" for name, number in packages.items())
    return _page(
        [
            "# Architectures",
            "What happened to a tiny random model of each architecture on its way through the chain "
            f"(`python -m benchmarks.architectures`; {tried}). INT4 and parity are judged on tiny weights: a large model "
            "loses less. Checks before a start use the same table.",
            _table(("models", "type", *words.values(), "why not"), lines),
        ]
    )


def _outcome(found: str | None) -> str:
    """Open where nothing was tried since the code changed, or an earlier step failed."""
    return "not tried" if found is None else "yes" if found == "yes" else "no"


def stages_page(registry: Mapping[str, AnyStage]) -> str:
    """Every stage with its parameters: type, bounds, default, what it means."""
    parts = [
        "# Stages and their parameters",
        "A recipe names a stage and gives its parameters; pages and command line ask the same ones. `slmops run RECIPE "
        "--set ID.PARAMETER=VALUE` changes one. A reference is an artifact's id or name, or `${id}` for what an earlier "
        "stage of the recipe makes.",
        " · ".join(f"[{name}](#{name})" for name in registry),
    ]
    for stage in registry.values():
        parts += _stage(stage)
    return _page(parts)


def _stage(stage: AnyStage) -> list[str]:
    example = f"{{id: made, stage: {stage.name}, params: {json.dumps(stage.example, ensure_ascii=False)}}}"
    rows = [
        (f"`{name}`", _type(info), _default(info), f"**{info.title}.** {info.description}")
        for name, info in stage.params.model_fields.items()
    ]
    leaves = stage.kind.value if stage.kind else "no artifact"
    made = f"On the page {stage.page}, as “{stage.title}”. Leaves: {leaves}. Queue: {stage.queue}."
    about = inspect.getdoc(inspect.getmodule(stage.run)) or ""
    return [
        f"## {stage.name}",
        about,
        made,
        _table(("parameter", "values", "default", "meaning"), rows),
        f"```yaml\n- {example}\n```",
    ]


def _type(info: FieldInfo) -> str:
    """What a value is, its bounds and its labels."""
    labels = labels_of(info)
    kind = _type_name(info.annotation, info.metadata)
    bounds = _bounds(info)
    named = [f"`{value}` ({label})" for value, label in labels.items()]
    plain = ", ".join(f"`{value}`" for value in labels)
    kind = kind.replace(plain, ", ".join(named)) if plain else kind
    return f"{kind}, {bounds}" if bounds else kind


def _bounds(info: FieldInfo) -> str:
    names = ("gt", "ge", "le", "min_length", "max_length")
    found = {name: getattr(mark, name) for mark in info.metadata for name in names if hasattr(mark, name)}
    least, most = found.get("ge", found.get("min_length")), found.get("le", found.get("max_length"))
    if "gt" in found:
        words = f"above {found['gt']}" + (f", at most {most}" if most is not None else "")
    elif least is not None and most is not None:
        words = f"{least} to {most}"
    else:
        words = f"at least {least}" if least is not None else f"at most {most}" if most is not None else ""
    if words and {"min_length", "max_length"} & found.keys():
        words += " items" if get_origin(info.annotation) is list else " characters"
    return words


def _type_name(annotation: Any, marks: Sequence[Any] = ()) -> str:
    for mark in marks:
        if isinstance(mark, RefTo):
            return f"reference to {' or '.join(kind.value for kind in mark.kinds)}"
        if isinstance(mark, EndpointMark):
            return "name of a saved endpoint"
    if hasattr(annotation, "__metadata__"):
        return _type_name(annotation.__origin__, annotation.__metadata__)
    inner = get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_type_name(one) for one in inner if one is not NoneType)
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in inner)
    if get_origin(annotation) is list:
        return f"list, each {_type_name(inner[0])}"
    return _TYPES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default_factory is not None or info.default is None:
        return ""
    if info.default == "":
        return "empty"
    text = json.dumps(info.default, ensure_ascii=False, default=str)
    return f"`{text}`" if len(text) <= _LONGEST_DEFAULT else f"`{text[:_LONGEST_DEFAULT].rstrip()}…`"


def metrics_page(registry: Iterable[Metric]) -> str:
    """Every metric with its unit, where better is, and the tasks of which it is a quality."""
    rows = [
        (f"`{one.name}`", one.title, one.unit, one.better, ", ".join(one.tasks), "yes" if one.score or one.row else "")
        for one in registry
    ]
    return _page(
        [
            "# Metrics",
            "What stages measure, by the names that results, recipes and `--json` use. A share is of 1. Where the last "
            "column says yes, every evaluation of such a task computes it from expected and given answers; the 95 % interval "
            "of a mean over rows stands beside it as `<name>_low` and `<name>_high` (Wilson where rows are right or wrong, "
            "else the bootstrap over rows).",
            "Labels are `label`. What people answered in free text tells its task: JSON objects are `extraction`, single "
            "numbers `maths`, answers of mostly 20 words or more `generation`, all others `qa`; `--task` of `evaluate` "
            "overrides it. Metrics of `text` are measured for all of them. BLEU and chrF are sacrebleu's, as shares of 1: "
            "`nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp` and `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`.",
            _table(("name", "title", "unit", "better", "quality of", "computed from answers"), rows),
        ]
    )


def commands_page(program: typer.Typer) -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(program)
    parts = [
        "# Command line",
        "Exit codes: 0 done, 2 bad input (one line on stderr says what is wrong and what to do), others where a command "
        "says so. `slmops --debug COMMAND` shows the traceback of an error.",
    ]
    return _page([*parts, *_command("slmops", root)])


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield " ".join((command.help or "").split())
    rows = [
        (_option(param), _value(param), _text_default(param), param.help or "")
        for param in command.params
        if not param.hidden
    ]
    if rows:
        yield _table(("argument or option", "value", "default", "meaning"), rows)
    for part, inner in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {part}", inner)


def _option(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{param.name.upper()}`"
    return " ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))


def _value(param: Any) -> str:
    if getattr(param, "is_bool_flag", False):
        return ""
    kind = _type_name(param.type_descriptor.annotation)
    return kind if param.min is None or param.max is None else f"{kind}, {param.min} to {param.max}"


def _text_default(param: Any) -> str:
    if param.required:
        return "required"
    return "" if param.default in (None, False, "") or callable(param.default) else f"`{param.default}`"


def settings_page() -> str:
    """Every environment variable: the settings, then those that are read where they are used."""
    prefix = Settings.model_config["env_prefix"]
    rows = [
        (f"`{prefix}{name.upper()}`", _type(info), _default(info), info.description or "")
        for name, info in Settings.model_fields.items()
    ]
    rows += [(f"`{name}`", "text", "", meaning) for name, meaning in VARIABLES.items()]
    return _page(
        [
            "# Settings",
            "All come from the environment; there is no settings file.",
            _table(("variable", "values", "default", "meaning"), rows),
        ]
    )


def glossary_page(table: Iterable[Term]) -> str:
    """The words of this project, one for one thing, and those that they replace."""
    parts = [
        "# Glossary",
        "One word for one thing, and the field's word where there is one. The words in the last column must not come back "
        "in names of the code, but in the sense that stands with them; `tests/test_glossary.py` holds it.",
    ]
    areas: dict[str, list[tuple[str, ...]]] = {}
    for term in table:
        old = ", ".join(_old_word(word, rule) for word, rule in term.instead_of.items())
        areas.setdefault(term.area, []).append((f"**{term.term}**", term.means, old))
    for area, rows in areas.items():
        parts += [f"## {area}", _table(("say", "what it is", "not"), rows)]
    return _page(parts)


def _old_word(word: str, rule: OldWord | None) -> str:
    """The word, and what it may still be used for."""
    senses = list(dict.fromkeys(rule.allowed.values())) if rule else []
    return f"{word} (still: {'; '.join(senses)})" if senses else word


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join([_NOTE, *(part for part in parts if part)]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """On one line; a < would begin a tag."""
    text = " ".join(text.split()).replace("|", "\\|")
    return text if "`" in text else text.replace("<", "\\<")


def out_of_date(folder: Path) -> list[str]:
    """The generated pages in `folder` that differ from the code or are missing."""
    return [
        name
        for name, text in pages().items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != text
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages, or with `--check` compare them; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description="Writes docs/ from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a page is out of date")
    if parser.parse_args(argv).check:
        old = out_of_date(DOCS)
        for name in old:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs`.\n")
        return 1 if old else 0
    for name, text in pages().items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
