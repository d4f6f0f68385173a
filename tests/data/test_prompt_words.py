"""The words that the studio puts into prompts: in the language of the rows, said, changeable; old templates keep theirs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from backend.data.dataset import DataFolder, Template
from backend.data.inspect_source import inspect, preview
from backend.data.prompt_words import PROMPT_WORDS
from backend.generation.ensemble import EnsembleParams, with_rationale_request
from backend.jobs.context import MemoryContext
from backend.stages.dataset import STAGE
from tests.data.bad_files import json_lines

SAID = ("no llega el pedido a tiempo", "quiero devolver la compra", "¿cuándo abre la tienda de la calle Mayor?")
ROWS = [{"texto": f"{SAID[n % 3]} número {n}", "tipo": ("envío", "devolución", "horario")[n % 3]} for n in range(60)]


def built(tmp_path: Path, rows: list[dict[str, Any]] = ROWS, **params: Any) -> tuple[Template, list[str], str]:
    """(template, codes of the notes, system prompt as the preview shows it)."""
    source = tmp_path / "rows.jsonl"
    source.write_text(json_lines(rows), encoding="utf-8")
    parsed = STAGE.parse({"source": str(source), "near_duplicates": 0, **params})
    job = MemoryContext(tmp_path / "job", seed=0)
    STAGE.run(parsed, job)
    made = next(event for event in job.events if event["event"] == "artifact")
    codes = [note["code"] for note in made["manifest"]["facts"]["notes"]]
    assert ("data.prompt_spanish" in codes) == any(
        each.code == "data.prompt_spanish" for each in inspect(parsed).problems
    )
    template = DataFolder(Path(made["path"])).template
    shown = preview(parsed, 1)[0].text
    assert not template.system or template.system in shown, "the preview shows what will be"
    return template, codes, shown


def test_spanish_rows_have_a_spanish_prompt_and_that_is_said(tmp_path: Path) -> None:
    template, codes, _ = built(tmp_path)
    assert (template.system, template.language) == ("Responde con la etiqueta.", "es")
    assert "data.prompt_spanish" in codes


def test_it_is_changeable(tmp_path: Path) -> None:
    template, codes, _ = built(tmp_path, prompt_language="en")
    assert (template.system, template.language) == (
        "Reply with the label.",
        "en",
    ) and "data.prompt_spanish" not in codes
    (tmp_path / "own").mkdir()
    template, codes, _ = built(tmp_path / "own", system="Clasifica.")
    assert (template.system, template.language) == ("Clasifica.", "es") and "data.prompt_spanish" not in codes


def test_listed_and_several_labels(tmp_path: Path) -> None:
    template, codes, _ = built(tmp_path, list_labels=True)
    assert template.system == "Responde con una de estas etiquetas: devolución, envío, horario."
    assert "data.prompt_spanish" in codes
    several = [
        {"texto": row["texto"], "etiquetas": [("a", "b", "c")[n % 3]] + ["d"] * (n % 2)} for n, row in enumerate(ROWS)
    ]
    (tmp_path / "more").mkdir()
    template, _, _ = built(tmp_path / "more", several)
    assert template.system.startswith(
        "Responde con todas las etiquetas que correspondan, separadas por comas, o con none:"
    )


def test_english_rows_and_mixed_demo_keep_the_english_words(tmp_path: Path) -> None:
    rows = [{"text": f"please turn the {('lamp', 'heater')[n % 2]} {n} on", "label": "ab"[n % 2]} for n in range(60)]
    assert built(tmp_path, rows)[0].system == "Reply with the label."
    for languages, said in ((["es"], "Responde con la etiqueta."), (["en", "es"], "Reply with the label.")):
        parsed = STAGE.parse({"languages": languages, "max_rows": 300})
        assert said in preview(parsed, 1)[0].text


def test_rationales_are_asked_for_in_the_language_of_the_template() -> None:
    assert Template(language="es").for_rationale().user.endswith("Escribe solo los pasos que llevan a la respuesta.")
    prompt = [{"role": "user", "content": "¿Cuántos son?"}]
    params = EnsembleParams(model="m", rationale=True)
    asked = with_rationale_request(params, prompt, "es")[0]["content"]
    assert "Razona paso a paso" in asked and "Answer:" in asked
    own = params.model_copy(update={"rationale_request": "Piensa. {marker}"})
    assert with_rationale_request(own, prompt, "es")[0]["content"].endswith("Piensa. Answer:")


def test_a_template_of_before_keeps_its_words() -> None:
    old = Template.model_validate_json('{"system": "Reply with the label.", "answer": "label", "labels": ["a", "b"]}')
    assert old.language == "en" and old.for_rationale().user.endswith(PROMPT_WORDS["en"].rationale)


@pytest.mark.parametrize("field", PROMPT_WORDS["en"]._fields)
def test_every_language_has_the_same_places(field: str) -> None:
    places = {
        language: sorted(re.findall(r"\{\w+\}", getattr(words, field))) for language, words in PROMPT_WORDS.items()
    }
    assert places["en"] == places["es"]
