"""A real web process for tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

from backend.paths import ROOT


class Web:
    """`python -m studio.launch` on a free port (or a given one), ready when it prints its address."""

    def __init__(self, home: Path, *, host: str = "127.0.0.1", port: int = 0, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio.launch", "--host", host, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "SLMOPS_HOME": str(home), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + 60
        while not self.lines and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        found = re.search(r"http://\S+?:(\d+)", "\n".join(self.lines))
        if found is None:
            self.stop()
            raise RuntimeError("the web process said: " + "\n".join(self.lines))
        self.port = int(found.group(1))
        self.url = f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Exit status; killed after 10 s."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)
