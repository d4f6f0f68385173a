"""What loading a model takes into a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.paths import ROOT

pytestmark = pytest.mark.ml

LOAD = """
import sys
from pathlib import Path
from backend.core.schemas import Kind
from backend.ml.compression import quantize
from backend.ml.inference.load import load_model
from tests.helpers import view
load_model(view(Path(sys.argv[1]), Kind.MODEL), lambda id: None)
print("peft" in sys.modules)
"""


def test_a_plain_model_is_loaded_without_peft(tiny_model: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tiny_model)], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False", done.stdout + done.stderr
