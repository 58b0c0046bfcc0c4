"""Each training step on a tiny network and a handful of made-up texts."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer  # noqa: E402
from tokenizers.models import WordPiece  # noqa: E402
from tokenizers.normalizers import BertNormalizer  # noqa: E402
from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: E402
from tokenizers.processors import RobertaProcessing, TemplateProcessing  # noqa: E402
from transformers import BertConfig, BertForMaskedLM, MPNetConfig, MPNetModel  # noqa: E402

from schemas.errors import UsageError  # noqa: E402
from training import adapt, bases, distill, finetune, loop, network, vocabulary  # noqa: E402
from training.config import Schedule  # noqa: E402
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
            "model_type": "bert",
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


def masked_language_model() -> BertForMaskedLM:
    torch.manual_seed(3)
    return BertForMaskedLM(
        BertConfig(
            vocab_size=tokenizer().get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=256,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation="eager",
        )
    )


def test_fifteen_percent_of_the_pieces_are_to_be_guessed() -> None:
    ids = torch.arange(0, 60).repeat(2_000, 1)
    shown, wanted = adapt.mask_tokens(ids, 60, torch.Generator().manual_seed(1))
    chosen = wanted != adapt.IGNORED
    assert not chosen[:, : loop.SPECIAL_IDS].any()
    assert torch.equal(wanted[chosen], ids[chosen])
    assert torch.equal(shown[~chosen], ids[~chosen])
    share = chosen[:, loop.SPECIAL_IDS :].float().mean().item()
    assert share == pytest.approx(0.15, abs=0.005)
    masked = (shown[chosen] == loop.MASK_ID).float().mean().item()
    kept = (shown[chosen] == ids[chosen]).float().mean().item()
    assert masked == pytest.approx(0.8, abs=0.01)
    # A tenth stays, and one in 55 of the tenth that is drawn anew is drawn the same.
    assert kept == pytest.approx(0.1 + 0.1 / 55, abs=0.01)


def test_adaptation_makes_the_domains_words_likelier_and_keeps_head_and_embeddings_tied() -> None:
    model, logged = masked_language_model(), []  # type: ignore[var-annotated]
    texts = [example.text for example in examples(300)]
    adapt.adapt(model, tokenizer(), texts, Schedule(epochs=6, rate=5e-3), 1, logged.append)
    perplexities = [entry["perplexity"] for entry in logged if "perplexity" in entry]
    assert len(perplexities) == 7
    assert perplexities[-1] < 0.5 * perplexities[0]
    table, decoder = model.bert.embeddings.word_embeddings.weight, model.cls.predictions.decoder.weight
    assert table.data_ptr() == decoder.data_ptr()


def test_a_text_beyond_the_adaptations_length_is_cut() -> None:
    model, logged = masked_language_model(), []  # type: ignore[var-annotated]
    seen: list[int] = []
    model.bert.register_forward_hook(lambda _module, _args, output: seen.append(output.last_hidden_state.shape[1]))
    adapt.adapt(model, tokenizer(), ["gate " * 300] * 60, Schedule(epochs=1, rate=1e-3), 1, logged.append)
    assert set(seen) == {adapt.LENGTH}


def test_lower_layers_learn_more_slowly() -> None:
    groups = loop.parameter_groups(build(100), 1.0)
    rates = sorted({float(str(group["lr"])) for group in groups}, reverse=True)
    assert rates == pytest.approx([0.9**depth for depth in range(8)])  # the head, six layers, the embeddings
    config = MPNetConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, vocab_size=100)
    model = finetune.with_head(MPNetModel(config, add_pooling_layer=False), seed=1)
    rate_of = {id(each): group["lr"] for group in loop.parameter_groups(model, 1.0) for each in group["params"]}  # type: ignore[attr-defined]
    assert rate_of[id(model.encoder.encoder.relative_attention_bias.weight)] == pytest.approx(0.9**3)


def test_a_student_starts_as_every_second_layer_of_its_teacher() -> None:
    teacher = build(100)
    student = distill.keep_layers(teacher, (0, 2, 4))
    assert len(student.encoder.encoder.layer) == 3
    for layer, source in zip(student.encoder.encoder.layer, (0, 2, 4), strict=True):
        for mine, theirs in zip(layer.parameters(), teacher.encoder.encoder.layer[source].parameters(), strict=True):
            assert torch.equal(mine, theirs)
            assert mine is not theirs


def test_an_ensemble_is_the_mean_of_log_probabilities() -> None:
    first, second = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 3.0]])
    taught = distill.ensemble([first, second + 100])  # a logit's level says nothing
    assert torch.allclose(taught, (first.log_softmax(-1) + second.log_softmax(-1)) / 2, atol=1e-5)


def test_what_has_no_label_gets_its_teachers_opinion() -> None:
    made = examples(6)
    data = Corpus("d", made[:1], [], [], [], "g", made[1:3], [], ["gate ticket", "when"], [])
    rows = distill.other_rows(tokenizer(), data, torch.tensor([[4.0, 5, 6], [7, 8, 9]]), torch.zeros(2, 3))
    assert [row.teacher for row in rows] == [[4, 5, 6], [7, 8, 9]] + [[0, 0, 0]] * 2
    assert rows[0].target == made[1].target
    assert rows[-1].target == pytest.approx([1 / 3] * 3)


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


def mpnet(folder: Path) -> Path:
    """Write the files of a tiny MPNet to ``folder``, as a hub has them."""
    torch.manual_seed(3)
    words = [word for words in WORDS.values() for word in words]
    characters = [chr(code) for code in range(97, 123)]
    # The published order: the mask comes last, the unknown piece is BERT's, and <unk> is there for nothing.
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *UNUSED, "[UNK]", *characters, *(f"##{char}" for char in characters)]
    pieces += ["@", "user", *words, "<mask>"]
    made = Tokenizer(WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))  # type: ignore[arg-type]
    made.normalizer = BertNormalizer()  # type: ignore[assignment]
    made.pre_tokenizer = BertPreTokenizer()  # type: ignore[assignment]
    made.post_processor = RobertaProcessing(sep=("</s>", 2), cls=("<s>", 0))  # type: ignore[assignment, call-arg]
    made.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])
    config = MPNetConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=514,
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    return folder


def test_a_pruned_mpnet_gives_the_same_on_text_that_it_covers(tmp_path: Path) -> None:
    texts = [example.text for example in examples()]
    full = Tokenizer.from_file(str(mpnet(tmp_path) / "tokenizer.json"))
    whole = MPNetModel.from_pretrained(tmp_path, add_pooling_layer=False).eval()
    model, pieces = bases.load_mpnet(tmp_path, texts, 200)
    assert pieces.get_vocab_size() == full.get_vocab_size() - len(UNUSED) - 1
    assert [pieces.id_to_token(at) for at in range(5)] == list(vocabulary.MPNET_SPECIAL)
    rows = network.encode(pieces, texts)
    assert {row[0] for row in rows} == {0}
    assert {row[-1] for row in rows} == {2}
    with torch.inference_mode():
        for row, text in zip(rows, texts, strict=True):
            theirs = whole(input_ids=torch.tensor([full.encode(text).ids])).last_hidden_state
            ours = model.eval()(input_ids=torch.tensor([row])).last_hidden_state
            assert torch.allclose(ours, theirs, atol=1e-5)
        classifier = finetune.with_head(model, seed=1).eval()
        alone = torch.cat([classifier(*network.pad([row])) for row in rows])
        assert torch.allclose(network.predict(classifier, rows).cpu(), alone, atol=1e-5)  # padded with its <s>


def test_what_is_no_mpnet_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^.+: no config\.json: `large\.folder` names a folder with an MPNet's [^\n]+$"
    ):
        bases.load_mpnet(tmp_path, ["a text"], 200)


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
