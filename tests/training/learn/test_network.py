"""The network itself: saved, read again, given a long text."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


from tests.training.tiny_networks import build, tokenizer
from training.learn import network


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
