"""Gates that need a model's tokenizer: rows that a limit truncates, the model's own control tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.gates.check import Settings, check_folder
from backend.data.gates.model import Finding


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    """A token for each character, with a special one of its own."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[?]": 0}, unk_token="[?]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.add_special_tokens([AddedToken("@@turn@@", special=True), AddedToken("user", special=True)])
    folder = tmp_path / "model"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}), "utf-8")
    return Encoder(folder)


def found(folder: Path, rows: list[Row], settings: Settings) -> dict[str, Finding]:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    write_template(data, Template())
    write_split(data, "train", rows)
    return {each.gate: each for each in check_folder(data, settings).findings}


def test_rows_above_the_smaller_limit_are_counted(tmp_path: Path, encoder: Encoder) -> None:
    rows = [Row(id=f"r{n}", input="x" * n, output="yy") for n in range(1, 21)]
    tokens = found(tmp_path, rows, Settings(encoder=encoder, context=100, max_length=18))["tokens"]
    assert tokens.rows == ["r17", "r18", "r19", "r20"] and tokens.severity == "warning"
    assert (tokens.problem.args["limit"], tokens.problem.args["longest"]) == (18, 22)
    assert found(tmp_path, rows, Settings(encoder=encoder, context=10))["tokens"].severity == "error"
    assert "tokens" not in found(tmp_path, rows, Settings(encoder=encoder, context=100))


def test_the_models_own_control_tokens_are_found_and_plain_words_are_not(tmp_path: Path, encoder: Encoder) -> None:
    rows = [Row(id="own", input="a @@turn@@ b", output="c"), Row(id="word", input="the user said so", output="c")]
    assert found(tmp_path, rows, Settings(encoder=encoder))["control_tokens"].rows == ["own"]
    assert "control_tokens" not in found(tmp_path, rows, Settings())
