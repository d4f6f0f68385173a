"""A corrected answer of the Playground becomes a row of the next version, and never one of a held-out row."""

from __future__ import annotations

import pytest

from backend.core.errors import StudioError
from studio.ui.playground import shared
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show
from tests.studio.test_playground import Host, send


def test_a_corrected_answer_joins_the_changes_of_a_dataset(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host()
    monkeypatch.setattr(shared, "ServeClient", lambda _settings: host)
    data, model = builder.dataset(), builder.model("one")
    at = send(show("playground", models=model.id), "switch it off")
    key = f"pg_correct_{model.id}"
    box = next(area for area in at.text_area if str(area.key).startswith(f"{key}_text"))
    assert box.value == "Hello there"
    box.set_value("HassTurnOff")
    at.button(key=f"{key}_add").click().run()
    (row,) = builder.studio.edits.plan(data.id).added("train")
    assert (row.input, row.output, row.tags) == ("switch it off", "HassTurnOff", ["corrected"])
    with pytest.raises(StudioError) as held_out:
        asked = builder.studio.rows(data.id, "test", 0, 1)[0].input
        builder.studio.edits.correct(data.id, f"  {asked.upper()}", "HassTurnOff")
    assert held_out.value.code == "edits.held_out"
