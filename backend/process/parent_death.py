"""Runs another program that ends (SIGTERM) when the caller dies.

`python -m backend.process.parent_death <caller's pid> PROGRAM ...`
The parent-death signal survives `exec`, so the program itself needs to know nothing of it (Linux; elsewhere it just runs).
"""

from __future__ import annotations

import os
import signal
import sys

from backend.core.programs import Programs, command
from backend.process.guards import die_with_parent

if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]), signal.SIGTERM)
    os.execv(sys.argv[2], sys.argv[2:])


def parent_bound_command() -> list[str]:
    """What to put before a command so that it ends with this process, whatever happens to it."""
    return command(Programs.TETHER, os.getpid())
