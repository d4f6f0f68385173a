"""A reading says what it took and why, names the text that it leaves out, and knows labels, splits and system prompts."""

from __future__ import annotations

from tests.data.reading.tables import (
    MOODS,
    answer,
    chat,
    context,
    day,
    long,
    number,
    question,
    reading,
    system_chat,
    text,
    texto,
    uuid,
)


def said(found: object, code: str) -> str:
    return next((note.sentence() for note in found.notes if note.code == f"reading.{code}"), "")  # type: ignore[attr-defined]


def test_one_line_says_what_was_taken_and_why() -> None:
    found = reading({"text": text, "label": MOODS})
    assert found.notes[0].code == "reading.taken_by_name" and "text → label" in found.notes[0].sentence()
    found = reading({"nr": number, "a": text, "b": MOODS})
    assert found.notes[0].code == "reading.taken_by_values" and "a → b" in found.notes[0].sentence()
    found = reading({"nr": number, "a": text, "b": MOODS}, input="a", output="b")
    assert found.notes[0].code == "reading.taken_by_person"


def test_every_text_that_is_left_out_is_named() -> None:
    found = reading({"text": text, "label": MOODS, "comments": lambda n: f"seen by hand {n}", "extra_words": long})
    assert "comments, extra_words" in said(found, "left_out")
    assert not said(reading({"text": text, "label": MOODS, "id": uuid}), "left_out")


def test_ids_and_slices_travel_and_row_numbers_do_not() -> None:
    found = reading({"n": number, "id": uuid, "text": text, "label": MOODS, "source": ["web", "shop"], "day": day})
    assert found.taken and found.taken.roles.carried == ["id", "source", "day"]
    roles = {column.name: (column.kind, column.role) for column in found.columns}
    assert roles["n"] == ("row_number", "unused") and roles["source"] == ("label", "carried")
    assert (
        roles["day"] == ("date", "time")
        and roles["text"] == ("text", "input")
        and roles["label"] == ("label", "output")
    )
    assert all(column.reason and column.reason.sentence() for column in found.columns)


def test_a_split_column_is_used_unless_the_split_is_random() -> None:
    columns = {"part": ["train", "train", "dev", "test"], "text": text, "label": MOODS}
    found = reading(columns)
    assert found.taken and found.taken.roles.split == "part" and "part" in said(found, "split")
    found = reading(columns, split_by="random")
    assert found.taken and found.taken.roles.split == "" and not said(found, "split")


def test_a_system_turn_that_all_rows_share_is_the_reading_s() -> None:
    assert reading({"messages": system_chat}).system == "Be brief."
    assert reading({"messages": lambda n: system_chat(n) if n != 30 else chat(n)}).system == ""
    assert reading({"instruction": question, "output": answer, "system": "Be kind."}).system == "Be kind."
    assert reading({"instruction": question, "output": answer, "system": text}).system == ""


def test_a_system_turn_that_differs_late_is_not_shared() -> None:
    other = [{"role": "system", "content": "Be long."}]
    found = reading({"messages": lambda n: system_chat(n) if n < 2900 else other + chat(n)}, rows=3000)
    assert found.system == "" and found.rows == 3000


def test_labels_and_their_number() -> None:
    found = reading({"text": text, "label": ["bad", "good"]})
    assert (found.answer, found.labels) == ("label", ["bad", "good"])
    found = reading({"utterance": text, "intent": lambda n: f"intent_{n // 6:03d}"}, rows=900)
    assert found.answer == "label" and len(found.labels) == 150 and "150" in said(found, "many_labels")
    assert reading({"text": text, "label": lambda n: f"class {n // 2}"}, rows=90).answer == "text"
    assert reading({"text": text, "label": ["bad", "good"]}, answer="text").answer == "text"
    found = reading({"text": text, "label": ["the\u0301", "th\u00e9", "eau"]})
    assert found.labels == ["eau", "thé"]


def test_names_in_the_file_are_the_labels() -> None:
    found = reading({"text": text, "label": [0, 1]}, facts={"label_names": {"label": ["bad", "good"]}})
    assert found.labels == ["bad", "good"] and "bad, good" in said(found, "label_names_file")


def test_a_sorted_file_is_read_by_all_its_rows() -> None:
    columns = {
        "rec": lambda n: f"R{'bad' if n < 2400 else 'good'}{n:05d}",
        "remark": text,
        "verdict": lambda n: "bad" if n < 2400 else "good",
    }
    found = reading(columns, rows=4800)
    assert found.taken and found.taken.roles.output == "verdict" and found.labels == ["bad", "good"]


def test_labels_that_come_late_are_found() -> None:
    found = reading({"text": text, "label": lambda n: MOODS[n % 3] if n > 2600 else ...}, rows=4200)
    assert found.taken and found.taken.roles.output == "label" and found.answer == "label"


def test_the_first_rows_only_are_marked_as_a_sample() -> None:
    found = reading({"text": text, "label": MOODS}, rows=50)
    assert not found.sampled and found.rows == 50


def test_rows_on_one_context_are_kept_together() -> None:
    found = reading({"question": question, "answer": answer, "context": context})
    assert found.taken and found.taken.roles.group == "context" and "context" in said(found, "grouped")


def test_customers_are_named_as_a_group_and_not_taken() -> None:
    found = reading({"text": text, "label": MOODS, "customer_id": lambda n: f"c{n // 3}"})
    assert found.taken and found.taken.roles.group == "" and "customer_id" in said(found, "group")


def test_no_answer_one_class_and_the_direction_are_said() -> None:
    assert said(reading({"text": text}), "no_answers")
    assert said(reading({"text": text, "label": "ok"}), "one_label")
    assert "es" in said(reading({"en": text, "es": texto}), "direction")
    assert "rejected" in said(reading({"prompt": question, "chosen": answer, "rejected": text}), "preference")


def test_templates_name_the_columns_of_the_prompt() -> None:
    found = reading({"premise": context, "hypothesis": text, "label": [0, 1, 2]})
    assert found.taken and found.taken.template == "premise: {premise}\nhypothesis: {hypothesis}"
    found = reading({"question": question, "A": text, "B": answer, "C": long, "answer": ["A", "C", "B"]})
    assert found.taken and found.taken.template == "{question}\n\nA. {A}\nB. {B}\nC. {C}"
    found = reading({"instruction": question, "context": context, "response": answer})
    assert found.taken and found.taken.template == "{instruction}\n\n{context}"
