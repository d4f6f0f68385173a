"""The real program where things are not as a developer has them: folders, users, disks, ports, terminals, databases."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.core.settings import Settings
from backend.db import Store
from tests.helpers import PATIENCE, until
from tests.studio.web_process import free_port

pytestmark = [pytest.mark.proc, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
MAIN = "from backend.cli import main; main()"
NOBODY = (
    "setpriv",
    "--reuid=54321",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)
"""What runs a command as a user without an account, who may read all (the Python of root's home, say) and write nothing."""
root_only = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can be another user or mount a small disk"
)


def slmops(*words: str, code: str = MAIN, **options: Any) -> subprocess.CompletedProcess[str]:
    """`env`: beside the environment of the tests; None takes a variable away. The rest as `subprocess.run` takes it."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    env = {name: value for name, value in given.items() if value is not None}
    command = [*options.pop("who", ()), sys.executable, "-c", code, *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, env=env, text=True, timeout=240, check=False, **streams)


def refused(done: subprocess.CompletedProcess[str], *words: str, code: int = 2) -> None:
    """It ended with one sentence that says these words."""
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may write to, outside pytest's own, which only its user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# paths


def test_paths_are_meant_from_the_caller_and_those_of_a_recipe_from_the_recipe(home: Path, tmp_path: Path) -> None:
    """The file is read by a child that starts in another folder."""
    folder = tmp_path / "mine"
    (folder / "recipes").mkdir(parents=True)
    rows = "".join(f"turn on lamp {n},on\nturn off lamp {n},off\n" for n in range(20))
    for place in ("rows.csv", "recipes/beside.csv"):
        (folder / place).write_text(f"question,label\n{rows}")
    (folder / "recipes/r.yaml").write_text(
        "name: r\nstages:\n  - {id: data, stage: dataset, params: {source: beside.csv}}\n"
    )
    read = slmops("datasets", "import", "rows.csv", "--dry-run", "--json", cwd=folder)
    assert read.returncode == 0, read.stderr
    env = {"SLMOPS_HOME": "of-mine"}
    quoted = slmops("run", "recipes/r.yaml", "--quote", "--json", cwd=folder, env=env)
    assert quoted.returncode == 0 and "data" in json.loads(quoted.stdout)["stages"], quoted.stderr
    from_here = slmops("run", "recipes/r.yaml", "--quote", "--set", "data.source=rows.csv", cwd=folder, env=env)
    assert from_here.returncode == 0, from_here.stderr
    missing = slmops("run", "recipes/r.yaml", "--quote", "--set", "data.source=beside.csv", cwd=folder, env=env)
    refused(missing, str(folder / "beside.csv"))
    done = slmops("run", "recipes/r.yaml", "--json", cwd=folder, env=env)  # worker and stage start elsewhere, too
    assert done.returncode == 0, done.stderr
    assert (folder / "of-mine/studio.sqlite").is_file() and not (ROOT / "of-mine").exists()


def test_a_folder_that_is_gone_ends_in_one_sentence(home: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os, shutil; os.chdir({str(gone)!r}); shutil.rmtree({str(gone)!r})\n{MAIN}"
    refused(slmops("datasets", "import", "rows.csv", code=code), "The folder you are in was deleted")


def test_homes_as_people_write_them(tmp_path: Path) -> None:
    env: dict[str, str | None] = {"HOME": str(tmp_path / "user"), "XDG_DATA_HOME": None}
    (tmp_path / "user").mkdir()
    empty = slmops("endpoints", "list", "--json", cwd=tmp_path, env={**env, "SLMOPS_HOME": ""})
    assert empty.returncode == 0 and not (tmp_path / "studio.sqlite").exists()
    assert (tmp_path / "user/.local/share/slmops-studio/studio.sqlite").is_file()
    tilde = slmops("endpoints", "list", "--json", cwd=tmp_path, env={**env, "SLMOPS_HOME": "~/data"})
    assert tilde.returncode == 0 and (tmp_path / "user/data/studio.sqlite").is_file()
    refused(slmops("endpoints", "list", env={**env, "SLMOPS_HOME": "~nobody-of-that-name/x"}), "no home folder for")
    refused(slmops("endpoints", "list", env={**env, "SLMOPS_CHAT_IDLE_SECONDS": "soon"}), "SLMOPS_CHAT_IDLE_SECONDS")


# users and disks


@root_only
def test_a_user_without_an_account_and_without_a_home(open_folder: Path) -> None:
    bare: dict[str, str | None] = dict.fromkeys(("HOME", "USER", "LOGNAME", "SLMOPS_HOME", "XDG_DATA_HOME"))
    refused(slmops("endpoints", "list", env=bare, cwd="/", who=NOBODY), "no home folder", "SLMOPS_HOME")
    recipe = "name: r\nstages:\n  - {id: data, stage: dataset, params: {source: 'demo:smart-home', max_rows: 200}}\n"
    (open_folder / "r.yaml").write_text(recipe)
    ran = slmops("run", "r.yaml", "--json", env={**bare, "SLMOPS_HOME": "home"}, cwd=open_folder, who=NOBODY)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1])["status"] == "succeeded"


@root_only
@pytest.mark.parametrize("command", [("endpoints", "list"), ("studio",), ("worker",)])
def test_a_home_that_is_read_only(open_folder: Path, command: tuple[str, ...]) -> None:
    home = open_folder / "home"
    Store(Settings(home=home).prepare().store_url).engine.dispose()
    for folder in (home, *(each for each in home.iterdir() if each.is_dir())):
        folder.chmod(0o555)
    env = {"SLMOPS_HOME": str(home)}
    done = slmops(*command, env=env, cwd="/", who=NOBODY)
    refused(done, f"{home} can't be written", "SLMOPS_HOME")


@root_only
@pytest.mark.parametrize("command", [("endpoints", "list"), ("run", "quickstart", "--quote"), ("studio",)])
def test_a_home_on_a_full_disk(tmp_path: Path, command: tuple[str, ...]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = slmops(*command, env={"SLMOPS_HOME": str(disk / "home")})
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    refused(done, f"The disk with {disk}", "is full")


# ports


def test_a_studio_on_a_taken_port_ends(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(slmops("studio", "--port", str(port)), f"127.0.0.1:{port} can't be used")


def test_a_second_studio_on_one_home_ends(home: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", MAIN, "studio", "--no-worker", "--port", str(free_port())],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((home / "run/serve.json").exists)
        refused(slmops("studio", "--port", str(free_port())), "Another studio is running in", str(home))
        assert first.poll() is None
    finally:
        first.terminate()
        assert first.wait(PATIENCE) == 0


# terminals


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_terminal_without_all_letters(home: Path, env: dict[str, str]) -> None:
    Studio.open(home=home).create_project("Señal 信号")
    shown = slmops("projects", "list", env=env)
    assert shown.returncode == 0 and "Se\\xf1al" in shown.stdout, shown.stderr
    listed = json.loads(slmops("projects", "list", "--json", env=env).stdout)
    assert "Señal 信号" in [each["name"] for each in listed]


def test_an_output_that_nobody_reads(home: Path) -> None:
    end, start = os.pipe()
    os.close(end)
    for words in (("run", "--list"), ("projects", "list", "--json")):
        done = slmops(*words, stdout=start)
        assert (done.returncode, done.stderr) == (1, ""), words
    os.close(start)


def test_an_output_that_is_closed_is_no_file_of_ours(home: Path) -> None:
    """The next file that is opened takes the number of the closed stream: the database."""
    done = slmops("projects", "list", preexec_fn=lambda: os.close(1), stdout=None)
    assert (done.returncode, done.stderr) == (0, "")
    assert (home / "studio.sqlite").read_bytes()[:15] == b"SQLite format 3"
    assert slmops("projects", "list").returncode == 0


def test_ctrl_c_is_one_line_and_130() -> None:
    """Of a program in front: one that a shell started behind it does not hear Ctrl-C, and nor would its children."""
    code = (
        "import time; from backend.cli import app, main\n"
        "@app.command('wait')\n"
        "def wait(): print('here', flush=True); time.sleep(120)\n"
        "main()"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    pipes |= {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # type: ignore[dict-item]
    with subprocess.Popen([sys.executable, "-c", code, "wait"], text=True, env=env, **pipes) as waiting:  # type: ignore[call-overload]
        assert waiting.stdout.readline() == "here\n"
        waiting.send_signal(signal.SIGINT)
        assert (waiting.stderr.read(), waiting.wait(PATIENCE)) == ("Interrupted.\n", 130)


# the database


@pytest.fixture
def database(home: Path) -> Path:
    """That of a home that was used before."""
    store = Store(Settings(home=home).prepare().store_url)
    store.project()
    store.engine.dispose()
    return home / "studio.sqlite"


def test_a_database_of_a_newer_version(database: Path) -> None:
    with closing(sqlite3.connect(database)) as held:
        held.execute("update alembic_version set version_num = '9999'")
        held.commit()
    for words in (("projects", "list"), ("studio",), ("worker",)):
        refused(slmops(*words), str(database), "newer version", "9999", "Update SLMOps Studio")


@pytest.mark.parametrize("page", [0, 1])
def test_a_damaged_database_names_the_backup(database: Path, page: int) -> None:
    with closing(sqlite3.connect(database)) as held:
        held.execute("pragma wal_checkpoint(truncate)")
    content = bytearray(database.read_bytes())
    content[page * 4096 : page * 4096 + 4096] = b"\x07" * 4096
    database.write_bytes(content)
    refused(slmops("projects", "list"), str(database), "is damaged", "move the file away")
    database.with_name("studio.sqlite.before-0010").touch()
    refused(slmops("projects", "list"), "put studio.sqlite.before-0010 in its place")


def test_a_locked_database(database: Path) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("begin exclusive")
        refused(slmops("projects", "create", "second"), str(database), "is locked by another program")


@root_only
def test_a_database_that_can_not_be_written(open_folder: Path) -> None:
    store = Store(Settings(home=open_folder / "home").prepare().store_url)
    store.engine.dispose()
    for each in [open_folder / "home", *(open_folder / "home").rglob("*")]:
        each.chmod(0o777 if each.is_dir() else 0o444)
    env = {"SLMOPS_HOME": str(open_folder / "home")}
    done = slmops("projects", "create", "x", env=env, cwd="/", who=NOBODY)
    refused(done, "studio.sqlite", "can't be written")
