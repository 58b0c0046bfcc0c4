"""The network itself: saved, read again, given a long text."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


from tests.training.tiny_networks import build, tokenizer
from training.config.config import Config
from training.learn import curriculum, network


def test_a_saved_network_comes_back_the_same(tmp_path: Path) -> None:
    pieces = tokenizer()
    model = build(pieces.get_vocab_size())
    network.save(model, pieces, tmp_path / "model")
    again, loaded = network.load(tmp_path / "model")
    rows = network.encode(loaded, ["@user awful", "great gate"])
    assert torch.equal(network.predict(model, rows), network.predict(again, rows))


def test_a_long_text_keeps_its_last_separator() -> None:
    pieces = tokenizer()
    (ids,) = network.encode(pieces, ["gate " * 400])
    assert len(ids) == network.MAX_TOKENS
    assert ids[-1] == pieces.token_to_id("[SEP]")


def test_two_processes_may_save_the_same_network_and_the_same_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces, texts = tokenizer(), ["late", "great"]
    model = build(pieces.get_vocab_size())
    run: Any = SimpleNamespace(folder=tmp_path, config=Config(data=tmp_path), model=lambda *_: (model, pieces))
    write = torch.save
    waiting: list[Callable[[], object]] = []

    def save(content: object, path: Path) -> None:
        write(content, path)
        if waiting:  # what the other process does meanwhile
            with monkeypatch.context() as other:
                other.setattr(os, "getpid", lambda: -1)
                waiting.pop()()

    monkeypatch.setattr(torch, "save", save)
    waiting.append(lambda: network.save(model, pieces, tmp_path / "model"))
    network.save(model, pieces, tmp_path / "model")
    waiting.append(lambda: curriculum.answers(run, "model", "distill", texts))
    expected = network.predict(model, network.encode(pieces, texts))
    assert torch.equal(curriculum.answers(run, "model", "distill", texts), expected)
    assert [path.suffix for path in (tmp_path / "answers").iterdir()] == [".pt"]
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["config.json", "model.pt", "tokenizer.json"]


def test_answers_that_are_there_are_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = tokenizer()
    model = build(pieces.get_vocab_size())
    run: Any = SimpleNamespace(folder=tmp_path, config=Config(data=tmp_path), model=lambda *_: (model, pieces))
    monkeypatch.setattr(curriculum, "ANSWERED_AT_ONCE", 2)
    texts = ["late", "great", "gate", "kind", "lost"]
    asked: list[int] = []
    curriculum.answers(run, "model", "distill", texts[:4])
    predict = network.predict

    def counted(model: network.Classifier, rows: list[list[int]]) -> Any:
        asked.append(len(rows))
        return predict(model, rows)

    monkeypatch.setattr(network, "predict", counted)
    found = curriculum.answers(run, "model", "distill", texts)
    assert asked == [1]  # the run was stopped after four
    assert torch.allclose(found, predict(model, network.encode(pieces, texts)), atol=1e-6)
    assert curriculum.answers(run, "model", "distill", []).shape == (0, 3)
