"""Files of decisions: equal decisions give equal bytes, and a bad line is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.core.errors import StudioError
from backend.data.decisions import Decision, decision_lines, read_decisions


def test_a_file_gives_back_what_was_decided(tmp_path: Path) -> None:
    said = [
        Decision(row="b", decision="accept", output="ñ\n2", rating=4, note="why"),
        Decision(row="a", decision="reject"),
        Decision(row="c", rating=3),
    ]
    text = decision_lines(said)
    assert text == decision_lines(reversed(said)) and text.startswith('{"row": "a"')
    file = tmp_path / "d.jsonl"
    file.write_text(text, "utf-8")
    assert read_decisions(file) == {"a": said[1], "b": said[0]}
    assert [each.verdict for each in said] == ["edited", "rejected", None]


@pytest.mark.parametrize("line", ["", "{", "[]", '{"row": "a", "decision": "maybe"}', '{"row": ""}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text('{"row": "a", "decision": "accept"}\n' + line + "\n", "utf-8")
    with pytest.raises(StudioError, match=r"Line 2 of “d\.jsonl”"):
        read_decisions(file)


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("gone", "bytes", "."):
        with pytest.raises(StudioError) as error:
            read_decisions(tmp_path / name)
        assert error.value.code == "review.file_missing"


@pytest.mark.parametrize(
    "wrong",
    [{"rating": 6}, {"rating": True}, {"output": ""}, {"output": "a\0b"}, {"note": "\ud800"}, {"row": "x" * 1001}],
)
def test_what_can_not_be_kept_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Decision.model_validate({"row": "a", **wrong})
