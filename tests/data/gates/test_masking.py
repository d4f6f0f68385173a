"""Masking: consistent placeholders in every part of a row."""

from __future__ import annotations

from backend.data.dataset import Row
from backend.data.gates.masking import Masker, masked
from backend.data.gates.personal import personal_data
from backend.data.gates.secrets import secrets


def test_one_person_has_one_placeholder_in_the_whole_dataset() -> None:
    masker = Masker(personal_data)
    first = masker.row(Row(id="1", input="I am ana@example.com, call 612 345 678", output="Thanks, ANA@example.com"))
    second = masker.row(Row(id="2", input="bob@example.com wrote to ana@example.com", output="+34612345678"))
    assert first.input == "I am [EMAIL_1], call [PHONE_1]" and first.output == "Thanks, [EMAIL_1]"
    assert second.input == "[EMAIL_2] wrote to [EMAIL_1]" and second.output == "[PHONE_1]"
    assert masker.counts == {"email": 4, "phone": 2}


def test_every_part_of_a_row_is_masked() -> None:
    mail = "ana@example.com"
    row = Row(
        id="1",
        input="x",
        output=mail,
        gold=mail,
        rejected=mail,
        rationale=mail,
        context=[{"role": "user", "content": [{"type": "text", "text": mail}]}],
        fields={"from": mail},
        tool_calls=[{"function": {"name": "send", "arguments": f'{{"to": "{mail}"}}'}}],
    )
    left = Masker(personal_data).row(row).model_dump_json()
    assert mail not in left and left.count("[EMAIL_1]") == 7


def test_a_label_stays() -> None:
    row = Masker(personal_data).row(Row(id="1", input="ana@example.com", output="ana@example.com"), answer=False)
    assert (row.input, row.output) == ("[EMAIL_1]", "ana@example.com")


def test_secrets_are_masked_and_shown_texts_hold_neither() -> None:
    text = "postgres://app:S3cretPwd99@db.example.com/x and mail ana@example.com"
    assert Masker(secrets).text(text) == "postgres://app:[SECRET_1]@db.example.com/x and mail ana@example.com"
    assert "S3cretPwd99" not in masked(text) and "ana@example.com" not in masked(text)
