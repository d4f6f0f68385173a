"""Answers kept by content."""

from __future__ import annotations

import json
from pathlib import Path

from backend.generation.answerer import sampling_identity
from backend.generation.audition import _read
from backend.generation.cache import AnswerCache, prompt_key
from backend.inference.protocol import Sampling

ASK = [{"role": "user", "content": "¿sí?"}]


def test_an_answer_is_found_again_by_another_process_like_reader(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path, {"model": "a"})
    cache.keep(prompt_key(ASK), "sí")
    again = AnswerCache(tmp_path, {"model": "a"})
    assert again.find([prompt_key(ASK), "other"]) == {prompt_key(ASK): "sí"}


def test_another_teacher_or_sampling_shares_nothing(tmp_path: Path) -> None:
    AnswerCache(tmp_path, {"model": "a"}).keep("p", "x")
    assert AnswerCache(tmp_path, {"model": "b"}).find(["p"]) == {}


def test_an_answer_keeps_its_confidence_where_there_is_one(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path, {"model": "a"})
    cache.keep("sure", "x", 0.25)
    cache.keep("mute", "y")
    assert [cache.confidence(each) for each in ("sure", "mute", "other")] == [0.25, None, None]


def test_an_answer_that_was_cut_off_stays_so_and_older_files_open(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path, {"model": "a"})
    cache.keep("old", "x")
    cache._db.execute("drop table cut")  # as it was before
    again = AnswerCache(tmp_path, {"model": "a"})
    again.keep("long", "y", truncated=True)
    assert [again.truncated(each) for each in ("old", "long", "other")] == [False, True, False]
    again.keep("long", "z")
    assert not again.truncated("long") and again.find(["old"]) == {"old": "x"}


def test_the_seed_counts_only_when_something_is_drawn() -> None:
    assert sampling_identity(Sampling(seed=1)) == sampling_identity(Sampling(seed=2))
    assert sampling_identity(Sampling(seed=1, temperature=1)) != sampling_identity(Sampling(seed=2, temperature=1))


def test_a_cache_of_timed_answers_of_version_0_1_is_read(tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    file.write_text(
        json.dumps({"key": "k", "text": "red", "seconds": 0.5, "tokens": 1, "usd": 0, "cut": True}) + "\n", "utf-8"
    )
    assert _read(file)["k"].truncated and _read(file)["k"].kept
