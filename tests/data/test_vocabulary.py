"""A cut tokenizer: the data's texts fall into the same pieces, any other text comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.vocabulary import Vocabulary, unsupported_tokenizer, used_token_ids
from tests.helpers import CHATML, tiny_dataset

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WILD = "¿Qué pasa, España? 你好 🎁👩‍👩‍👧 def f(x):\n\treturn x**2  \r\n شكرا \u0000"


def build_tokenizer(folder: Path, **model: Any) -> Path:
    """A byte-level BPE of 2,000 tokens learned from the source of this house, with a template in its post-processor."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=SPECIAL, initial_alphabet=alphabet)
    root = Path(__file__).parents[2]
    tokenizer.train([str(file) for file in sorted((root / "backend" / "data").glob("*.py"))], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A <|im_end|>", special_tokens=[("<|im_start|>", 1), ("<|im_end|>", 2)]
    )
    tokenizer.add_tokens(["<|late|>"])
    tokenizer.enable_padding(pad_id=2, pad_token="<|im_end|>")
    tokenizer.save(str(folder / "tokenizer.json"))
    if model.get("ignore_merges"):
        unmerged(folder / "tokenizer.json", "Ġitem")
    config: dict[str, Any] = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "chat_template": CHATML}
    config["added_tokens_decoder"] = {"2": {"content": "<|im_end|>"}, "2000": {"content": "<|late|>"}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return folder


def unmerged(file: Path, token: str) -> None:
    """Take away the merges that end in `token`."""
    content = json.loads(file.read_text("utf-8"))
    merges = content["model"]["merges"]
    content["model"]["merges"] = [pair for pair in merges if "".join(pair) != token]
    assert len(content["model"]["merges"]) < len(merges)
    file.write_text(json.dumps(content), "utf-8")


class Made:
    """A tokenizer, a dataset and what was cut for it."""

    def __init__(self, folder: Path, least: int = 512, **model: Any) -> None:
        self.whole = build_tokenizer(folder / "whole", **model)
        self.data = DataFolder(tiny_dataset(folder / "data"))
        self.known = Vocabulary(self.whole)
        self.kept = self.known.keep(used_token_ids(self.whole, self.data, lambda: None), least)
        self.out = folder / "cut"
        self.out.mkdir()
        self.known.write(self.kept, self.out)
        self.before, self.after = Encoder(self.whole), Encoder(self.out)

    def pieces(self, encoder: Encoder, text: str) -> list[str]:
        return [encoder.tokenizer.id_to_token(id_) for id_ in encoder.ids(text)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("vocabulary"))


def test_the_datas_texts_fall_into_the_same_pieces(made: Made) -> None:
    count = 0
    for split in ("train", "validation", "pool"):
        for row in made.data.rows(split):
            for ask in ("prompt", "answer"):
                before = made.before.prompt_ids(made.data.template, row) if ask == "prompt" else []
                before = before or made.before.answer_ids(row.output or "red")
                after = made.after.prompt_ids(made.data.template, row) if ask == "prompt" else []
                after = after or made.after.answer_ids(row.output or "red")
                assert [made.kept[id_] for id_ in after] == before
                count += 1
    assert count > 100


def test_the_size_is_the_wished_one_and_ids_have_no_gap(made: Made) -> None:
    assert len(made.kept) == 512 < len(made.known.ids)
    assert sorted(made.after.tokenizer.get_vocab().values()) == list(range(512))
    assert len(made.known.keep(set(), 513)) == 576
    assert made.known.keep(set(), 10_000) == sorted(made.known.ids.values())


@given(some.text())
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back(made: Made, text: str) -> None:
    for wild in (text, WILD + text):
        assert made.after.tokenizer.decode(made.after.ids(wild), skip_special_tokens=False) == wild


@given(
    some.lists(some.sampled_from(["red", " item", " green", "blue", "\n", "7", " thing", "the", "def "]), max_size=8)
)
@settings(max_examples=200, deadline=None)
def test_kept_tokens_are_merged_as_before(made: Made, words: list[str]) -> None:
    """Where all pieces of a text are kept with all their parts, nothing changes."""
    text = "".join(words)
    before = made.pieces(made.before, text)
    names = {made.known.tokens[id_] for id_ in made.kept}
    if all(made.known.parts(piece) <= names for piece in before):
        assert made.pieces(made.after, text) == before


def test_settings_that_name_ids_are_renumbered(made: Made) -> None:
    late = made.after.tokenizer.token_to_id("<|late|>")
    assert late == 511 and made.before.tokenizer.token_to_id("<|late|>") == 2000
    assert made.after.ids("a<|late|>")[-1] == late
    config = json.loads((made.out / "tokenizer_config.json").read_text("utf-8"))
    assert config["added_tokens_decoder"] == {"2": {"content": "<|im_end|>"}, "511": {"content": "<|late|>"}}
    content = json.loads((made.out / "tokenizer.json").read_text("utf-8"))
    assert {token["content"]: token["id"] for token in content["added_tokens"]}["<|late|>"] == late
    ids = made.after.tokenizer.encode("red").ids
    assert (ids[0], ids[-1]) == (1, 2)


def test_ids_of_a_post_processor_move_with_their_tokens(tmp_path: Path) -> None:
    """Special tokens at the end of the vocabulary, as other families have them."""
    folder = build_tokenizer(tmp_path / "whole")
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    content["post_processor"] = {"type": "RobertaProcessing", "sep": ["<|late|>", 2000], "cls": ["<|im_start|>", 1]}
    content["post_processor"] |= {"trim_offsets": True, "add_prefix_space": False}
    content["padding"] |= {"pad_id": 2000, "pad_token": "<|late|>"}
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    known = Vocabulary(folder)
    (tmp_path / "cut").mkdir()
    known.write(known.keep(set(), 320), tmp_path / "cut")
    cut = json.loads((tmp_path / "cut" / "tokenizer.json").read_text("utf-8"))
    assert cut["post_processor"]["sep"] == ["<|late|>", 319] and cut["padding"]["pad_id"] == 319
    assert Tokenizer.from_file(str(tmp_path / "cut" / "tokenizer.json")).encode("x").ids[-1] == 319


def test_whole_words_that_skip_the_merges_stay(tmp_path: Path) -> None:
    """Llama 3 takes a word that is in the vocabulary as it is: such a token may have no merges at all."""
    made = Made(tmp_path, ignore_merges=True)
    assert "Ġitem" in made.after.tokenizer.get_vocab()
    for row in made.data.rows("train"):
        after = made.after.prompt_ids(made.data.template, row)
        assert [made.kept[id_] for id_ in after] == made.before.prompt_ids(made.data.template, row)
    assert made.after.tokenizer.decode(made.after.ids(WILD), skip_special_tokens=False) == WILD


def test_other_tokenizers_are_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.Unigram([("a", -1.0), ("b", -2.0)], unk_id=0))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    wrong = unsupported_tokenizer(tmp_path)
    assert wrong and wrong.code == "cut.tokenizer" and "Unigram" in wrong.text()
    with pytest.raises(StudioError, match="Keep the full vocabulary"):
        Vocabulary(tmp_path)
    characters = Tokenizer(models.BPE(vocab={"a": 0, "b": 1, "ab": 2}, merges=[("a", "b")], byte_fallback=True))
    characters.save(str(tmp_path / "tokenizer.json"))
    assert unsupported_tokenizer(tmp_path)
