"""The tiny network reads the domain's text."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import BertConfig, BertForMaskedLM

from tests.training.tiny_networks import examples, tokenizer
from training.config.config import Schedule
from training.learn import adapt, loop


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
