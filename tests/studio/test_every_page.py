"""Every page of the menu, in both languages, in a studio where nothing, something, a failure or everything has happened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.schemas import State
from studio.nav import NAV
from tests.e2e.homes import RUNS, fill
from tests.studio.conftest import Show, words
from tests.studio.house import House

TITLES = {
    "home": ("First project", "Primer proyecto"),
    "data": ("Data", "Datos"),
    "teacher": ("Teacher", "Maestro"),
    "distill": ("Distill", "Destilar"),
    "finetune": ("Fine-tune", "Ajustar"),
    "quantize": ("Quantize", "Cuantizar"),
    "playground": ("Playground", "Zona de pruebas"),
    "compare": ("Compare", "Comparar"),
    "jobs": ("Jobs", "Trabajos"),
    "models": ("Models", "Modelos"),
    "settings": ("Settings", "Ajustes"),
}
STAGES = {"data": "dataset", "run": "finetune", "home": "finetune", "jobs": "finetune", "compare": "evaluate"}
SHOWS_JOBS = {"home", "data", "teacher", "distill", "finetune", "quantize", "jobs", "run"}
