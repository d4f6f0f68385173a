"""What the charts of a search of hyperparameters write at their axes."""

from __future__ import annotations

from studio.ui.finetune.search_report import Report, parallel_chart

REPORT: Report = {
    "training": "finetune",
    "fields": ["learning_rate", "weight_decay"],
    "logs": ["learning_rate"],
    "trials": [
        {"state": "complete", "loss": loss, "values": {"learning_rate": loss / 100, "weight_decay": loss}}
        for loss in (0.5, 0.25)
    ],
}


def test_names_of_neighbouring_axes_take_two_lines_at_most() -> None:
    names = [axis["label"].split("<br>") for axis in parallel_chart(REPORT, "#000")["data"][0]["dimensions"]]
    assert [" ".join(lines) for lines in names] == ["Learning rate", "Weight decay", "Validation loss"]
    assert all(len(lines) == 2 for lines in names)
    assert max(len(line) for lines in names for line in lines) < 14
