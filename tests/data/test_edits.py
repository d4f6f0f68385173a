"""Edits: what they make of stored rows, the draft that survives everything, and undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data.dataset import Row
from backend.data.edit_draft import EditDraft
from backend.data.edits import Edit, EditPlan, edit_lines, read_edits
from backend.data.row_filter import RowFilter

ROW = Row(id="1", input="hello", output="red", gold="blue", confidence=0.4, rationale="steps", tags=["a"])


def after(row: Row, *edits: Edit) -> Row | None:
    return EditPlan(edits).apply("train", row)


def test_an_edited_answer_loses_what_was_said_of_the_old_one() -> None:
    new = after(ROW, Edit(op="edit", rows=("1",), output="green", tags=()))
    assert new == Row(id="1", input="hello", output="green", gold="green")
    assert after(ROW, Edit(op="edit", rows=("1",), input="bye")) == ROW.model_copy(update={"input": "bye"})
    assert after(ROW, Edit(op="edit", rows=("2",), input="bye"), Edit(op="delete", split="test", rows=("1",))) == ROW


def test_tags_and_deletions_by_id_and_by_filter() -> None:
    tag = Edit(op="tag", where=RowFilter(search="HELL"), tags=("b", "a"))
    assert after(ROW, tag).tags == ["a", "b"]  # type: ignore[union-attr]
    assert after(ROW, tag, Edit(op="untag", rows=("1",), tags=("a",))).tags == ["b"]  # type: ignore[union-attr]
    assert after(ROW, Edit(op="delete", where=RowFilter(label="red"))) is None
    assert after(ROW, Edit(op="delete", where=RowFilter(label="green"))) == ROW


def test_a_filter_is_about_the_rows_as_they_are_stored() -> None:
    edits = (Edit(op="edit", rows=("1",), input="bye"), Edit(op="delete", where=RowFilter(search="bye")))
    assert after(ROW, *edits) is not None
    assert after(ROW, edits[0], Edit(op="delete", where=RowFilter(search="hello"))) is None


def test_later_turns_of_a_conversation_show_the_new_words() -> None:
    context = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]
    later = Row(id="2", input="more", output="x", context=context, conversation="c")
    edit = Edit(op="edit", rows=("1",), output="hello", conversation="c", turn=0)
    new = after(later, edit)
    assert new and new.context == [context[0], {"role": "assistant", "content": "hello"}]
    assert later.context[1]["content"] == "yo"
    assert after(later.model_copy(update={"conversation": "d"}), edit) == later.model_copy(update={"conversation": "d"})


def test_new_rows_can_be_edited_and_deleted_again() -> None:
    add = Edit(op="add", row=Row(id="n", input="new", output="red"), label="red")
    plan = EditPlan(
        [add, Edit(op="edit", rows=("n",), input="newer"), Edit(op="delete", where=RowFilter(search="new"))]
    )
    assert (
        [row.input for row in plan.added("train")] == ["newer"] and plan.added("test") == [] and plan.labels == ["red"]
    )
    assert EditPlan([add, Edit(op="delete", rows=("n",))]).added("train") == []


def test_the_draft_is_what_its_lines_come_to(tmp_path: Path) -> None:
    draft = EditDraft(tmp_path / "x" / "draft.jsonl")
    one, two = Edit(op="delete", rows=("1",)), Edit(op="edit", rows=("2",), output="é\u2028\n")
    draft.add(one)
    draft.add(two)
    assert EditDraft(draft.file).state().edits == [one, two]
    draft.mark("undo")
    assert draft.state().edits == [one] and draft.state().undone == [two]
    draft.mark("redo")
    draft.mark("discard")
    assert draft.state().edits == []
    draft.mark("redo")
    draft.mark("redo")
    assert draft.state().edits == [one, two]
    draft.mark("undo")
    draft.add(one)
    assert draft.state().edits == [one, one] and draft.state().undone == []


def test_a_save_empties_the_draft_and_a_failed_one_gives_it_back(tmp_path: Path) -> None:
    draft, one, two = (
        EditDraft(tmp_path / "draft.jsonl"),
        Edit(op="delete", rows=("1",)),
        Edit(op="delete", rows=("2",)),
    )
    draft.add(one)
    draft.saved("run1")
    assert draft.state().edits == [] and draft.state().run == "run1"
    draft.add(two)
    draft.mark("restore")
    assert draft.state().edits == [one, two] and draft.state().run == ""


def test_a_line_that_broke_off_loses_itself_alone(tmp_path: Path) -> None:
    draft, one = EditDraft(tmp_path / "draft.jsonl"), Edit(op="delete", rows=("1",))
    draft.add(one)
    with draft.file.open("a", encoding="utf-8") as stream:
        stream.write('{"do": {"op": "fly"}}\n{"do": {"op": "del')
    assert draft.state().edits == [one]
    draft.add(one)  # a broken line must not swallow the next
    assert draft.state().edits == [one, one]


def test_files_of_edits(tmp_path: Path) -> None:
    file, edits = (
        tmp_path / "e.jsonl",
        [Edit(op="add", row=ROW), Edit(op="delete", where=RowFilter(ids=("1",)), count=3)],
    )
    file.write_text(edit_lines(edits), "utf-8")
    assert read_edits(file) == edits
    file.write_text(edit_lines(edits) + "{}\n", "utf-8")
    with pytest.raises(StudioError) as error:
        read_edits(file)
    assert error.value.code == "edits.file_line" and error.value.problems[0].args["line"] == 3
    with pytest.raises(StudioError) as error:
        read_edits(tmp_path / "none")
    assert error.value.code == "edits.file_missing"
