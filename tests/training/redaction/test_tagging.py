"""The tagger learns, exports, and is run by the worker's own class."""

import random
from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from models.artifact import MODEL, TOKENIZER
from models.redaction import Span
from models.redaction.onnx_tagger import OnnxTagger
from models.redaction.tag_words import WORD, WordReader
from tests.training import tiny_networks
from training.redaction import train
from training.redaction.figures import Labelled
from training.redaction.network import CLASSES, REACH, WordTagger, export
from training.redaction.tagging import Schedule, fit, tag_rows

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


def network(width: int = 16) -> WordTagger:
    torch.manual_seed(3)
    return WordTagger(torch.randn(tiny_networks.tokenizer().get_vocab_size(), 24), width)


def test_a_word_is_of_the_kind_of_the_span_that_it_touches() -> None:
    reader = WordReader(tiny_networks.tokenizer())
    rows = tag_rows(reader, [Labelled("a", "gate kinder, love", (Span(5, 11, "NAME"),)), Labelled("b", "12!", ())])
    assert [row.classes for row in rows] == [[0, CLASSES.index("NAME"), 0, 0]]
    assert rows[0].words.tolist() == reader.read("gate kinder, love", ["gate", "kinder", ",", "love"]).tolist()  # type: ignore[union-attr]


def test_a_text_is_read_the_same_beside_a_longer_one() -> None:
    model = network().eval()
    words = torch.randint(5, 60, (2, 12, 5))
    words[..., 4] %= 12
    mask = torch.ones((2, 12), dtype=torch.bool)
    mask[0, 5:] = False
    alone = model(words[:1, :5], mask[:1, :5])
    assert torch.allclose(model(words, mask)[0, :5], alone[0], atol=1e-5)


def test_a_word_depends_on_no_word_that_is_farther_than_the_reach() -> None:
    model = network().eval()
    words = torch.randint(5, 60, (1, 40, 5))
    words[..., 4] %= 12
    mask = torch.ones((1, 40), dtype=torch.bool)
    other = words.clone()
    other[0, 20] = torch.tensor([7, 0, 0, 0, 1])
    changed = (model(words, mask) - model(other, mask)).abs().sum(2)[0] > 1e-6
    assert changed.nonzero().flatten().tolist() == list(range(20 - REACH, 21 + REACH))


def tagger_in(folder: Path, model: WordTagger, common: list[str]) -> OnnxTagger:
    onnx.save(export(model), folder / MODEL)
    tiny_networks.tokenizer().save(str(folder / TOKENIZER))
    train._write(folder, train._manifest(folder, {}, common) | {"threshold": 0.5})
    return OnnxTagger(str(folder))


def test_the_file_gives_what_the_network_gives(tmp_path: Path) -> None:
    model = network().eval()
    torch.nn.init.normal_(model.own.weight, std=0.1)
    text = "when Love flies at the gate, 12 tickets are LOST"
    tagger = tagger_in(tmp_path, model, [])
    rows = tagger._reader.read(text, WORD.findall(text))
    assert rows is not None
    wanted = model(torch.from_numpy(rows)[None], torch.ones((1, len(rows)), dtype=torch.bool)).softmax(2)[0]
    # Weights in 8 bits: an error of a 254th of the greatest of each row.
    assert torch.allclose(torch.from_numpy(tagger._probabilities(rows)), wanted, atol=0.02)


def test_it_learns_and_its_file_tags_as_the_worker_does(tmp_path: Path) -> None:
    rows = tag_rows(WordReader(tiny_networks.tokenizer()), texts(600))
    log: list[dict[str, float]] = []
    trained = fit(network(), rows, Schedule(epochs=6, batch=32, rate=5e-3), seed=1, log=log.append)
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert log[-1]["mean_loss"] < 0.2 * log[0]["mean_loss"]
    assert tagger_in(tmp_path, trained, ["flight", "gate"]).tag(["when love gate", "flight gate", "great"]) == [
        [Span(5, 9, "NAME")],
        [],
        [Span(0, 5, "NAME")],
    ]


def test_the_same_seed_trains_the_same_weights() -> None:
    rows = tag_rows(WordReader(tiny_networks.tokenizer()), texts(64))
    weights = [fit(network(), rows, Schedule(epochs=1), seed=1, log=print).head.weight.detach() for _ in range(2)]
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
    dev = [Labelled("a", "gate love gate", (Span(5, 9, "NAME"),))]
    assert train._best_threshold(tmp_path, dev, {}) == 0.3
