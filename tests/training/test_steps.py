"""Each training step on a tiny network and a handful of made-up texts."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer  # noqa: E402
from tokenizers.models import WordPiece  # noqa: E402
from tokenizers.normalizers import BertNormalizer  # noqa: E402
from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: E402
from tokenizers.processors import TemplateProcessing  # noqa: E402

from models.artifact import load_artifact  # noqa: E402
from models.classifier import Classifier  # noqa: E402
from training import distill, export, finetune, loop, manifest, network, vocabulary  # noqa: E402
from training.corpus import Corpus, Example  # noqa: E402

WORDS = {
    0: ["awful", "late", "lost", "rude"],
    1: ["flight", "gate", "ticket", "when"],
    2: ["great", "thanks", "love", "kind"],
}
UNUSED = ["zebra", "##quux", "submarine"]


def tokenizer() -> Tokenizer:
    characters = [chr(code) for code in range(97, 123)]
    pieces = [*vocabulary.SPECIAL, *characters, *(f"##{char}" for char in characters), "@", "user", *UNUSED]
    pieces += [word for words in WORDS.values() for word in words]
    made = Tokenizer(WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))  # type: ignore[arg-type]
    made.normalizer = BertNormalizer()  # type: ignore[assignment]
    made.pre_tokenizer = BertPreTokenizer()  # type: ignore[assignment]
    made.post_processor = TemplateProcessing(  # type: ignore[assignment]
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.add_special_tokens(list(vocabulary.SPECIAL))
    return made


def build(size: int) -> network.Classifier:
    torch.manual_seed(3)
    return network.build(
        {
            "vocab_size": size,
            "hidden_size": 32,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "max_position_embeddings": 256,
        }
    )


def examples(count: int = 192) -> list[Example]:
    rng = random.Random(1)
    made = []
    for number in range(count):
        label = number % 3
        words = rng.choices(WORDS[label], k=rng.randint(1, 4)) + rng.choices(WORDS[1], k=rng.randint(0, 3))
        made.append(Example(str(number), "@user " + " ".join(words), label, agreement=0.9))
    return made


def corpus() -> Corpus:
    made = examples()
    return Corpus(made, [], made[:60], made[:60], made, made[:60])


@pytest.fixture(scope="module")
def trained() -> tuple[network.Classifier, list[dict[str, float]]]:
    pieces = tokenizer()
    logged: list[dict[str, float]] = []
    rows = finetune.rows_of(pieces, examples())
    measure = finetune.measure_on(pieces, examples(60))
    model = build(pieces.get_vocab_size())
    return loop.fit(model, rows, epochs=12, rate=3e-3, seed=1, measure=measure, log=logged.append), logged


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
        fitted = loop.fit(
            build(pieces.get_vocab_size()), rows, epochs=1, rate=1e-3, seed=seed, measure=measure, log=lambda _: None
        )
        return fitted.head.weight.tolist()

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_an_epoch_has_every_row_once_and_little_padding() -> None:
    rows = [loop.Row(ids=[1] * (1 + at % 40), target=[1, 0, 0]) for at in range(3_333)]
    batches = list(loop.batches(rows, random.Random(1)))
    assert sorted(id(row) for batch in batches for row in batch) == sorted(id(row) for row in rows)
    tokens = sum(len(row.ids) for row in rows)
    padded = sum(len(batch) * max(len(row.ids) for row in batch) for batch in batches)
    assert padded < 1.15 * tokens


def test_lower_layers_learn_more_slowly() -> None:
    groups = loop.parameter_groups(build(100), 1.0)
    rates = sorted({float(str(group["lr"])) for group in groups}, reverse=True)
    assert rates == pytest.approx([0.9**depth for depth in range(8)])  # the head, six layers, the embeddings


def test_a_student_starts_as_every_second_layer_of_its_teacher() -> None:
    teacher = build(100)
    student = distill.student_of(teacher)
    assert len(student.encoder.encoder.layer) == 3
    for layer, source in zip(student.encoder.encoder.layer, (0, 2, 4), strict=True):
        for mine, theirs in zip(layer.parameters(), teacher.encoder.encoder.layer[source].parameters(), strict=True):
            assert torch.equal(mine, theirs)
            assert mine is not theirs


def test_a_student_is_drawn_to_its_teacher() -> None:
    labelled = loop.Row(ids=[2, 3], target=(0.0, 0.0, 1.0))
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    alike = loop.loss_of(logits, [replace(labelled, teacher=(2.0, 0.0, -1.0))])
    unlike = loop.loss_of(logits, [replace(labelled, teacher=(-1.0, 0.0, 2.0))])
    alone = loop.loss_of(logits, [labelled])
    # Agreeing with the teacher leaves only the label's part of the loss.
    assert alike.item() == pytest.approx((1 - loop.TEACHER_WEIGHT) * alone.item(), rel=1e-5)
    assert unlike > alike


def test_a_pruned_vocabulary_gives_the_same_logits_on_text_that_it_covers() -> None:
    full, texts = tokenizer(), [example.text for example in examples(30)]
    pieces = vocabulary.choose_pieces(full, texts, size=200)
    pruned = vocabulary.prune_tokenizer(full, pieces)
    assert not set(UNUSED) & set(pruned.get_vocab())
    # In the old order, so the same in every run, and padding keeps the id 0 that the embedding table ignores.
    assert pieces == sorted(pieces, key=full.get_vocab().__getitem__)
    assert pruned.token_to_id("[PAD]") == 0
    whole = build(full.get_vocab_size())
    small = build(len(pieces))
    state = whole.state_dict()
    name = "encoder.embeddings.word_embeddings.weight"
    state[name] = state[name][[full.token_to_id(piece) for piece in pieces]]
    small.load_state_dict(state)
    before = network.predict(whole, network.encode(full, texts))
    after = network.predict(small, network.encode(pruned, texts))
    assert torch.allclose(before, after, atol=1e-6)


def test_a_pruned_vocabulary_knows_every_character_that_the_corpus_has() -> None:
    full = tokenizer()
    pieces = vocabulary.choose_pieces(full, ["awful flight"], size=60)
    pruned = vocabulary.prune_tokenizer(full, pieces)
    encoding = pruned.encode("wall fit")
    assert "[UNK]" not in encoding.tokens
    assert encoding.ids[0] == pruned.token_to_id("[CLS]")
    assert encoding.ids[-1] == pruned.token_to_id("[SEP]")


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning", "ignore::UserWarning")
def test_the_worker_answers_as_the_network_that_was_exported(
    tmp_path: Path, trained: tuple[network.Classifier, list[dict[str, float]]]
) -> None:
    folder, data = tmp_path / "edge", tmp_path / "data"
    for name in ("airline", "semeval"):
        (data / name).mkdir(parents=True)
        (data / name / "train.csv").write_text("id,text,label\n", "utf-8")
    export.export(trained[0], tokenizer(), folder)
    manifest.describe(folder, data, corpus(), seed=1)
    texts = [example.text for example in examples(60)]
    given = Classifier(load_artifact(str(folder))).score(texts)
    wanted = torch.softmax(network.predict(trained[0], network.encode(tokenizer(), texts)), dim=1).numpy()
    assert (given.argmax(axis=1) == wanted.argmax(axis=1)).mean() > 0.95
    assert np.abs(given - wanted).mean() < 0.05
