"""The samples: five small data sets that are shipped, one per goal, each in English and Spanish; see assets/examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.core.settings import Settings
from backend.files.uploads import Upload, receive_upload

LICENSE = "CC0-1.0"
LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class Sample:
    """`file`: its name in the folder of each language; `goal`: what it is for; `about`: what is in it, `rows` in all."""

    id: str
    file: str
    goal: str
    about: str
    icon: str
    rows: int


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "sort",
        "support-messages.csv",
        "Sort texts",
        "Shop messages with five labels.",
        "label",
        70,
    ),
    Sample(
        "answer",
        "plant-questions.jsonl",
        "Answer questions",
        "Questions about houseplants with short answers.",
        "forum",
        60,
    ),
    Sample(
        "extract",
        "orders.jsonl",
        "Extract fields",
        "Free-form orders with their fields as JSON.",
        "data_object",
        60,
    ),
    Sample(
        "style",
        "house-style.jsonl",
        "Write in our style",
        "Terse notes with friendly rewrites.",
        "edit_note",
        60,
    ),
    Sample(
        "distill",
        "reviews.csv",
        "Make a large model small",
        "Product reviews; a teacher labels 40 of them.",
        "compress",
        76,
    ),
)


def sample_path(sample: Sample, language: str) -> Path:
    """Its file; in English where a language has none."""
    return assets() / "examples" / (language if language in LANGUAGES else "en") / sample.file


def add_sample(settings: Settings, sample_id: str, language: str) -> Upload:
    """Put a copy among the uploads, as if it had been dropped. Raises StudioError when there is none or the disk is full."""
    sample = next((one for one in SAMPLES if one.id == sample_id), None)
    if sample is None:
        raise StudioError("files.upload_unknown", ref=sample_id)
    content = sample_path(sample, language).read_bytes()
    with receive_upload(settings, sample.file, len(content)) as incoming:
        incoming.write(content)
        return incoming.finish()
