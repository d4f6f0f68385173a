"""The one-click fixes: what changes, what goes, and what stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.data.gates.fixes import FIXES, Fixing, without_html

Apply = Callable[..., tuple[Fixing, dict[str, list[Row]]]]
LABELS = Template(system="Reply with one of: Red , green, red.", answer="label", labels=["Red ", "green", "red"])


@pytest.fixture
def apply(tmp_path: Path) -> Apply:
    def applied(
        *names: str, template: Template = LABELS, named: tuple[str, ...] = (), **rows: list[Row]
    ) -> tuple[Fixing, dict[str, list[Row]]]:
        folder = tmp_path / "data"
        folder.mkdir()
        write_template(folder, template)
        for split, some in rows.items():
            write_split(folder, split, some)
        fixing = Fixing(folder, tmp_path / "work", named=frozenset(named))
        for name in names:
            fixing.apply(name)
        made = DataFolder(fixing.folder)
        assert DataFolder(folder).template == template  # the old one stays
        return fixing, {split: list(made.rows(split)) for split in ("train", "validation", "test", "pool")}

    return applied


def row(id_: str, text: str, label: str = "red") -> Row:
    return Row(id=id_, input=text, output=label)


def test_the_training_row_goes_and_the_test_row_stays(apply: Apply) -> None:
    train = [row("a", "the quick brown fox jumps over it"), row("b", "a train to the sea leaves at nine")]
    validation = [row("v", "the quick brown fox jumps over it!")]
    test = [row("t", "The quick brown fox jumps over it now")]
    fixing, made = apply("drop_leaks", train=train, validation=validation, test=test)
    assert [each.id for each in made["train"]] == ["b"] and made["validation"] == [] and made["test"] == test
    assert fixing.counts == {"drop_leaks": {"train": 1, "validation": 1}}


def test_rejected_answers_are_masked_too(apply: Apply) -> None:
    worse = Row(id="n", input="Whom do I ask?", rejected="Ask ana.lopez@example.org.")
    fixing, _made = apply("mask_personal", template=Template(), train=[row("a", "b")], rejected=[worse])
    [found] = DataFolder(fixing.folder).rows("rejected")
    assert found.rejected == "Ask [EMAIL_1]." and fixing.counts["mask_personal"] == {"rejected": 1}


def test_labels_are_merged_everywhere_and_in_the_prompt(apply: Apply) -> None:
    train = [row("a", "one"), row("b", "two"), row("c", "three", "Red "), row("d", "four", "green")]
    pool = [Row(id="p", input="five", gold="Red ")]
    fixing, made = apply("merge_labels", train=train, pool=pool)
    assert [each.output for each in made["train"]] == ["red", "red", "red", "green"] and made["pool"][0].gold == "red"
    template = DataFolder(fixing.folder).template
    assert template.labels == ["green", "red"] and template.system == "Reply with one of: green, red."


def test_copies_go_and_the_first_stays(apply: Apply) -> None:
    near = "please switch the lamp in the corner of the office off"
    train = [
        row("a", "Hello there"),
        row("b", " hello THERE"),
        row("n1", near),
        row("n2", f"{near} now"),
        row("n3", near, "green"),
    ]
    fixing, made = apply("drop_duplicates", "drop_near_duplicates", train=train)
    assert [each.id for each in made["train"]] == ["a", "n1", "n3"]
    assert fixing.counts == {"drop_duplicates": {"train": 1}, "drop_near_duplicates": {"train": 1}}


def test_contradictions_empty_rows_and_named_rows_go(apply: Apply) -> None:
    train = [
        row("a", "same thing"),
        row("b", "Same thing", "green"),
        row("e", "  "),
        row("x", "other"),
        row("k", "kept"),
    ]
    _fixing, made = apply("drop_rows", "drop_empty", "drop_contradictions", named=("x",), train=train)
    assert [each.id for each in made["train"]] == ["k"]


def test_texts_are_repaired_and_labels_stay(apply: Apply) -> None:
    damaged = Row(
        id="a", input="la espaÃ±ola <b>aquí</b>", output="espaÃ±a", context=[{"role": "user", "content": "aÃ±o"}]
    )
    template = Template(answer="label", labels=["espaÃ±a"])
    _fixing, made = apply("repair_encoding", "strip_html", template=template, train=[damaged])
    (found,) = made["train"]
    assert found.input == "la española aquí" and found.context[0]["content"] == "año" and found.output == "espaÃ±a"


def test_free_answers_are_repaired_too(apply: Apply) -> None:
    _fixing, made = apply("repair_encoding", template=Template(), train=[Row(id="a", input="x", output="espaÃ±a")])
    assert made["train"][0].output == "españa"


def test_masks_are_the_same_in_all_splits(apply: Apply) -> None:
    train, test = [row("a", "ana@example.com and bob@example.com")], [row("t", "BOB@example.com")]
    fixing, made = apply("mask_personal", train=train, test=test)
    assert made["train"][0].input == "[EMAIL_1] and [EMAIL_2]" and made["test"][0].input == "[EMAIL_2]"
    assert fixing.counts == {"mask_personal": {"train": 1, "test": 1}}
    stored = [file.read_text("utf-8") for file in fixing.folder.iterdir()]
    assert not any("example.com" in text for text in stored)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>Hello <b>you</b></p><p>there&nbsp;&amp; here</p>", "Hello you\nthere & here"),
        ("<script>alert(1)</script>one<br>two", "one\ntwo"),
        ("if a < b and b > c", "if a < b and b > c"),
    ],
)
def test_html_becomes_text(text: str, plain: str) -> None:
    assert without_html(text) == plain


def test_every_fix_leaves_clean_rows_as_they_are(apply: Apply) -> None:
    train = [row("a", "a train to the sea leaves at nine"), row("b", "no bread is left in the shop", "green")]
    fixing, made = apply(*FIXES, train=train, test=[row("t", "who lives in the white house over there")])
    assert made["train"] == train and not any(fixing.counts.values())
