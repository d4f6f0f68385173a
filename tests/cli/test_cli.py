"""The command line: what it prints to whom, and that nothing heavy is loaded for a word of help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

from backend import stages
from backend.api import Studio
from backend.cli import main
from backend.cli.output import duration
from backend.cli.run import EXIT, finding_texts, overrides, summary
from backend.core.errors import Problem, StudioError
from backend.core.messages import MESSAGES, NOTES
from backend.core.schemas import State
from backend.core.settings import Settings
from backend.db import Store
from backend.db import tables as t
from tests.studio.builder import StudioBuilder
from tests.test_chain import slmops

HEAVY = ("torch", "transformers", "onnxruntime", "olive", "streamlit", "sqlalchemy", "dbos")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['slmops', '--help']\n"
        "from backend.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in ("studio", "run", "jobs", "models", "datasets", "evaluate", "doctor"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nothing.yaml"], "There is no recipe nothing.yaml"),
        (["jobs", "show", "j0"], "There is no job “j0”"),
        (["jobs", "cancel", "r0"], "There is no run “r0”"),
        (["models", "show", "nothing"], "There is no artifact “nothing”"),
        (["models", "import", "/nowhere"], "There is no artifact “/nowhere”"),
        (["datasets", "import", "/nowhere.csv"], "/nowhere.csv"),
        (["evaluate", "nothing", "--dataset", "d"], "There is no artifact “nothing”"),
        (["run", "quickstart", "--set", "x"], "--set x has no value"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["slmops", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and words in said.err and said.out == ""
    assert said.err.count("\n") == 1


def test_doctor_reports_every_needed_package() -> None:
    rows = json.loads(slmops("doctor", "--json").stdout)
    found = {row["what"]: row["state"] for row in rows}
    assert found["torch"] == found["database"] == found["built-in model"] == "ok"


def test_overrides_are_split_at_the_first_equals_sign() -> None:
    assert overrides(["a.b=c=d"]) == {"a.b": "c=d"}
    with pytest.raises(StudioError, match=r"nothing has no value|--set nothing"):
        overrides(["nothing"])


def test_durations() -> None:
    assert [duration(value) for value in (None, 5.4, 75, 3700)] == ["", "0:05", "1:15", "1:01:40"]


def test_the_summary_tells_errors_in_words(home: Path) -> None:
    store = Store(Settings().prepare().store_url)
    error = {"code": "core.disk_full", "args": {"path": "/data"}}
    job = t.Job(
        id="j", run_id="r", stage_id="tuned", stage="finetune", params={}, needs=[], state="failed", queue="cpu"
    )
    job.error = error
    made = summary(store.add_run("run", store.project(), {}, [job], "r"), Studio.open())
    assert made["status"] == "failed" and made["errors"]["tuned"].startswith("tuned: The disk with /data is full.")


def test_a_run_with_findings_has_an_exit_code_of_its_own(home: Path) -> None:
    store = Store(Settings().prepare().store_url)
    found = {"code": "core.disk_full", "args": {"path": "/data"}}
    job = t.Job(
        id="j", run_id="r", stage_id="int4", stage="quantize", params={}, needs=[], state="findings", queue="cpu"
    )
    job.result = {"artifact": "", "metrics": {}, "findings": [found]}
    run = store.add_run("run", store.project(), {}, [job], "r")
    assert run.state is State.FINDINGS and EXIT[run.state] == 3 and EXIT[State.SUCCEEDED] == 0
    assert finding_texts(run.jobs[0])[0].startswith("int4: The disk with /data is full.")


def test_every_message_has_words_and_a_remedy_and_can_be_filled() -> None:
    assert len(MESSAGES) > 50
    for code, (what, remedy) in MESSAGES.items():
        good_news = f"{code}_failed" in MESSAGES or code.startswith("reading.is_")
        assert what.strip() and (code in NOTES or bool(remedy.strip()) != good_news), code
        names = {name for _, name, _, _ in Formatter().parse(what + remedy) if name}
        assert Problem(code=code, args=dict.fromkeys(names, "x")).text()


def test_every_stage_is_in_the_registry_once() -> None:
    assert list(stages.stages()) == list(stages.names())


def test_things_are_renamed_tagged_deleted_and_restored(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builder = StudioBuilder(home)
    made = builder.model("tickets-lora")
    run = builder.run("finetune", ("finetune", State.SUCCEEDED))

    def said(*words: str) -> str:
        assert call(*words) == 0
        found = capsys.readouterr()
        return found.out + found.err

    said("models", "rename", "tickets-lora", "best")
    said("models", "tag", "best", "ship", "spain")
    assert json.loads(said("models", "list", "--json"))[0]["tags"] == ["ship", "spain"]
    said("jobs", "rename", run, "The good one")
    said("jobs", "tag", run, "spain")
    assert "#1" in said("jobs", "list") and "The good one" in said("jobs", "list")
    assert "trash for 30 days" in said("models", "delete", "best")
    said("jobs", "delete", run)
    listed = said("storage", "trash")
    assert made.id in listed and run in listed and "Kept for 30 days." in listed
    said("datasets", "restore", "best")
    said("jobs", "restore", run)
    assert builder.studio.artifact("best").tags == ["ship", "spain"] and builder.studio.runs()
    said("models", "delete", made.id)
    assert "trash" in said("storage") and made.path.is_dir()
    said("storage", "trash", "--empty")
    assert not made.path.exists()


def call(*words: str) -> int:
    """The exit code of the command line, in this process."""
    from unittest.mock import patch

    with patch.object(sys, "argv", ["slmops", *words]):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0
