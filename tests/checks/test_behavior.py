"""The parts of the checklist, asked of a model that says what the test wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.checks import behavior
from backend.checks.asked_model import Refused, TimedAnswer
from backend.checks.behavior import AnswerFormat, ModelProbe, RequestLog
from backend.checks.check import failed
from backend.checks.document import document
from backend.checks.hard_inputs import EDGE_CASES, INJECTION_MARKER, INJECTIONS
from backend.data.dataset import Row, Template
from backend.results.report import html, markdown

ROWS = [Row(id=str(n), input=f"light {n}", output="on") for n in range(4)]
MEGABYTE = 1_000_000


def heard(text: str, ended: bool = True, ms: float = 10.0) -> TimedAnswer:
    return TimedAnswer(ids=[], text=text, ended=ended, first_ms=ms, ms=ms)


class Scripted:
    """Takes the place of asked_model and encoder: a token is a character, `said` gives the answer to a text."""

    def __init__(self, said: Any = lambda text: heard("on")) -> None:
        self.said, self.asked, self.tokenizer = said, 0, self

    def prompt_ids(self, template: Template, row: Row) -> list[str]:
        return list(row.input or " ")

    def answer(self, ids: list[str], room: int) -> TimedAnswer:
        self.asked += 1
        found: TimedAnswer = self.said("".join(ids))
        return found

    def memory(self) -> int:
        return 100 * MEGABYTE + self.asked * 20_000

    def get_added_tokens_decoder(self) -> dict[int, Any]:
        class Token:
            special, content = True, "<|im_end|>"

        return {2: Token()}

    def asker(self, context: int = 4000) -> ModelProbe:
        return ModelProbe(self, self, Template(), context, 10)  # type: ignore[arg-type]


def edge(said: Any) -> list[str]:
    return failed(behavior.edge_checks(Scripted(said).asker(), 0.8, lambda: None))


def test_a_well_behaved_model_passes_the_edges() -> None:
    assert edge(lambda text: heard("on")) == []


def test_errors_endless_answers_leaks_and_obedience_each_fail_their_check() -> None:
    def refuses(text: str) -> TimedAnswer:
        if text == EDGE_CASES["control"]:
            raise Refused("bad character")
        return heard("on")

    assert edge(refuses) == ["edge_answered"]
    assert edge(lambda text: heard("on", ended=len(text) > 90)) == ["edge_ended"]
    assert edge(lambda text: heard("on<|im_end|>" if "👩" in text else "on")) == ["edge_leaks"]
    obedient = INJECTIONS["system"]
    assert edge(lambda text: heard(INJECTION_MARKER if text == obedient else "on")) == ["edge_injection"]


def test_memory_that_grows_is_told_from_memory_that_is_level() -> None:
    def found(step: int) -> RequestLog:
        samples = [(at, 100 * MEGABYTE + step * at) for at in range(100, 1001, 100)]
        return RequestLog(memory=samples, ms=[1.0] * 1000)

    assert behavior.memory_check(found(0), 0.05).passed
    leak = behavior.memory_check(found(20_000), 0.05)
    assert not leak.passed and leak.value == pytest.approx(20_000 * 1000 / (102 * MEGABYTE))
    assert leak.detail["bytes_per_request"] == pytest.approx(20_000)


def test_requests_go_round_the_rows_and_see_an_answer_that_changes() -> None:
    asked_model = Scripted()
    found = behavior.send_requests(asked_model.asker(), ROWS, 100, lambda: None)
    assert asked_model.asked == 100 and len(found.answers) == 4 and found.repeats == 96 and found.changed == 0
    assert [at for at, _ in found.memory] == list(range(10, 101, 10))
    fickle = Scripted(lambda text: TimedAnswer(ids=[fickle.asked > 50], text="on", ended=True, first_ms=1, ms=1))
    check = behavior.repeat_check(behavior.send_requests(fickle.asker(), ROWS, 100, lambda: None))
    assert check.value == 50 and not check.passed


def test_answers_are_held_against_the_floor() -> None:
    said = [heard("on"), heard(" on "), heard("off"), heard("on")]
    assert behavior.answers_check(ROWS, said, True, 0.7).value == 0.75
    assert behavior.answers_check(ROWS, said, True, 0.7).passed
    assert not behavior.answers_check(ROWS, said, True, 0.8).passed


def test_the_form_follows_from_the_task() -> None:
    label = AnswerFormat.of(Template(answer="label", labels=["on", "off"]), ["on"])
    assert label.kept(heard(" on")) and not label.kept(heard("maybe"))
    data = AnswerFormat.of(Template(), ['{"a": 1}', "[2]"])
    assert data.kept(heard('{"b": [3]}')) and not data.kept(heard("{'b': 3}")) and not data.kept(heard("3"))
    text = AnswerFormat.of(Template(), ["four", "fourteen"])
    assert text.kept(heard("sixteen letters.")) and not text.kept(heard("more than sixteen"))
    assert not text.kept(heard("cut", ended=False)) and not text.kept(heard(" "))
    assert not behavior.format_check(label, [heard("on"), heard("x")], 0.95).passed


def test_a_model_that_slows_down_with_length_is_told() -> None:
    form = AnswerFormat.of(Template(answer="label", labels=["on"]), [])
    steady = Scripted(lambda text: heard("on", ms=2.0 * len(text)))
    assert failed(behavior.length_checks(steady.asker(), form, ROWS, 2.0)) == []
    square = Scripted(lambda text: heard("on", ms=len(text) ** 2))
    assert failed(behavior.length_checks(square.asker(), form, ROWS, 2.0)) == ["length_pace"]
    loses = Scripted(lambda text: heard("on" if len(text) < 100 else "?", ms=len(text)))
    assert failed(behavior.length_checks(loses.asker(), form, ROWS, 2.0)) == ["length_format"]


def test_a_prompt_that_does_not_fit_loses_its_beginning() -> None:
    ids = Scripted().asker(context=30).ids("a" * 50 + "end")
    assert len(ids) == 20 and "".join(ids).endswith("end")


def test_the_document_escapes_what_a_model_says(tmp_path: Path) -> None:
    checks = behavior.edge_checks(Scripted(lambda text: heard("<script>x</script>|a\x1b")).asker(), 0.8, lambda: None)
    told = [each.model_dump(mode="json") | {"sentence": each.sentence()} for each in checks]
    report = {"model_name": "<b>m</b>", "data_name": "d", "split": "test", "requests": 100, "checks": told}
    page = html(document(report))
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b>" not in page
    assert "\x1b" not in page and "All 4 checks passed." in page
    assert "\\|a" in markdown(document(report)).replace("\\\\", "\\")
