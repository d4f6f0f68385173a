"""Answers that must have a form, of models that were never trained: every one of them has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.inference.constraint import Constraint
from backend.inference.engine import Engine
from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine
from tests.helpers import model_view, view
from tests.onnx_models import build_onnx

pytestmark = pytest.mark.ml
LABELS = ("red", "dark red", 'a "b" \\c', "ñandú 😀")
SCHEMA = {
    "type": "object",
    "properties": {"many": {"type": "integer", "minimum": 1, "maximum": 99}},
    "required": ["many"],
    "additionalProperties": False,
}
FORMS = {
    "labels": Constraint(kind="labels", value=LABELS),
    "regex": Constraint(kind="regex", value="[a-c]{2,4}-[0-9]/x"),
    "json_schema": Constraint(kind="json_schema", value=json.dumps(SCHEMA)),
    "grammar": Constraint(kind="grammar", value='start: pair ("," pair)?\npair: /[ab]/ "=" /[01]/'),
}


@pytest.fixture(scope="module", params=["torch", "onnx"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = build_onnx(tmp_path_factory.mktemp("forms"))
    folder = made if request.param == "onnx" else made.parent / "model"
    shown = view(made, Kind.ONNX) if request.param == "onnx" else model_view(folder)
    opened = open_engine(shown, lambda ref: shown)
    yield opened
    opened.close()


def fits(kind: str, answer: str) -> bool:
    if kind == "labels":
        return answer in LABELS
    if kind == "json_schema":
        said = json.loads(answer)
        return said.keys() == {"many"} and 1 <= said["many"] <= 99
    pattern = {"regex": "[a-c]{2,4}-[0-9]/x", "grammar": "[ab]=[01](,[ab]=[01])?"}[kind]
    return re.fullmatch(pattern, answer) is not None


@pytest.mark.parametrize("temperature", [0.0, 1.5])
@pytest.mark.parametrize("kind", FORMS)
def test_every_answer_has_the_form(engine: Engine, kind: str, temperature: float) -> None:
    prompts = [engine.encoder.ids(text) for text in ("red item", "thing 3")]
    sampling = Sampling(max_new_tokens=120, temperature=temperature, seed=4, constraint=FORMS[kind])
    found = {at: (text, cut) for at, text, _sure, cut in engine.rated_answers(prompts, sampling)}
    assert len(found) == 2
    for at, (text, cut) in found.items():
        assert fits(kind, text) and not cut, text
        assert temperature or text == engine.answer(prompts[at], sampling)


def test_an_endless_grammar_ends_as_truncated(engine: Engine) -> None:
    endless = Sampling(max_new_tokens=9, constraint=Constraint(kind="grammar", value="start: a\na: /[xyz]/ a"))
    ((_, text, _, cut),) = engine.rated_answers([engine.encoder.ids("red")], endless)
    assert cut and text and set(text) <= set("xyz")
    forced = Sampling(max_new_tokens=9, constraint=Constraint(kind="grammar", value='start: a\na: "x" a'))
    with pytest.raises(StudioError, match="can't go on in its form"):
        engine.answer(engine.encoder.ids("red"), forced)


def test_what_nobody_can_answer_is_refused_before_the_first_token(engine: Engine) -> None:
    never = Sampling(constraint=Constraint(kind="json_schema", value='{"type": "integer", "minimum": 3, "maximum": 2}'))
    with pytest.raises(StudioError, match="No answer can have this form: Unsatisfiable schema"):
        engine.answer(engine.encoder.ids("red"), never)


def test_a_tokenizer_that_is_not_read_is_an_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from tokenizers import Tokenizer, models

    strange = type("Strange", (), {"tokenizer": Tokenizer(models.WordLevel({"a": 0}, unk_token="a")), "stops": {0}})()
    monkeypatch.setattr(engine, "encoder", strange)
    monkeypatch.delattr(engine, "guides", raising=False)
    with pytest.raises(StudioError, match="its tokenizer was not read"):
        engine.sampler(Sampling(constraint=FORMS["labels"]))
