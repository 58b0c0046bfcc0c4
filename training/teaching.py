"""The order of the models of a run: who is trained from whom, on what, and taught by whom."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertForMaskedLM

from training import adapt, bases, distill, finetune, loop, network
from training.config import Config, Student
from training.corpus import Corpus
from training.loop import Log
from training.network import Classifier
from training.run import Run

SMALL_LAYERS = (0, 2, 4)


def seeds(config: Config) -> Iterator[tuple[int, int]]:
    """Yield the number of each of a model's trainings and its seed."""
    for number in range(1, config.seeds + 1):
        yield number, config.seed + number - 1


def texts(data: Corpus) -> list[str]:
    """Return all text that may be learned from; the vocabulary is counted on it, and the tiny model adapted to it."""
    return [example.text for example in data.trained_on] + data.unlabelled


def train_teachers(run: Run, data: Corpus) -> None:
    """Train the general teacher and, from it, the domain's."""
    config = run.config

    def general(log: Log) -> tuple[Classifier, Tokenizer]:
        base, tokenizer = bases.load(bases.MINILM, texts(data), config.vocabulary)
        model = finetune.with_head(base.bert, config.seed)
        schedule, examples = config.general, data.general_train or data.domain_train
        return finetune.finetune(model, tokenizer, examples, data, schedule, config.seed, log), tokenizer

    run.once("general", general)
    for number, seed in seeds(config):

        def domain(log: Log, seed: int = seed) -> tuple[Classifier, Tokenizer]:
            model, tokenizer = run.model("general", "finetune")
            return finetune.finetune(model, tokenizer, data.domain_train, data, config.domain, seed, log), tokenizer

        run.once(f"teacher-{number}", domain)


def adapt_tiny(run: Run, data: Corpus) -> None:
    """Adapt the tiny base model to the domain's language."""

    def adapted(log: Log) -> tuple[Classifier, Tokenizer]:
        base, tokenizer = tiny(run, data)
        adapt.adapt(base, tokenizer, texts(data), run.config.adapt, run.config.seed, log)
        return finetune.with_head(base.bert, run.config.seed), tokenizer

    run.once("tiny-adapted", adapted)


def tiny(run: Run, data: Corpus) -> tuple[BertForMaskedLM, Tokenizer]:
    """Return the tiny base model as its package has it, its vocabulary pruned."""
    return bases.load(bases.TINY, texts(data), run.config.vocabulary)


def train_students(run: Run, data: Corpus, names: Sequence[str]) -> None:
    """Train the students ``names`` ("edge", or "edge-2" for the second of them alone), in the order given."""
    for name in names:
        kind, _, only = name.partition("-")
        student: Student = getattr(run.config, kind)
        for number, seed in seeds(run.config):
            if only in ("", str(number)):
                own = student.transfers is None or number <= student.transfers
                source = f"{kind}-transfer-{number if own else 1}"
                if not (run.folder / "models" / f"{kind}-{number}").is_dir():
                    run.once(source, partial(_transfer, run, data, kind, seed))
                    run.once(f"{kind}-{number}", partial(_specialise, run, data, kind, source, seed))


def first_of(run: Run, kind: str, seed: int) -> tuple[Classifier, Tokenizer]:
    """Return the untaught student of a ``kind``."""
    if kind == "edge":
        model, tokenizer = run.model("tiny-adapted", "adapt")
        return finetune.with_head(model.encoder, seed), tokenizer
    model, tokenizer = run.model("general", "finetune")
    return (distill.keep_layers(model, SMALL_LAYERS) if kind == "small" else model), tokenizer


def _transfer(run: Run, data: Corpus, kind: str, seed: int, log: Log) -> tuple[Classifier, Tokenizer]:
    model, tokenizer = first_of(run, kind, seed)
    rows = domain_rows(run, data, tokenizer) * distill.DOMAIN_COPIES
    rows += distill.other_rows(
        tokenizer,
        data,
        lessons(run, "general_train", [example.text for example in data.general_train]),
        lessons(run, "unlabelled", data.unlabelled),
    )
    measure = finetune.measure_on(tokenizer, data.domain_dev)
    return loop.fit(model, rows, getattr(run.config, kind).transfer, seed=seed, measure=measure, log=log), tokenizer


def _specialise(run: Run, data: Corpus, kind: str, source: str, seed: int, log: Log) -> tuple[Classifier, Tokenizer]:
    model, tokenizer = run.model(source, "distill")
    rows = domain_rows(run, data, tokenizer)
    measure = finetune.measure_on(tokenizer, data.domain_dev)
    return loop.fit(model, rows, getattr(run.config, kind).domain, seed=seed, measure=measure, log=log), tokenizer


def domain_rows(run: Run, data: Corpus, tokenizer: Tokenizer) -> list[loop.Row]:
    """Return the domain's labelled texts as training rows with the teachers' logits."""
    logits = lessons(run, "domain_train", [example.text for example in data.domain_train])
    return distill.taught(tokenizer, data.domain_train, logits)


def lessons(run: Run, split: str, examples: Sequence[str]) -> Tensor:
    """Return the teachers' logits ``[rows, 3]`` for a split of the corpus, kept in the run folder.

    General tweets are the general teacher's, all else the ensemble's of the domain teachers.
    """
    path = run.folder / "lessons" / f"{split}.pt"
    if path.exists():
        kept: Tensor = torch.load(path, weights_only=True)
        return kept
    names = ["general"] if split == "general_train" else [f"teacher-{number}" for number, _ in seeds(run.config)]
    logits = []
    for name in names:
        model, tokenizer = run.model(name, "finetune")
        logits.append(network.predict(model, network.encode(tokenizer, examples)) if examples else torch.empty(0, 3))
    path.parent.mkdir(exist_ok=True)
    result = distill.ensemble(logits)
    partial = path.with_suffix(".partial")
    torch.save(result, partial)
    partial.rename(path)
    return result
