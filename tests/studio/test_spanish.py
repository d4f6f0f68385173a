"""Every text that can be asked for is in Spanish, once, with the same placeholders; and no text that nobody asks for."""

from __future__ import annotations

import ast
import gettext
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Any

import pytest
from babel.messages.pofile import read_po

from backend.core.errors import Problem
from backend.core.messages import MESSAGES
from backend.core.schemas import State
from backend.db import tables as t
from studio.nav import NAV
from studio.paths import LOCALE
from studio.ui.shared import i18n
from studio.ui.shared.formatting import escape_markdown
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show
from tests.studio.translatable_texts import has_words, shell_files, texts, translatable_texts

SAME = {
    "General",
    "Alpaca",
    "doccano",
    "Dolly",
    "Label Studio",
    "OpenAI evals",
    "ShareGPT",
    "SQuAD",
    "CIF",
    "CPU",
    "CUDA (NVIDIA)",
    "DirectML (Windows)",
    "Dropout",
    "FP16, 16 bits",
    "GPTQ",
    "INT8, 8 bits",
    "k-quant",
    "Original",
    "Endpoint",
    "endpoint",
    "Endpoints",
    "Error",
    "Foundry Local",
    "CUDA",
    "GPU",
    "logits",
    "HTML",
    "IBAN",
    "INT4, 4 bits",
    "local",
    "Beta",
    "DPO",
    "DoRA",
    "KTO",
    "LoRA",
    "rsLoRA",
    "No",
    "ONNX",
    "Python",
    "QLoRA",
    "AdamW",
    "ROUGE-L",
    "ROUGE-1",
    "ROUGE-2",
    "BLEU",
    "chrF",
    "MCC",
    "Tokens",
    "{n} error",
    "Tokens/s",
    "Top-p",
    "{n} token",
    "{n} tokens",
    "{n} tokens/s",
    "{name} (endpoint)",
    "OK",
    "ID",
}
"""The texts that are the same in Spanish."""


@dataclass(frozen=True)
class Entry:
    """One translated text: a plural's two forms are two entries."""

    english: str
    spanish: str
    file: str


def entries() -> list[Entry]:
    found = []
    files = sorted((LOCALE / "es" / "LC_MESSAGES").glob("*.po"))
    assert len(files) >= 3
    for path in files:
        with path.open("rb") as stream:
            for message in read_po(stream, locale="es"):
                if message.id:
                    pairs = zip(_forms(message.id), _forms(message.string), strict=True)
                    found += [Entry(one, two, path.name) for one, two in dict(pairs).items()]
    assert len(found) > 600
    return found


def _forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def lines(bad: list[str]) -> str:
    return "\n".join(["", *sorted(bad)])


def test_every_text_has_its_spanish() -> None:
    known = {entry.english for entry in entries() if entry.spanish.strip()}
    missing = [f"{place}: {text!r}" for text, place in translatable_texts().items() if text not in known]
    assert not missing, lines(missing)


def test_every_text_stands_in_one_catalogue_once() -> None:
    counts = Counter(entry.english for entry in entries())
    bad = [f"{entry.file}: {entry.english!r}" for entry in entries() if counts[entry.english] > 1]
    assert not bad, lines(bad)


def test_nothing_is_translated_that_nobody_asks_for() -> None:
    """Texts that a page keeps in a table of its own count as asked for."""
    written = {text for path in shell_files() for text in texts(ast.parse(path.read_text("utf-8")))}
    known = translatable_texts().keys() | written
    left = [f"{entry.file}: {entry.english!r}" for entry in entries() if entry.english not in known]
    assert not left, lines(left)


def test_placeholders_code_and_ends_are_kept() -> None:
    bad = []
    for entry in entries():
        one, two = entry.english, entry.spanish
        for pattern in (r"\{\{?\w*\}?\}", r"`[^`]*`", r"\*\*", r":material/\w+:"):
            if sorted(re.findall(pattern, one)) != sorted(re.findall(pattern, two)):
                bad.append(f"{entry.file}: {one!r} -> {two!r} ({pattern})")
        if one.rstrip()[-1] in ".:?!…" and two.rstrip()[-1:] != one.rstrip()[-1]:
            bad.append(f"{entry.file}: {one!r} -> {two!r} (its end)")
        if ("¿" in two) != ("?" in one) or re.search('[“”"]', two):
            bad.append(f"{entry.file}: {one!r} -> {two!r} (its marks)")
    assert not bad, lines(bad)


def test_spanish_is_not_english() -> None:
    same = {entry.english: entry.file for entry in entries() if entry.english == entry.spanish}
    bad = [f"{file}: {text!r}" for text, file in same.items() if text not in SAME and has_words(text)]
    assert not bad, lines(bad)
    assert same.keys() >= {"QLoRA", "OK"}


