"""The table of pages: the one place to add a page. A row is a file of `pages/`, its title, its icon and its section."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from backend.api import forms
from backend.core.paths import pages


@dataclass(frozen=True)
class NavPage:
    """`file` without suffix is also the address, whatever the language; `section` is empty for the top of the menu;
    a `hidden` page is reached by links only."""

    file: str
    title: str
    icon: str
    help: str
    section: str = ""
    default: bool = False
    hidden: bool = False

    @cached_property
    def path(self) -> Path:
        return pages() / self.file


BUILD, TRY, OPERATE = "Build", "Try", "Operate"

HOME = NavPage("home.py", "Home", ":material/home:", "Current work and next steps", default=True)
DATA = NavPage("data.py", "Data", ":material/table_view:", "From a file of examples to a dataset", BUILD)
TEACHER = NavPage("teacher.py", "Teacher", ":material/school:", "Label rows with a large model", BUILD)
REVIEW = NavPage("review.py", "Review", ":material/rate_review:", "Check the teacher’s answers", BUILD)
DISTILL = NavPage("distill.py", "Distill", ":material/filter_alt:", "Train a small student on the answers", BUILD)
FINETUNE = NavPage("finetune.py", "Fine-tune", ":material/tune:", "Train a model on your own answers", BUILD)
QUANTIZE = NavPage("quantize.py", "Quantize", ":material/compress:", "Shrink, speed up and package a model", BUILD)
PLAYGROUND = NavPage("playground.py", "Playground", ":material/forum:", "Compare two models side by side", TRY)
COMPARE = NavPage(
    "compare.py", "Compare", ":material/scatter_plot:", "Quality, speed, size and memory of all models", TRY
)
JOBS = NavPage("jobs.py", "Jobs", ":material/pending_actions:", "The queue, its logs and its workers", OPERATE)
MODELS = NavPage("models.py", "Models", ":material/deployed_code:", "All models, adapters and packages", OPERATE)
SETTINGS = NavPage("settings.py", "Settings", ":material/settings:", "Disk, machine, language", OPERATE)
HELP = NavPage("help.py", "Help", ":material/help:", "From a file to a model, in short chapters", OPERATE)
RUN = NavPage("run.py", "Run", ":material/account_tree:", "One run with its stages", hidden=True)
RESULT = NavPage("result.py", "Result", ":material/workspace_premium:", "What a run achieved", hidden=True)
NAV = (
    HOME,
    DATA,
    TEACHER,
    REVIEW,
    DISTILL,
    FINETUNE,
    QUANTIZE,
    PLAYGROUND,
    COMPARE,
    JOBS,
    MODELS,
    SETTINGS,
    HELP,
    RUN,
    RESULT,
)


def page_of(stage: str) -> NavPage:
    """The page with the form of a stage. Raises StopIteration where there is none."""
    return next(row for row in NAV if row.path.stem == forms.page_of(stage))
