"""A typed key goes from the keyring through the worker to its child on standard input, and nowhere else."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.core.schemas import State
from tests.helpers import PATIENCE, until
from tests.jobs.harness import ROOT, WorkerHarness
from tests.providers.fake_endpoint import FakeEndpoint
from tests.studio.builder import LABELS, StudioBuilder

pytestmark = pytest.mark.proc
KEY = "sk-typed-0123456789"
DEEP: dict[str, Any] = {
    "name": "deep",
    "preset": "deepseek",
    "url": "http://127.0.0.1:9/v1",
    "model": "m",
    "key_env": "",
}


def everything_in(*folders: Path) -> bytes:
    """All bytes of all files: databases with their journals, logs, manifests, job folders."""
    return b"".join(file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("end", ["", "error", "bug"])
def test_the_child_gets_it_on_stdin_and_nobody_else_sees_it(
    harness: WorkerHarness, keyring_file: Path, end: str
) -> None:
    studio = Studio(harness.settings)
    studio.save_endpoint(DEEP)
    studio.set_key("deep", KEY)
    assert KEY in json.loads(keyring_file.read_text("utf-8")).values()
    harness.start()
    run = harness.finish(harness.submit(harness.job("careless", "a", endpoint="deep", folder=end)))
    job = harness.job_of(run, "a")
    assert job.state is (State.FAILED if end else State.SUCCEEDED)
    ((_at, noted, _name, _pid),) = harness.trace()
    assert noted == f"key:{hashlib.sha256(KEY.encode()).hexdigest()}:False"
    held = everything_in(harness.settings.home)
    assert b"the key is \xe2\x80\xa6" in held or b"the key is \\u2026" in held, "the line is there, the key is not"
    assert "on stderr: …" in (harness.settings.logs / f"{job.id}.log").read_text("utf-8")
    assert KEY.encode() not in held


def test_a_teacher_asks_with_the_typed_key(home: Path, keyring_file: Path) -> None:
    builder = StudioBuilder(home)
    studio, data = builder.studio, builder.dataset(pool=3)
    argv = [sys.executable, "-m", "backend.jobs.worker"]
    with FakeEndpoint(key=KEY).running() as server:
        server.answer = lambda body: LABELS[0]
        studio.save_endpoint({**DEEP, "url": server.url})
        studio.set_key("deep", KEY)
        run = studio.start_stage("teacher", {"data": data.id, "endpoint": "deep", "splits": ["pool"]})
        with (studio.settings.logs / "worker.log").open("wb") as log:
            worker = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
        try:
            until(lambda: studio.run(run.id).jobs[0].state.ended)
        finally:
            worker.terminate()
            worker.wait(PATIENCE)
    (job,) = studio.run(run.id).jobs
    assert job.state is State.SUCCEEDED, job.error
    assert len(server.asked) == 3 and KEY not in json.dumps(job.model_dump(mode="json"))
    assert KEY.encode() not in everything_in(home)


def test_a_key_that_the_keyring_lost_or_locks_is_a_sentence(harness: WorkerHarness, keyring_file: Path) -> None:
    studio = Studio(harness.settings)
    studio.save_endpoint(DEEP)
    studio.set_key("deep", KEY)
    harness.start()
    keyring_file.with_name("locked").touch()
    run = harness.finish(harness.submit(harness.job("careless", "a", endpoint="deep")))
    error = harness.job_of(run, "a").error
    assert error and error.code == "keys.refused_by_keyring"
    keyring_file.with_name("locked").unlink()
    keyring_file.unlink()
    run = harness.finish(harness.submit(harness.job("careless", "b", endpoint="deep")))
    error = harness.job_of(run, "b").error
    assert error and error.code == "keys.gone"


OTHERS = {
    **dict.fromkeys(
        ("AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "SLMOPS_TOKEN", "SLMOPS_SERVE_KEY"), "secret-of-others"
    ),
    **{"GITHUB_TOKEN": "secret-of-others", "HF_TOKEN": "secret-of-the-hub", "MINE_API_KEY": "secret-of-mine"},
    **{
        "GATE_API_KEY": "secret-of-a-header",
        "HTTPS_PROXY": "http://me:secret-of-proxy@127.0.0.1:9",
        "MY_DRIVER": "driver",
    },
    **{"SLMOPS_EXTRA_VARIABLES": "MY_DRIVER, NOT_THERE", "OMP_NUM_THREADS": "1"},
}


@pytest.mark.parametrize(("stage", "endpoint"), [("nosy", ""), ("nosy", "mine"), ("nosy@hub", "")])
def test_a_child_has_the_secrets_of_its_own_job_only(
    harness: WorkerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, endpoint: str
) -> None:
    for name, value in OTHERS.items():
        monkeypatch.setenv(name, value)
    saved = {**DEEP, "name": "mine", "key_env": "MINE_API_KEY", "headers": {"X-Gate-Key": "${GATE_API_KEY}"}}
    Studio(harness.settings).save_endpoint(saved)
    harness.start()
    run = harness.finish(harness.submit(harness.job(stage, "a", endpoint=endpoint, folder=str(tmp_path / "found"))))
    assert harness.job_of(run, "a").state is State.SUCCEEDED, harness.job_of(run, "a").error
    found = json.loads((tmp_path / "found").read_text("utf-8"))
    held = found["environment"].replace("secret-of-proxy", "") if endpoint or "hub" in stage else found["environment"]
    assert "secret-of" not in held
    assert {"PATH", "HOME", "OMP_NUM_THREADS", "MY_DRIVER", "SLMOPS_HOME", "HF_HUB_OFFLINE"} <= set(found["names"])
    assert ("HTTPS_PROXY" in found["names"]) == bool(endpoint or "hub" in stage)
    assert found["hub"] == ("secret-of-the-hub" if "hub" in stage else None)
    if endpoint:
        assert found["endpoint"]["Authorization"] == "Bearer secret-of-mine"
        assert found["endpoint"]["X-Gate-Key"] == "secret-of-a-header"
