"""What each step bought the tiny model: the same network trained with and without it, on the same seeds."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.data.corpus import Corpus, Example
from training.learn import finetune, network
from training.learn.curriculum import seeds, tiny, transfer_of
from training.learn.loop import Log
from training.learn.network import Classifier
from training.learn.run import Run
from training.measure.figures import classification


def ablate(run: Run, data: Corpus) -> list[dict[str, object]]:
    """Trains the tiny network without a teacher, from the base and from the adapted weights, and compares on dev.

    Returns, and writes to `ablations.json`, one entry a variant: `what`, and `dev` (accuracy), `dev_f1` and, where
    there is a general set, `general` (macro recall on it), each a list with one value a seed. The models are kept in
    the run folder like all others.
    """
    variants: dict[str, Callable[[int], str]] = {
        "base weights, domain labels": lambda number: f"plain-domain-{number}",
        "adapted weights, domain labels": lambda number: f"adapted-domain-{number}",
        "distilled: all sets together": lambda number: transfer_of(run.config, "tiny", number),
        "distilled, then the domain alone": lambda number: f"tiny-{number}",
    }
    for number, seed in seeds(run.config):
        for start in ("plain", "adapted"):
            run.once(f"{start}-domain-{number}", partial(_train, run, data, start, seed))
    table: list[dict[str, object]] = [
        {"what": what, **_figures(run, data, [name(number) for number, _ in seeds(run.config)])}
        for what, name in variants.items()
    ]
    run.write("ablations.json", table)
    return table


def _train(run: Run, data: Corpus, start: str, seed: int, log: Log, kept: Path) -> tuple[Classifier, Tokenizer]:
    if start == "plain":
        base, tokenizer = tiny(run, data)
        encoder = base.bert
    else:
        adapted, tokenizer = run.model("tiny-adapted", "adapt")
        encoder = adapted.encoder
    model = finetune.with_head(encoder, seed)
    schedule = run.config.tiny.domain or run.config.tiny.transfer
    return finetune.finetune(model, tokenizer, data.domain_train, data, schedule, seed, log, kept), tokenizer


def _figures(run: Run, data: Corpus, names: list[str]) -> dict[str, list[float]]:
    measured = ("dev", "dev_f1", "general") if data.general_test else ("dev", "dev_f1")
    found: dict[str, list[float]] = {figure: [] for figure in measured}
    for name in names:
        model, tokenizer = run.model(name, "distill")
        on_dev = _measure(model, tokenizer, data.domain_dev)
        found["dev"].append(on_dev["accuracy"])
        found["dev_f1"].append(on_dev["macro_f1"])
        if data.general_test:
            found["general"].append(_measure(model, tokenizer, data.general_test)["macro_recall"])
    return {figure: np.round(values, 4).tolist() for figure, values in found.items()}


def _measure(model: Classifier, tokenizer: Tokenizer, examples: list[Example]) -> dict[str, float]:
    rows = network.encode(tokenizer, [example.text for example in examples])
    return classification(network.predict(model, rows).numpy(), [example.label for example in examples])
