"""A network without the heads and neurons that matter least answers nearly as the whole one."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from torch import Tensor

from tests.training.tiny_networks import build, examples, tokenizer
from training.config.config import Pruning, Schedule
from training.learn import finetune, loop, network, prune

SILENT_HEADS, SILENT_NEURONS = (0, 2), range(0, 64, 2)
SIZE = 8
"""Dimensions of one of the network's four heads."""


def rows() -> list[loop.Row]:
    return finetune.rows_of(tokenizer(), examples(48))


def partly_silent() -> network.Classifier:
    """A network of which two heads and every other neuron of each layer say nothing."""
    model = build(tokenizer().get_vocab_size())
    with torch.no_grad():
        for layer in model.encoder.encoder.layer:
            for head in SILENT_HEADS:
                layer.attention.output.dense.weight[:, head * SIZE : (head + 1) * SIZE] = 0
            layer.output.dense.weight[:, list(SILENT_NEURONS)] = 0
    return model


def answers(model: network.Classifier) -> Tensor:
    return network.predict(model, [row.ids for row in rows()])


def test_what_says_nothing_matters_nothing() -> None:
    heads, neurons = prune.importance(partly_silent(), rows())
    assert len(heads) == len(neurons) == 6
    for of_heads, of_neurons in zip(heads, neurons, strict=True):
        assert [at for at, score in enumerate(of_heads) if score == 0] == list(SILENT_HEADS)
        assert [at for at, score in enumerate(of_neurons) if score == 0] == list(SILENT_NEURONS)


def test_without_what_says_nothing_a_network_answers_the_same() -> None:
    model = partly_silent()
    narrow = prune.prune(model, rows(), Pruning(heads=2, feed_forward=32))
    assert torch.allclose(answers(narrow), answers(model), atol=1e-5)
    sizes = {name: tuple(value.shape) for name, value in narrow.encoder.encoder.layer[5].named_parameters()}
    assert sizes["attention.self.query.weight"] == (16, 32)
    assert sizes["attention.output.dense.weight"] == (32, 16)
    assert sizes["intermediate.dense.weight"] == (32, 32)


def test_what_matters_stays_where_something_must_go() -> None:
    model = partly_silent()
    (least, *_), _ = prune.importance(model, rows())
    lost = int(torch.where(least > 0, least, torch.inf).argmin())
    narrow = prune.prune(model, rows(), Pruning(heads=1, feed_forward=32))
    kept = ({1, 3} - {lost}).pop()
    query = model.encoder.encoder.layer[0].attention.self.query.weight
    assert torch.equal(
        narrow.encoder.encoder.layer[0].attention.self.query.weight, query[kept * SIZE : (kept + 1) * SIZE]
    )
    assert not torch.allclose(answers(narrow), answers(model), atol=1e-5)


def test_word_vectors_of_full_rank_are_the_same_and_of_a_lower_one_are_near() -> None:
    model = partly_silent()
    whole = answers(prune.prune(model, rows(), Pruning(heads=2, feed_forward=32, embeddings=32)))
    assert torch.allclose(whole, answers(model), atol=1e-4)
    table = torch.randn(50, 4) @ torch.randn(4, 32)
    found, widest = prune.low_rank(table, torch.ones(50), 4)
    assert found.shape == (50, 4)
    assert torch.allclose(found @ widest.T, table, atol=1e-4)
    # Of what does not fit, the vectors that are counted most lose least.
    table, counts = torch.randn(50, 32), torch.ones(50)
    counts[:3] = 1e6
    found, widest = prune.low_rank(table, counts, 4)
    error = (found @ widest.T - table).norm(dim=1)
    assert error[:3].max() < 0.1 * error[3:].mean()


def test_a_pruned_network_is_saved_loaded_and_trained(tmp_path: Path) -> None:
    pieces = tokenizer()
    narrow = prune.prune(partly_silent(), rows(), Pruning(heads=2, feed_forward=32, embeddings=32))
    network.save(narrow, pieces, tmp_path / "model")
    again, _ = network.load(tmp_path / "model")
    assert torch.equal(answers(again), answers(narrow))
    before = loop.loss_of(answers(again), rows())
    fitted = loop.fit(
        again,
        rows(),
        Schedule(epochs=3, rate=3e-3),
        seed=1,
        measure=finetune.measure_on(pieces, examples(6)),
        log=lambda _: None,
    )
    assert loop.loss_of(answers(fitted), rows()) < before
