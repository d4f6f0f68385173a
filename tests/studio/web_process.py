"""Real processes for tests: the web process alone, or a whole `slmops studio`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from backend.core.paths import ROOT

WHOLE = (sys.executable, "-c", "from backend.cli import main; main()", "studio")


class WebProcess:
    """`python -m studio.webapp.launch` on a free port (or a given one), ready when it prints its address."""

    command: tuple[str, ...] = (sys.executable, "-m", "studio.webapp.launch")

    def __init__(self, home: Path, *more: str, host: str = "127.0.0.1", port: int = 0, **env: str) -> None:
        self.process = subprocess.Popen(
            [*self.command, *more, "--host", host, "--port", str(port)],
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
        while not self._address() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        found = self._address()
        if found is None:
            self.stop()
            raise RuntimeError("the web process said: " + "\n".join(self.lines))
        self.port = int(found.group(1))
        self.url = f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _address(self) -> re.Match[str] | None:
        return re.search(r"http://\S+?:(\d+)", "\n".join(self.lines))

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


class StudioProcess(WebProcess):
    """`slmops studio`: web process, worker and host of models under their supervisor."""

    command = WHOLE

    def __init__(self, home: Path, *more: str, **env: str) -> None:
        super().__init__(home, *more, port=free_port(), **env)

    def kill(self, module: str) -> int:
        """Kill the process that runs this module, at once; returns the id that it had."""
        for child in psutil.Process(self.process.pid).children():
            if module in child.cmdline():
                child.kill()
                return child.pid
        raise AssertionError(f"nothing runs {module}")

    def running(self, module: str) -> int | None:
        """The id of the process that runs this module now."""
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # it has just ended
                if module in child.cmdline():
                    return child.pid
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
