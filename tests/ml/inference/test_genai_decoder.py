"""The engine on ONNX Runtime GenAI: answers, likelihood, and what it must not import."""

from __future__ import annotations

import subprocess
import sys
from math import exp
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data.dataset import DataFolder
from backend.inference.engine import Engine
from backend.inference.protocol import Sampling
from backend.ml.inference import genai_decoder
from backend.ml.inference.open import open_engine
from tests.helpers import view
from tests.onnx_models import Converted, converted

pytestmark = pytest.mark.ml
TEN = Sampling(max_new_tokens=10)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


@pytest.fixture(scope="module")
def engine(made: Converted) -> Engine:
    opened = open_engine(made.onnx, lambda ref: made.torch)
    assert isinstance(opened.decoder, genai_decoder.GenAIDecoder)
    return opened


def prompts(made: Converted, engine: Engine) -> list[list[int]]:
    data = DataFolder(made.data)
    return [engine.encode(data.template.prompt(row)) for row in data.rows("test")]


def test_many_prompts_say_what_each_says_alone(made: Converted, engine: Engine) -> None:
    asked = prompts(made, engine)
    assert dict(engine.answers(asked, TEN)) == {at: engine.answer(prompt, TEN) for at, prompt in enumerate(asked)}
    assert "".join(engine.stream(asked[0], TEN)) == engine.answer(asked[0], TEN)
    assert any(engine.answer(prompt, TEN) for prompt in asked)


def test_an_answer_of_full_length_goes_past_the_end_of_turn(made: Converted, engine: Engine) -> None:
    asked = prompts(made, engine)[0]
    first = next(engine.stream_ids(asked, TEN))
    engine.stops = frozenset({first})
    try:
        assert list(engine.stream_ids(asked, TEN)) == []
        assert len(list(engine.stream_ids(asked, TEN.model_copy(update={"full_length": True})))) == 10
    finally:
        engine.stops = frozenset({2})


def test_the_loss_is_close_to_the_original(made: Converted, engine: Engine) -> None:
    original = open_engine(made.torch, lambda ref: made.torch)
    answer = engine.encoder.answer_ids("green")
    for prompt in prompts(made, engine)[:3]:
        assert engine.loss(prompt, answer) == pytest.approx(original.loss(prompt, answer), rel=0.02)


def test_confidence_is_the_mean_likelihood_and_changes_no_answer(made: Converted, engine: Engine) -> None:
    asked = prompts(made, engine)[:4]
    plain = dict(engine.answers(asked, TEN))
    for index, text, confidence, cut in engine.rated_answers(asked, TEN):
        ids = list(engine.stream_ids(asked[index], TEN))
        assert cut == (len(ids) == TEN.max_new_tokens)
        ids += [] if len(ids) == TEN.max_new_tokens else [2]
        assert text == plain[index]
        assert confidence == pytest.approx(exp(-engine.loss(asked[index], ids) / len(ids)), rel=0.02)


def test_a_damaged_folder_is_one_sentence(tmp_path: Path, made: Converted) -> None:
    for name in ("genai_config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((made.onnx.path / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes((made.onnx.path / "model.onnx").read_bytes()[:5000])
    with pytest.raises(StudioError) as caught:
        open_engine(view(tmp_path, "onnx", "cut"), lambda ref: made.torch)
    assert caught.value.code == "chat.onnx_load" and "cut" in str(caught.value)


def test_the_process_of_an_onnx_model_holds_no_torch() -> None:
    code = (
        "import sys, backend.inference.protocol, backend.providers.client;"
        "import backend.ml.inference.genai_decoder, backend.ml.compression.smoke_test;"
        "heavy = {'torch', 'transformers', 'olive', 'peft', 'sklearn'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or None)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_the_runtime_gets_a_thread_for_every_core(made: Converted, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(cores: int) -> int:
        monkeypatch.setattr(genai_decoder, "physical_cores", lambda: cores)
        before = len(list(Path("/proc/self/task").iterdir()))
        model = genai_decoder.load(made.onnx.path)
        found = len(list(Path("/proc/self/task").iterdir())) - before
        del model
        return found

    assert started(7) - started(2) == 5
