"""Programs in processes of their own: what they answer, why they fail, and that a cancel ends them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.process.program import Program, run_json

pytestmark = pytest.mark.proc


def no_tick() -> None:
    return None


def test_a_module_answers_from_file_to_file(tmp_path: Path) -> None:
    assert run_json("json.tool", {"asked": "ñ 😀"}, tmp_path, no_tick, "chat.onnx_stopped") == {"asked": "ñ 😀"}


def test_an_end_without_an_answer_has_status_and_reason_and_no_older_answer_counts(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps({"asked": "before"}))
    with pytest.raises(StudioError) as caught:
        run_json("backend.nowhere", {}, tmp_path, no_tick, "chat.onnx_stopped")
    (problem,) = caught.value.problems
    assert problem.code == "chat.onnx_stopped" and problem.args["status"] == 1
    assert "No module named backend.nowhere" in problem.args["reason"]


def test_the_line_that_names_an_error_is_the_reason(tmp_path: Path) -> None:
    said = "print('loading'); print('ValueError: no shape'); print(); print('cleaning up')"
    with Program([sys.executable, "-c", said], tmp_path / "log") as program:
        assert program.wait(no_tick) == 0
    assert program.reason() == "ValueError: no shape" and program.lines()[-1] == "cleaning up"


def test_a_cancel_kills_it_at_once(tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled

    with (
        pytest.raises(Cancelled),
        Program([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log") as it,
    ):
        it.wait(stop)
    assert it.process.returncode == -9
