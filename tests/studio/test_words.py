"""Tables of words fit what they name, and numbers read as people write them."""

from __future__ import annotations

import ast
from datetime import datetime
from types import SimpleNamespace

import pytest

from backend import stages
from backend.core.errors import Problem
from backend.core.fields import labels_of
from backend.core.messages.words import ARGUMENTS, WORDS
from backend.core.paths import ROOT
from backend.core.schemas import Kind, State
from backend.data import row_errors
from backend.data.dataset import SPLITS
from backend.data.sources import sniff
from studio.ui.data import checks
from studio.ui.shared import choices, formatting, framework, i18n
from tests.studio.translatable_texts import calls, literals, texts

FILES = sorted((ROOT / "backend").rglob("*.py"))


def test_tables_name_every_state_stage_and_kind() -> None:
    assert set(formatting.STATES) == set(State)
    assert set(formatting.KINDS) == {*Kind, "checkpoints", "cache", "logs", "uploads", "trash"}


def test_every_choice_that_is_a_code_has_its_words() -> None:
    found = 0
    for name, stage in stages.stages().items():
        for field, info in stage.params.model_fields.items():
            assert set(labels_of(info)) == set(literals(info.annotation)), f"{name}.{field}"
            found += bool(labels_of(info))
    assert found > 20


def test_notes_are_what_the_stages_say() -> None:
    said: set[str] = set()
    for path in (path for path in FILES if path.relative_to(ROOT).parts[1] in ("data", "generation", "ml", "stages")):
        asked = ("each",) if path.relative_to(ROOT).parts[1] == "data" else ("progress", "Progress", "_tell", "add")
        for call in calls(path, *asked):
            said |= {text for argument in call.args[1:] for text in texts(argument)} - {""}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PHASES":
                assert isinstance(node.value, ast.Dict)
                said |= {text for value in node.value.values for text in texts(value)}
    assert said == choices.NOTES


def test_words_in_arguments_are_those_of_the_back_end() -> None:
    own = {*Kind, *State, *SPLITS, *(what for _, what in sniff.BINARY), *row_errors._TYPES.values()}
    for path in FILES:
        for call in calls(path, "StudioError", "_Retry", "_error", "_failed"):
            given = [keyword.value for keyword in call.keywords if keyword.arg in ARGUMENTS]
            own |= {part for word in given if isinstance(word, ast.Constant) for part in str(word.value).split(" / ")}
        for call in calls(path, "_NotText"):
            own |= {what.value for what in call.args if isinstance(what, ast.Constant)}
    assert len(own) > 30
    assert own <= WORDS


@pytest.fixture
def spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "_", i18n.translator("es"))


@pytest.mark.usefixtures("spanish")
def test_parameters_and_notes_are_said_in_the_users_language() -> None:
    title, help_ = formatting.field_label("finetune", "epochs")
    assert title == "Épocas" and help_.startswith("Pasadas sobre los datos")
    assert formatting.option_label("dataset", "on_bad_row", "skip") == "Omitir"
    assert formatting.option_label("teacher", "splits", ["train", "pool"]) == "Entrenamiento, Sin etiquetar"
    assert formatting.option_label("finetune", "qlora", True) == "Sí"
    assert formatting.option_label("finetune", "targets", ["q_proj", "v_proj"]) == "q_proj, v_proj"
    assert formatting.note_label("querying the teacher") == "Consultando al maestro"
    assert formatting.note_label("rounding 7 of 9") == "Rounding 7 of 9"
    assert formatting.note_label("") == ""


def test_descriptions_are_short_and_told_in_sentences() -> None:
    for name, stage in stages.stages().items():
        for field, info in stage.params.model_fields.items():
            text = info.description or ""
            assert 20 <= len(text) <= 160 and text.endswith(".") and text[0].isupper() | text[0].isdigit(), (
                name,
                field,
            )


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "< 1 s"), (59.6, "1 min 00 s"), (95, "1 min 35 s"), (7384, "2 h 03 min")]
)
def test_duration(seconds: float, said: str) -> None:
    assert formatting.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1_234_567, "1.2 MB"), (999_960, "1.0 MB"), (5e15, "5,000.0 TB")]
)
def test_size(count: float, said: str) -> None:
    assert formatting.format_size(count) == said


def test_words_of_others_carry_no_markup() -> None:
    assert formatting.escape_markdown("![x](http://a) <b> *c* r-1.csv") == r"!\[x\](http\://a) \<b\> \*c\* r-1.csv"


def test_a_message_keeps_its_commands_as_code_and_nothing_else() -> None:
    said = "Drop them with `drop_rows`; *a` [b](http://c)"
    assert formatting.message_markdown(said) == r"Drop them with `drop_rows`; \*a\` \[b\](http\://c)"


@pytest.mark.parametrize(
    ("gate", "detail", "said"),
    [
        ("lengths", "input: 12,345", "Entrada: 12.345"),
        ("lengths", "answer: 1,234", "Respuesta: 1234"),
        ("wrong_labels", "pago → envío (95%)", "pago → envío (95\u00a0%)"),
        ("near_duplicates", "0.95", "similitud del 95\u00a0%"),
    ],
)
def test_figures_of_a_finding_are_written_as_in_the_language(
    monkeypatch: pytest.MonkeyPatch, gate: str, detail: str, said: str
) -> None:
    monkeypatch.setattr(checks, "_", i18n.translator("es"))
    monkeypatch.setattr(formatting, "lang", lambda: "es")
    finding = SimpleNamespace(gate=gate)
    assert checks._detail(finding, detail).replace(" %", "\u00a0%") == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("browser", "said"),
    [("en-GB", "30/11/2026, 21:13"), ("en-US,en", "11/30/26, 9:13\u202fPM"), ("es-MX", "11/30/26, 9:13\u202fPM")],
)
def test_dates_are_those_of_the_browsers_country(monkeypatch: pytest.MonkeyPatch, browser: str, said: str) -> None:
    monkeypatch.setattr(i18n, "st", SimpleNamespace(context=SimpleNamespace(locale=browser)))
    monkeypatch.setattr(formatting, "lang", lambda: "en")
    assert formatting.clock(datetime(2026, 11, 30, 21, 13).astimezone()) == said


def test_counts_in_sentences_are_grouped_as_in_the_language() -> None:
    problem = Problem(code="gates.sketched", args={"most": 300_000}, blocking=False)
    assert "300,000 rows" in problem.sentence()
    assert "300.000 filas" in problem.sentence(i18n.translator("es"))


def test_words_of_the_framework_have_their_spanish() -> None:
    spanish = i18n.translator("es")
    assert [text for text in (*framework.WORDS, *framework.SENTENCES) if spanish(text) == text] == []
