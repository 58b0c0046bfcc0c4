"""Base models with a vocabulary of their own."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer
from transformers import MPNetModel

from schemas.errors import UsageError
from tests.training.tiny_networks import UNUSED, build, examples, mpnet, tokenizer
from training.learn import bases, finetune, network, vocabulary


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


def test_a_pruned_mpnet_gives_the_same_on_text_that_it_covers(tmp_path: Path) -> None:
    texts = [example.text for example in examples()]
    full = Tokenizer.from_file(str(mpnet(tmp_path) / "tokenizer.json"))
    whole = MPNetModel.from_pretrained(tmp_path, add_pooling_layer=False).eval()
    model, pieces = bases.load_mpnet(tmp_path, texts, 200)
    assert pieces.get_vocab_size() == full.get_vocab_size() - len(UNUSED) - 1
    assert [pieces.id_to_token(at) for at in range(5)] == ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
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
