"""Reviews: the last word counts, everybody sees it, and what it says of the teacher is as sure as it can be."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from backend.api import reviews
from backend.api.reviews import ReviewCounts
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.data.dataset import Row
from backend.data.decisions import Decision, read_decisions
from backend.files import disk
from backend.stats.intervals import rows_needed, wilson_interval
from tests.studio.builder import LABELS, StudioBuilder


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


@pytest.fixture
def view(builder: StudioBuilder) -> ArtifactView:
    return builder.answers()


def say(builder: StudioBuilder, row: str, decision: str | None = "accept", **more: object) -> ReviewCounts:
    said = Decision.model_validate({"row": row, "decision": decision, **more})
    return builder.studio.reviews.save("dataset-answers", said)


def shown(builder: StudioBuilder, **asked: object) -> list[str]:
    return [row.id for row, _said in builder.studio.reviews.page("dataset-answers", **asked).rows]  # type: ignore[arg-type]


def test_the_last_word_counts_and_can_be_taken_back(builder: StudioBuilder, view: ArtifactView) -> None:
    assert say(builder, "p0").accepted == 1
    assert say(builder, "p0", "reject", rating=2, note="no").model_dump() == {
        "total": 30,
        "accepted": 0,
        "edited": 0,
        "rejected": 1,
        "doubtful_first": True,
    }
    assert say(builder, "p0", output=LABELS[1]).edited == 1
    ((row, said),) = builder.studio.reviews.page(view.id, "edited").rows
    assert row.id == "p0" and said == Decision(row="p0", decision="accept", output=LABELS[1])
    assert say(builder, "p0", None).reviewed == 0
    assert shown(builder)[0] == "p0"


def test_an_answer_as_the_teacher_wrote_it_is_no_correction(builder: StudioBuilder, view: ArtifactView) -> None:
    assert say(builder, "p0", output=f" {LABELS[0]} ").accepted == 1
    assert say(builder, "p1", "reject", output=LABELS[0]).rejected == 1
    assert builder.studio.reviews.page(view.id, "rejected").rows[0][1] == Decision(row="p1", decision="reject")


def test_what_does_not_fit_is_refused(builder: StudioBuilder, view: ArtifactView) -> None:
    model = builder.model()
    for dataset, row, output, code in (
        (view.id, "p99", None, "review.row_unknown"),
        (view.id, "v1", None, "review.row_unknown"),
        (view.id, "p1", "NoLabel", "review.label_unknown"),
        ("none", "p1", None, "core.artifact_unknown"),
        (model.id, "p1", None, "core.artifact_kind"),
        (builder.dataset().id, "0", None, "review.no_teacher"),
    ):
        with pytest.raises(StudioError) as error:
            builder.studio.reviews.save(dataset, Decision(row=row, decision="accept", output=output))
        assert error.value.code == code
    assert builder.studio.reviews.counts(view.id).reviewed == 0
    free = builder.answers("free", [Row(id="t", input="x", output="y")], labels=[])
    assert builder.studio.reviews.save(free.id, Decision(row="t", decision="accept", output="any text")).edited == 1


def test_pages_follow_the_order_and_what_is_decided_meanwhile_makes_no_gap(
    builder: StudioBuilder, view: ArtifactView
) -> None:
    first = builder.studio.reviews.page(view.id)
    assert [row.id for row, _ in first.rows] == [f"p{n}" for n in range(25)] and first.next == 25
    for n in range(26):
        say(builder, f"p{n}")
    assert shown(builder, start=first.next) == [f"p{n}" for n in range(26, 30)]
    assert shown(builder) == [f"p{n}" for n in range(26, 30)]
    everything = builder.studio.reviews.page(view.id, "all")
    assert len(everything.rows) == 25 and everything.rows[0][1] == Decision(row="p0", decision="accept")
    assert shown(builder, show="all", start=25) == [f"p{n}" for n in range(25, 30)]
    assert shown(builder, start=30) == [] == shown(builder, start=999)


def test_filters_by_what_people_said_and_by_label(builder: StudioBuilder, view: ArtifactView) -> None:
    (
        say(builder, "p0"),
        say(builder, "p1", "reject"),
        say(builder, "p2", output=LABELS[0]),
        say(builder, "p3", None, rating=3),
    )
    assert [shown(builder, show=show) for show in ("accepted", "rejected", "edited")] == [["p0"], ["p1"], ["p2"]]
    assert shown(builder, label=LABELS[1]) == [f"p{n}" for n in range(4, 30, 3)]
    assert "p3" in shown(builder) and shown(builder, label="none") == []


def test_long_rows_come_in_short_pages(builder: StudioBuilder) -> None:
    rows = [Row(id=f"p{n}", input="x" * 150_000, output="y") for n in range(5)]
    long = builder.answers("long", rows, labels=[])
    page = builder.studio.reviews.page(long.id)
    assert len(page.rows) == 2 and page.next == 2
    huge = builder.answers("huge", [Row(id="p", input="x" * 900_000, output="y")] * 1, labels=[])
    assert len(builder.studio.reviews.page(huge.id).rows) == 1


def test_everybody_sees_what_others_said_also_what_was_taken_back(builder: StudioBuilder, view: ArtifactView) -> None:
    moment = builder.studio.reviews.page(view.id).moment
    say(builder, "p0"), say(builder, "p1"), say(builder, "p1", None)
    found = builder.studio.reviews.changes(view.id, moment)
    assert {said.row: said.decision for said in found.said} == {"p0": "accept", "p1": None}
    assert found.counts.accepted == 1
    later = time.time() + reviews.OVERLAP_SECONDS
    assert builder.studio.reviews.changes(view.id, later).said == []


def test_two_that_decide_at_once_both_succeed(builder: StudioBuilder, view: ArtifactView) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: say(builder, f"p{n % 3}", "accept" if n % 2 else "reject"), range(24)))
    assert builder.studio.reviews.counts(view.id).reviewed == 3


def test_who_comes_second_with_the_first_word_on_a_row_is_heard_too(
    builder: StudioBuilder, view: ArtifactView, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = builder.store._save
    faster = Decision(row="p0", decision="reject")

    def late(dataset: str, said: Decision) -> None:
        monkeypatch.undo()
        save(dataset, faster)
        raise IntegrityError("insert", {}, Exception("unique"))

    monkeypatch.setattr(builder.store, "_save", late)
    assert say(builder, "p0").accepted == 1


def test_agreement_counts_a_corrected_answer_as_wrong_and_knows_how_sure_it_is() -> None:
    none = ReviewCounts(total=1000, accepted=0, edited=0, rejected=0, doubtful_first=False)
    assert none.agreement is None
    some = none.model_copy(update={"accepted": 30, "edited": 6, "rejected": 4}).agreement
    assert some and some.share == 0.75 and (some.low, some.high) == wilson_interval(30, 40) and not some.close
    assert some.needed == 289 and rows_needed(0.75, 0.05) == 289 and rows_needed(1.0, 0.05) == 73
    many = none.model_copy(update={"accepted": 360, "rejected": 40}).agreement
    assert many and many.close
    small = ReviewCounts(total=50, accepted=3, edited=0, rejected=3, doubtful_first=True).agreement
    assert small and small.needed == 50


def test_export_holds_what_was_said_with_its_rows(builder: StudioBuilder, view: ArtifactView) -> None:
    rows = [
        Row(id="a", input="=1+1", output="x"),
        Row(id="b", input="ñ", output="y"),
        Row(id="c", input="z", output="z"),
    ]
    free = builder.answers("free", rows, labels=[])
    for said in (Decision(row="a", decision="accept", output="-2", note="n"), Decision(row="b", decision="reject")):
        builder.studio.reviews.save(free.id, said)
    builder.studio.reviews.save(free.id, Decision(row="c"))
    lines = [json.loads(line) for line in b"".join(builder.studio.reviews.export(free.id, "jsonl")).splitlines()]
    assert [(line["row"], line["decision"], line["output"], line["answer"]) for line in lines] == [
        ("a", "accept", "-2", "x"),
        ("b", "reject", None, "y"),
    ]
    text = b"".join(builder.studio.reviews.export(free.id, "csv")).decode("utf-8-sig")
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert (table[0]["input"], table[0]["output"], table[1]["input"]) == ("'=1+1", "'-2", "ñ")
    with pytest.raises(StudioError, match="exe"):
        builder.studio.reviews.export(free.id, "exe")


def test_frozen_decisions_are_named_by_their_content(builder: StudioBuilder, view: ArtifactView) -> None:
    with pytest.raises(StudioError) as error:
        builder.studio.reviews.freeze(view.id)
    assert error.value.code == "review.none"
    say(builder, "p0"), say(builder, "p1", None)
    first = builder.studio.reviews.freeze(view.id)
    assert first == builder.studio.reviews.freeze(view.id) and list(read_decisions(first)) == ["p0"]
    say(builder, "p1", "reject")
    second = builder.studio.reviews.freeze(view.id)
    assert second != first and len(read_decisions(first)) == 1 and len(read_decisions(second)) == 2


def test_reviews_go_with_their_dataset(builder: StudioBuilder, view: ArtifactView) -> None:
    other = builder.answers("other")
    say(builder, "p0")
    builder.studio.reviews.save(other.id, Decision(row="p0", decision="accept"))
    file = builder.studio.reviews.freeze(view.id)
    kept = builder.studio.reviews.freeze(other.id)
    builder.studio.delete(view.id)
    assert len(builder.store.reviews(view.id)) == 1, "the trash keeps them"
    builder.studio.empty_trash()
    assert builder.store.reviews(view.id) == [] and len(builder.store.reviews(other.id)) == 1
    for folder in (file.parent, kept.parent):
        os.utime(folder, (0, 0))
    assert disk.garbage(builder.store, builder.studio.settings) == [file.parent]


def test_rows_that_were_written_again_are_read_again(builder: StudioBuilder, view: ArtifactView) -> None:
    assert builder.studio.reviews.counts(view.id).total == 30
    builder.studio.delete(view.id)
    shutil.rmtree(builder.studio.settings.jobs / "build-answers-answers", ignore_errors=True)
    builder.answers(rows=[Row(id="new", input="x", output=LABELS[0])])
    assert shown(builder) == ["new"]