@pytest.fixture
def unknown() -> Iterator[set[str]]:
    """The texts that are asked for in vain while a test draws pages in Spanish."""
    found: set[str] = set()

    class Noted(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            found.update({message} if has_words(message) else ())
            return message

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            found.add(msgid1)
            return msgid1 if n == 1 else msgid2

    i18n._catalogue("es").add_fallback(Noted())
    yield found
    i18n._catalogue.cache_clear()


@pytest.mark.parametrize("page", [row.path.stem for row in NAV if not row.hidden])
def test_pages_ask_for_nothing_unknown(page: str, show: Show, builder: StudioBuilder, unknown: set[str]) -> None:
    """Also what they ask for by a name, which reading the source does not find."""
    model, data = builder.model(), builder.dataset()
    builder.evaluation(model, data, 0.9)
    builder.worker()
    builder.run("done", ("dataset", State.SUCCEEDED), result={"artifact": data.id, "metrics": {"rows_train": 20.0}})
    builder.run("running", ("finetune", State.RUNNING), ("quantize", State.WAITING))
    builder.run("failed", ("dataset", State.FAILED), error={"code": "core.memory_out", "args": {}})
    show(page, "es")
    assert not unknown


def test_jobs_that_failed_in_every_way_say_so_in_spanish(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("errors", ("dataset", State.FAILED))
    with builder.store.session() as session:
        session.add_all(_failed(run, number, code) for number, code in enumerate(MESSAGES))
    said = "\n".join(error.value for error in show("run", "es", run=run).error)
    assert said.count("‹x›") > 200
    longest = {code: max(re.split(r"\{+\w*\}+", what), key=len) for code, (what, _) in MESSAGES.items()}
    bad = [
        code for code, part in longest.items() if has_words(part) and len(part) > 12 and escape_markdown(part) in said
    ]
    assert not bad, lines(bad)


def _failed(run: str, number: int, code: str) -> t.Job:
    names = {name for part in MESSAGES[code] for _, name, _, _ in Formatter().parse(part) if name}
    about: dict[str, Any] = {"run_id": run, "stage": "dataset", "queue": "light", "params": {}, "needs": []}
    about |= {"error": {"code": code, "args": dict.fromkeys(names, "‹x›"), "field": None}, "state": State.FAILED}
    return t.Job(id=f"{run}-{number}", stage_id=f"s{number}", created=t.now(), **about)


def test_words_in_arguments_are_translated_and_names_are_not() -> None:
    spanish = i18n.translator("es")
    kinds = Problem(code="core.artifact_kind", args={"ref": "model", "kind": "onnx", "wanted": "model / adapter"})
    assert kinds.sentence(spanish) == "«model» es de tipo modelo ONNX; se esperaba: modelo / adaptador. Elige otro."
    places = "3 → list (text), 4 → object (label)"
    rows = Problem(code="data.not_text", args={"file": "test", "count": 2, "places": places}, field="source")
    assert rows.text(spanish).startswith("source: test: 2 filas")
    assert "3 → lista (text), 4 → objeto (label)" in rows.sentence(spanish)


@pytest.mark.parametrize(
    ("not_said", "said"),
    [
        ("estudiantes?", "modelo alumno"),
        ("trabajador|procesos? de trabajo|workers?", "ejecutor"),
        ("puntos? de acceso", "endpoint"),
        ("tóken", "token"),
        ("máquina", "equipo"),
        ("borr[aáeo]", "eliminar"),
        ("afinar|afinado", "ajustar"),
        ("datasets?", "conjunto de datos"),
        ("checkpoints?", "punto de control"),
        ("usted|su equipo|haga clic", "tú"),
    ],
)
def test_one_word_for_one_thing(not_said: str, said: str) -> None:
    """The glossary is at the top of messages.po."""
    told = {f"{entry.file}: {entry.spanish!r}": re.sub(r"`[^`]*`|\{\w*\}", "", entry.spanish) for entry in entries()}
    bad = [place for place, text in told.items() if re.search(rf"\b({not_said})", text, re.IGNORECASE)]
    assert not bad, f"say “{said}”:{lines(bad)}"


def test_tags_are_marcas_on_every_page_and_labels_are_etiquetas() -> None:
    tags = {each for each in entries() if re.search(r"\btags?\b", re.sub(r"\{\w*\}", "", each.english), re.IGNORECASE)}
    own = [each for each in tags if "ranch, tag" not in each.english]  # of a hub's repository
    bad = [each.spanish for each in own if not re.search("marca", each.spanish, re.IGNORECASE)]
    assert len(own) > 8 and not bad, lines(bad)
