"""One training run on a tiny network and a handful of made-up texts."""

import random
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import MPNetConfig, MPNetModel

from tests.training.tiny_networks import build, examples, tokenizer
from training.config.config import Schedule
from training.learn import finetune, loop, network


@pytest.fixture(scope="module")
def trained() -> tuple[network.Classifier, list[dict[str, float]]]:
    pieces = tokenizer()
    logged: list[dict[str, float]] = []
    rows = finetune.rows_of(pieces, examples())
    measure = finetune.measure_on(pieces, examples(60))
    model = build(pieces.get_vocab_size())
    schedule = Schedule(epochs=12, rate=3e-3)
    return loop.fit(model, rows, schedule, seed=1, measure=measure, log=logged.append), logged


def test_the_loss_falls_and_the_labels_are_learned(
    trained: tuple[network.Classifier, list[dict[str, float]]],
) -> None:
    epochs = [figures for figures in trained[1] if "mean_loss" in figures]
    assert epochs[-1]["mean_loss"] < 0.8 * epochs[0]["mean_loss"]
    assert epochs[-1]["accuracy"] > 0.9


def test_the_same_seed_gives_the_same_weights() -> None:
    pieces = tokenizer()
    rows = finetune.rows_of(pieces, examples(64))
    measure = finetune.measure_on(pieces, examples(6))

    def weights(seed: int) -> list[list[float]]:
        schedule = Schedule(epochs=1, rate=1e-3)
        model = build(pieces.get_vocab_size())
        fitted = loop.fit(model, rows, schedule, seed=seed, measure=measure, log=lambda _: None)
        return fitted.head.weight.tolist()

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


class StoppedError(Exception):
    """The machine went away."""


@pytest.mark.parametrize("texts", [150, 200], ids=["amid an epoch", "at its end, too"])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, texts: int) -> None:
    pieces = tokenizer()
    rows = finetune.rows_of(pieces, examples(texts))
    measure = finetune.measure_on(pieces, examples(60))
    schedule, kept = Schedule(epochs=3, rate=1e-3, batch=2), tmp_path / "kept"

    def fit(kept: Path | None, lines: int | None = None) -> tuple[network.Classifier, list[dict[str, float]]]:
        logged: list[dict[str, float]] = []

        def log(figures: dict[str, float]) -> None:
            logged.append({name: figure for name, figure in figures.items() if name != "seconds"})
            if len(logged) == lines:
                raise StoppedError

        model = build(pieces.get_vocab_size())
        return loop.fit(model, rows, schedule, seed=1, measure=measure, log=log, kept=kept), logged

    whole, all_logged = fit(None)
    with pytest.raises(StoppedError):
        fit(kept, 3)  # after 150 steps, or 200: the state is that of step 100
    again, logged = fit(kept)
    at_step_100 = next(at for at, figures in enumerate(all_logged, 1) if figures.get("step") == 100)
    assert logged == all_logged[at_step_100:]
    theirs = again.state_dict()
    assert all(torch.equal(ours, theirs[name]) for name, ours in whole.state_dict().items())


def test_the_best_epoch_may_be_one_before_the_stop(tmp_path: Path) -> None:
    pieces = tokenizer()
    rows = finetune.rows_of(pieces, examples(150))
    schedule, kept = Schedule(epochs=3, rate=1e-3, batch=2), tmp_path / "kept"

    def fit(accuracies: list[float], kept: Path | None, fails: bool = False) -> network.Classifier:
        waiting = iter(accuracies)

        def log(figures: dict[str, float]) -> None:
            if fails and figures.get("epoch") == 2 and "accuracy" in figures:
                raise StoppedError

        model = build(pieces.get_vocab_size())
        return loop.fit(
            model, rows, schedule, seed=1, measure=lambda _: {"accuracy": next(waiting)}, log=log, kept=kept
        )

    whole = fit([0.9, 0.5, 0.4], None)
    with pytest.raises(StoppedError):
        fit([0.9, 0.5], kept, fails=True)
    theirs = fit([0.5, 0.4], kept).state_dict()
    assert all(torch.equal(ours, theirs[name]) for name, ours in whole.state_dict().items())


def test_training_stops_when_dev_stands_still() -> None:
    pieces = tokenizer()
    rows = finetune.rows_of(pieces, examples(64))
    accuracies = iter([0.5, 0.7, 0.6, 0.7, 0.9, 0.9])
    logged: list[dict[str, float]] = []
    loop.fit(
        build(pieces.get_vocab_size()),
        rows,
        Schedule(epochs=6, rate=1e-3, patience=2),
        seed=1,
        measure=lambda _: {"accuracy": next(accuracies)},
        log=logged.append,
    )
    assert [entry["accuracy"] for entry in logged] == [0.5, 0.7, 0.6, 0.7]


def test_the_head_is_trained_alone_first() -> None:
    pieces = tokenizer()
    model = build(pieces.get_vocab_size())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    rows = finetune.rows_of(pieces, examples())
    ids = [row.ids for row in rows]
    loss = loop.loss_of(network.predict(model, ids), rows)
    loop.fit_head(model, rows, seed=1)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"head.weight", "head.bias"}
    assert loop.loss_of(network.predict(model, ids), rows) < loss


def test_the_head_learns_from_no_more_rows_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = tokenizer()
    read: list[int] = []

    def features(model: network.Classifier, rows: list[list[int]]) -> Any:
        read.append(len(rows))
        return network.features(model, rows)

    monkeypatch.setattr(loop, "features", features)
    monkeypatch.setattr(loop, "HEAD_ROWS", 20)
    for count in (12, 64):
        loop.fit_head(build(pieces.get_vocab_size()), finetune.rows_of(pieces, examples(count)), seed=1)
    assert read == [12, 20]


def test_hidden_tokens_are_a_tenth_and_never_special() -> None:
    ids = torch.arange(3, 50).repeat(400, 1)
    shown = loop.hide_tokens(ids, torch.Generator().manual_seed(1))
    assert torch.equal(shown[:, :2], ids[:, :2])
    hidden = shown[:, 2:] != ids[:, 2:]
    assert set(shown[:, 2:][hidden].tolist()) == {loop.MASK_ID}
    assert hidden.float().mean().item() == pytest.approx(loop.TOKEN_MASKING, abs=0.01)


def test_an_epoch_has_every_row_once_and_little_padding() -> None:
    lengths = [1 + at % 40 for at in range(3_333)]
    batches = loop.batches_of(lengths, 32, random.Random(1))
    assert sorted(index for batch in batches for index in batch) == list(range(3_333))
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)


def test_lower_layers_learn_more_slowly() -> None:
    groups = loop.parameter_groups(build(100), 1.0)
    rates = sorted({float(str(group["lr"])) for group in groups}, reverse=True)
    assert rates == pytest.approx([0.9**depth for depth in range(8)])  # the head, six layers, the embeddings
    config = MPNetConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, vocab_size=100)
    model = finetune.with_head(MPNetModel(config, add_pooling_layer=False), seed=1)
    rate_of = {id(each): group["lr"] for group in loop.parameter_groups(model, 1.0) for each in group["params"]}  # type: ignore[attr-defined]
    assert rate_of[id(model.encoder.encoder.relative_attention_bias.weight)] == pytest.approx(0.9**3)
