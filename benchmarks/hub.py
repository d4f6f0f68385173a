"""A large download whose connection is cut, and whose process is killed: `python -m benchmarks.hub [--bytes N] [--cuts 3]`.

A file of random safetensors weights (1 GB) comes from a hub of our own over loopback, by the same call as the stage `download`.
The connection is cut `--cuts` times, each time half-way through what is left; then a second download is ended by SIGKILL when
half of it has arrived, and begun again. Printed for both: seconds, bytes that the hub sent, and how many of them were sent
again; the hashes must be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backend.models import hub
from tests.models.fake_hub import FakeHub, serving, sha256_of

NAME = "model.safetensors"
BLOCK = 1 << 22


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--cuts", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where there is room for three times the bytes")
    parser.add_argument("--into", type=Path, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.into:
        _download(asked.into)
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as work:
        weights = _random_weights(Path(work, NAME), asked.bytes)
        with serving(FakeHub({NAME: weights, "config.json": b"{}"})) as server:
            environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
            server.cuts[NAME] = asked.cuts
            _report(f"{asked.cuts} cuts", server, [_run(Path(work, "cut"), environment)], Path(work, "cut"))
            server.sent = 0
            killed = _run(Path(work, "killed"), environment, kill_at=asked.bytes // 2)
            _report("killed at half", server, [killed, _run(Path(work, "killed"), environment)], Path(work, "killed"))


def _download(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    hub.download(hub.details("acme/tiny"), folder, lambda done, total: None)


def _run(folder: Path, environment: dict[str, str], kill_at: int = 0) -> float:
    """Seconds of a download in a process of its own; with `kill_at` it is ended by SIGKILL when so many bytes are here."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.hub", "--into", str(folder)], env=environment)
    while child.poll() is None:
        time.sleep(0.05)
        if kill_at and folder.is_dir() and hub.bytes_here(folder) >= kill_at:
            child.send_signal(signal.SIGKILL)
            child.wait()
            return time.monotonic() - began
    if child.returncode:
        raise SystemExit(f"the download ended with {child.returncode}")
    return time.monotonic() - began


def _report(title: str, server: FakeHub, seconds: list[float], folder: Path) -> None:
    content = server.files[NAME]
    assert isinstance(content, Path)
    size = content.stat().st_size
    equal = sha256_of(folder / NAME) == sha256_of(content)
    again = server.sent - size
    took = " + ".join(f"{each:.1f} s" for each in seconds)
    print(
        f"{title}: {took}, {server.sent:,} bytes sent for {size:,}, {again:,} again, hashes equal: {equal}", flush=True
    )


def _random_weights(file: Path, size: int) -> Path:
    """A safetensors file of one tensor of about `size` random bytes."""
    count = size // 4
    head = json.dumps({"weight": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    head += b" " * (-len(head) % 8)
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(head)) + head)
        left = 4 * count
        while left:
            block = os.urandom(min(BLOCK, left))
            stream.write(block)
            left -= len(block)
    return file


if __name__ == "__main__":
    main()
