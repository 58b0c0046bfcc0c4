"""The teachers: a pruned MiniLM-L6, taught sentiment on general tweets, then the domain on airline ones.

Each is trained in two stages: the head alone on a frozen body, then all layers, the lower ones more slowly.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

from training.config.config import Schedule
from training.data.corpus import Corpus, Example
from training.learn import loop, network
from training.learn.network import Classifier
from training.measure.figures import classification


def with_head(encoder: BertModel, seed: int) -> Classifier:
    """A classifier on top of `encoder`; `seed` draws its head's first weights."""
    torch.manual_seed(seed)
    return Classifier(encoder)


def rows_of(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[loop.Row]:
    """`examples` as training rows without a teacher."""
    ids = network.encode(tokenizer, [example.as_read for example in examples])
    return [
        loop.Row(ids=row, target=example.target, weight=example.weight)
        for row, example in zip(ids, examples, strict=True)
    ]


def measure_on(tokenizer: Tokenizer, examples: Sequence[Example]) -> Callable[[Classifier], dict[str, float]]:
    """What `loop.fit` calls after an epoch: accuracy and macro F1 on `examples`."""
    rows = network.encode(tokenizer, [example.text for example in examples])
    labels = [example.label for example in examples]

    def measure(model: Classifier) -> dict[str, float]:
        return classification(network.predict(model, rows).numpy(), labels)

    return measure


def finetune(
    model: Classifier,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    data: Corpus,
    schedule: Schedule,
    seed: int,
    log: loop.Log,
    kept: Path | None = None,
) -> Classifier:
    """`model` trained on `examples`; the domain's dev split chooses the epoch. It goes on from `kept` as `loop.fit`."""
    rows = rows_of(tokenizer, examples)
    measure = measure_on(tokenizer, data.domain_dev)
    if kept is None or not kept.exists():
        loop.fit_head(model, rows, seed=seed)
        log({"stage_1_accuracy": measure(model)["accuracy"]})
    return loop.fit(model, rows, schedule, seed=seed, measure=measure, log=log, kept=kept)
