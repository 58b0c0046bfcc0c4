"""The network itself: saved, read again, given a long text."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


from tests.training.tiny_networks import build, tokenizer
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
    pieces, answers = tokenizer(), torch.zeros(2)
    model, run = build(pieces.get_vocab_size()), SimpleNamespace(folder=tmp_path)
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
    waiting.append(lambda: curriculum.cached(run, "test", lambda: answers))  # type: ignore[arg-type]
    assert torch.equal(curriculum.cached(run, "test", lambda: answers), answers)  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "answers", "config.json", "model", "model.pt", "test.pt", "tokenizer.json",
    ]  # fmt: skip
