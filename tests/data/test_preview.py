"""The preview shows the words and counts the tokens that a model gets."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers

from backend.data.chat_template import Encoder
from backend.data.inspect_source import preview
from backend.data.preview import preview_folder
from backend.jobs.context import MemoryContext
from backend.stages.dataset import STAGE
from tests.data.bad_files import csv_text
from tests.helpers import CHATML


def encoder(folder: Path) -> Encoder:
    folder.mkdir()
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHATML, encoding="utf-8")
    return Encoder(folder)


def test_source_is_rendered_with_the_chat_template(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(csv_text(), encoding="utf-8")
    coder = encoder(tmp_path / "model")
    rows = preview(STAGE.parse({"source": str(path)}), 3, coder)
    assert [row.id for row in rows] == ["r2", "r3", "r4"]
    assert rows[0].text == (
        "<|im_start|>system\nReply with the label.<|im_end|>\n<|im_start|>user\nexample number 0<|im_end|>\n"
        "<|im_start|>assistant\neven<|im_end|>"
    )
    tokens = len(coder.ids(rows[0].text))
    assert (rows[0].prompt_tokens or 0) + (rows[0].answer_tokens or 0) == tokens > 10


def test_without_a_model_the_roles_are_words(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(csv_text(), encoding="utf-8")
    row = preview(STAGE.parse({"source": str(path), "system": "Odd?", "user": "Q: {input}"}), 1)[0]
    assert row.text == "system: Odd?\nuser: Q: example number 0\nassistant: even" and row.prompt_tokens is None


def test_stored_dataset_and_pool(tmp_path: Path, ctx: MemoryContext) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(csv_text(), encoding="utf-8")
    made = STAGE.run(STAGE.parse({"source": str(path), "labelled_rows": 10}), ctx)
    folder = tmp_path / "job" / "artifacts" / "dataset" / made.artifact
    assert len(preview_folder(folder, "train", 4, encoder(tmp_path / "model"))) == 4
    assert preview_folder(folder, "pool", 1)[0].text.endswith("assistant: ")
