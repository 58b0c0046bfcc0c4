"""The tagger learns, exports, and is run by the worker's own class."""

import random
from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import BertConfig, BertModel

from models.artifact import MODEL, TOKENIZER
from models.redaction import Span
from models.redaction.onnx_tagger import OnnxTagger
from tests.training import tiny_networks
from training.artifacts import onnx_export, quantise
from training.learn.network import ATTENTION
from training.redaction import train
from training.redaction.figures import Labelled
from training.redaction.tagging import CLASSES, IGNORED, Schedule, TokenClassifier, fit, tag_rows

NAMES, OTHERS = ["kind", "love", "great"], ["flight", "gate", "ticket", "when"]


def texts(count: int) -> list[Labelled]:
    rng = random.Random(1)
    made = []
    for number in range(count):
        before = " ".join(rng.choices(OTHERS, k=rng.randint(0, 3)))
        name = rng.choice(NAMES)
        text = f"{before} {name} {rng.choice(OTHERS)}".strip()
        start = text.index(name)
        made.append(Labelled(str(number), text, (Span(start, start + len(name), "NAME"),)))
    return made


def test_a_piece_is_of_the_kind_of_the_span_that_it_touches() -> None:
    (row,) = tag_rows(tiny_networks.tokenizer(), [Labelled("a", "gate kinder", (Span(5, 11, "NAME"),))])
    name = CLASSES.index("NAME")
    assert row.capitals == [0] * len(row.ids)
    assert row.classes == [IGNORED, 0, *[name] * (len(row.ids) - 3), IGNORED]


def test_it_learns_and_its_int8_file_tags_as_the_worker_does(tmp_path: Path) -> None:
    tokenizer = tiny_networks.tokenizer()
    rows = tag_rows(tokenizer, texts(600))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=256, attn_implementation=ATTENTION,
    )  # fmt: skip
    log: list[dict[str, float]] = []
    model = TokenClassifier(BertModel(config, add_pooling_layer=False))
    trained = fit(model, rows, Schedule(epochs=6, batch=32, rate=5e-3), seed=1, log=log.append)
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert log[-1]["mean_loss"] < 0.2 * log[0]["mean_loss"]
    graph = onnx_export.export(trained, per_token=True)
    seen = quantise.observe(graph, [row.ids for row in rows[:50]], [row.capitals for row in rows[:50]])
    graph = quantise.int8s(graph, seen)
    onnx.save(graph, tmp_path / MODEL)
    tokenizer.save(str(tmp_path / TOKENIZER))
    train._write(tmp_path, train._manifest(tmp_path, {}, ["flight", "gate"]) | {"threshold": 0.5})
    assert OnnxTagger(str(tmp_path)).tag(["when love gate", "flight gate", "great"]) == [
        [Span(5, 9, "NAME")],
        [],
        [Span(0, 5, "NAME")],
    ]


def test_the_same_seed_trains_the_same_weights() -> None:
    rows = tag_rows(tiny_networks.tokenizer(), texts(64))
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        config = BertConfig(
            vocab_size=200, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        )
        trained = fit(
            TokenClassifier(BertModel(config, add_pooling_layer=False)), rows, Schedule(epochs=1), seed=1, log=print
        )
        weights.append(trained.head.weight.detach())
    assert torch.equal(*weights)


def test_the_threshold_is_that_of_the_best_f1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def tags(threshold: float) -> list[Span]:
        return {0.2: [Span(0, 4, "NAME"), Span(5, 9, "NAME")], 0.3: [Span(5, 9, "NAME")]}.get(threshold, [])

    class Tagger:
        def __init__(self, _: Path) -> None:
            pass

        def tag(self, given: list[str]) -> list[list[Span]]:
            return [tags(written[-1]) for _ in given]

    written: list[float] = []
    monkeypatch.setattr(train, "OnnxTagger", Tagger)
    monkeypatch.setattr(train, "_write", lambda _, manifest: written.append(manifest["threshold"]))
    aside = [Labelled("a", "gate love gate", (Span(5, 9, "NAME"),))]
    assert train._best_threshold(tmp_path, aside, {}) == 0.3
