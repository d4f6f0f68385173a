"""Numbers, names, tags and the trash: what is given once, what stays on the disk, what may go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind, State
from backend.files import disk
from tests.studio.builder import StudioBuilder

DONE = ("dataset", State.SUCCEEDED)


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


def code(error: pytest.ExceptionInfo[StudioError]) -> str:
    return error.value.problems[0].code


def test_runs_count_within_their_project_and_no_number_is_given_twice(builder: StudioBuilder) -> None:
    for name, project in (("a", "one"), ("b", "two"), ("c", "one")):
        builder.run(name, DONE, project=project)
    assert {run.name: run.number for run in builder.studio.runs()} == {"a": 1, "b": 1, "c": 2}
    builder.studio.delete_run("r-c")
    builder.studio.empty_trash()
    builder.run("d", DONE, project="one")
    assert builder.studio.run("r-d").number == 3


def test_runs_that_start_at_once_get_different_numbers(builder: StudioBuilder) -> None:
    builder.store.project("default")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: builder.run(f"n{n}", DONE), range(12)))
    assert sorted(run.number for run in builder.studio.runs()) == list(range(1, 13))


def test_renamed_things_are_found_by_their_new_name(builder: StudioBuilder) -> None:
    made, other = builder.model("tuned"), builder.model("other")
    studio = builder.studio
    assert studio.rename("tuned", "  best   one ").name == "best one"
    assert studio.artifact("best one").id == made.id
    with pytest.raises(StudioError) as taken:
        studio.rename(other.id, "best one")
    assert code(taken) == "names.taken"
    for name, wanted in ((" ", "names.empty"), ("x" * 101, "names.long"), ("smollm2-135m-instruct", "names.builtin")):
        with pytest.raises(StudioError) as refused:
            studio.rename(other.id, name)
        assert code(refused) == wanted


def test_measurements_show_a_model_by_its_new_name(builder: StudioBuilder) -> None:
    data, made = builder.dataset(), builder.model("teacher")
    builder.evaluation(made, data, 0.5)
    builder.studio.rename(made.id, "big teacher")
    assert [one.model_name for one in builder.studio.evaluations()] == ["big teacher"]


def test_packages_of_one_name_are_versions(builder: StudioBuilder) -> None:
    builder.artifact(Kind.PACKAGE, "one")
    other = builder.artifact(Kind.PACKAGE, "two")
    assert builder.studio.rename(other.id, "one").name == "one"


def test_tags_are_cleaned_kept_and_found(builder: StudioBuilder) -> None:
    run, made = builder.run("a", DONE), builder.model("m")
    studio = builder.studio
    studio.tag(run, [" to  ship ", "To Ship", "español"])
    studio.add_tags([run, made.id], ["lora"])
    assert studio.run(run).tags == ["to ship", "español", "lora"] and studio.artifact(made.id).tags == ["lora"]
    assert studio.tags() == ["español", "lora", "to ship"]
    assert [each.id for each in studio.ended_runs(search="español")] == [run]
    studio.tag(run, [])
    assert studio.tags() == ["lora"] and studio.ended_runs(search="ship") == []
    for tag in ("", "a,b", "x" * 41):
        with pytest.raises(StudioError) as refused:
            studio.tag(run, [tag])
        assert code(refused) == "names.tag"


def test_automatic_names_get_a_number(builder: StudioBuilder) -> None:
    first = builder.model("tickets-lora", Kind.ADAPTER)
    free = builder.store.free_name
    assert free(Kind.ADAPTER, "tickets-lora", "adapter-new") == "tickets-lora-2"
    assert free(Kind.MODEL, "tickets-lora", "model-new") == "tickets-lora"
    assert free(Kind.ADAPTER, "tickets-lora", first.id) == "tickets-lora", "a second attempt keeps its name"
    builder.model("tickets-lora-2", Kind.ADAPTER)
    builder.studio.delete("tickets-lora-2")
    assert free(Kind.ADAPTER, "tickets-lora", "adapter-new") == "tickets-lora-3", "it may come back from the trash"


def test_what_was_deleted_is_gone_from_lists_but_not_from_the_disk(builder: StudioBuilder) -> None:
    base = builder.model("base")
    tuned = builder.model("tuned", parents=[base.id])
    studio = builder.studio
    with pytest.raises(StudioError) as used:
        studio.delete(base.id)
    assert code(used) == "core.artifact_used"
    assert studio.delete(base.id, with_descendants=True) == [tuned.id, base.id]
    assert studio.artifacts() == [] and base.path.is_dir()
    with pytest.raises(StudioError):
        studio.artifact("base")
    kept = studio.storage()
    assert kept.by_kind["trash"] == base.size_bytes + tuned.size_bytes and Kind.MODEL not in kept.by_kind
    assert disk.garbage(builder.store, studio.settings) == []
    assert sorted(studio.restore([tuned.id])) == [base.id, tuned.id], "with what it was made from"
    assert len(studio.artifacts()) == 2


def test_emptying_frees_the_disk_children_first_and_only_what_is_old_enough(builder: StudioBuilder) -> None:
    base = builder.model("base")
    tuned = builder.model("tuned", parents=[base.id])
    kept = builder.model("kept")
    studio = builder.studio
    studio.delete(tuned.id)
    assert studio.empty_trash(older_than_days=1) == 0 and tuned.path.is_dir()
    studio.delete(base.id)
    assert studio.empty_trash() == base.size_bytes + tuned.size_bytes
    assert not base.path.exists() and not tuned.path.exists() and kept.path.is_dir()
    assert studio.trash() == [] and studio.storage().by_kind["trash"] == 0


def test_the_trash_forgets_after_its_days(builder: StudioBuilder) -> None:
    old, young = builder.model("old"), builder.model("young")
    studio = builder.studio
    studio.set_trash_days(7)
    studio.delete_all([old.id, young.id])
    builder.store.set_trashed([old.id], datetime.now(UTC) - timedelta(days=8))
    studio.gc()
    assert [each.id for each in studio.trash()] == [young.id] and not old.path.exists()
    with pytest.raises(StudioError) as refused:
        studio.set_trash_days(0)
    assert code(refused) == "trash.days"


def test_runs_go_to_the_trash_with_their_curves_and_come_back(builder: StudioBuilder) -> None:
    run = builder.run("a", ("finetune", State.SUCCEEDED))
    builder.points(f"{run}-finetune", count=3)
    studio = builder.studio
    studio.delete_run(run)
    assert studio.runs() == [] and studio.ended_runs() == [] and studio.run(run).trashed
    studio.restore([run])
    assert [each.id for each in studio.runs()] == [run] and len(studio.points(f"{run}-finetune")) == 3
    studio.delete_run(run)
    studio.empty_trash()
    with pytest.raises(StudioError):
        studio.run(run)
    busy = builder.run("b", ("finetune", State.RUNNING))
    with pytest.raises(StudioError) as active:
        studio.delete_all([busy])
    assert code(active) == "core.run_active"


def test_several_go_together_or_not_at_all(builder: StudioBuilder) -> None:
    base = builder.model("base")
    tuned = builder.model("tuned", parents=[base.id])
    run = builder.run("a", DONE)
    studio = builder.studio
    with pytest.raises(StudioError) as used:
        studio.delete_all([run, base.id])
    assert code(used) == "core.artifact_used" and studio.runs() and len(studio.artifacts()) == 2
    measured = builder.evaluation(tuned, builder.dataset(), 0.5)
    gone = studio.delete_all([base.id, run, tuned.id])
    assert gone == [base.id, run, tuned.id, measured.id], "its measurement goes along"
    assert [view.kind for view in studio.artifacts()] == [Kind.DATASET]
    studio.delete("commands")
    assert not studio.runs() and not studio.artifacts()


def test_an_artifact_that_is_made_again_leaves_the_trash(builder: StudioBuilder) -> None:
    from backend.core.artifacts import read_manifest

    made = builder.model("m")
    builder.studio.delete(made.id)
    builder.store.add_artifact(read_manifest(made.path), made.path, made.project)
    assert [view.id for view in builder.studio.artifacts()] == [made.id]
