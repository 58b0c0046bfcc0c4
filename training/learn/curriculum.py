"""The order of a run's models: which is trained from which, on what texts, and which teaches it."""

import copy
import hashlib
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertForMaskedLM, BertModel, MPNetModel

from models.artifact import load_artifact
from models.classifier import Classifier as Worker
from schemas.errors import UsageError
from training.config.config import Config, Kind, Schedule, Student
from training.data.corpus import CALLS, Corpus, Example, sets_of
from training.learn import adapt, bases, distill, finetune, loop, network, prune, readback
from training.learn.loop import Log
from training.learn.network import Classifier
from training.learn.run import Run
from training.measure.figures import Scores

T = TypeVar("T")

Lessons = Callable[[str, Sequence[str]], Tensor]
"""Takes a split's name and its texts, returns a teacher's logits `[rows, 3]`."""

SMALL_LAYERS = (0, 2, 4)

IMPORTANCE_TEXTS = 1024
"""So many of the texts that a pruned student learns from show what matters in its layers."""

ANSWERED_AT_ONCE = 8192

LARGE = "large-1"
"""The domain's teacher on a larger base."""

GENERAL = {"teacher": "general", "large": "large-general"}
"""The general teacher of each kind of teacher."""


def seeds(config: Config) -> Iterator[tuple[int, int]]:
    """The number of each of a model's trainings, from 1, and its seed."""
    for number in range(1, config.seeds + 1):
        yield number, config.seed + number - 1


def teachers(config: Config) -> dict[str, list[str]]:
    """The names of the domain's teachers by kind: MiniLM's, one a seed, or the one on the larger base.

    An artifact that teaches is the general one and the domain's alike.
    """
    if config.teacher is not None:
        return {"teacher": [GENERAL["teacher"]]}
    if config.large is not None:
        return {"large": [LARGE]}
    return {"teacher": [f"teacher-{number}" for number, _ in seeds(config)]}


def texts(data: Corpus) -> list[str]:
    """All text that may be learned from; the vocabulary is counted on it, and the tiny model adapted to it."""
    return [example.text for example in data.trained_on] + data.unlabelled


def train_teachers(run: Run, data: Corpus) -> None:
    """Trains the general teacher and, from it, the domain's.

    With a larger base both are of that, and MiniLM's general one is what the students begin with. Where an artifact
    teaches, nothing is trained: its network is read back.
    """
    config = run.config
    if (folder := config.teacher) is not None:
        run.once(GENERAL["teacher"], lambda *_: readback.read_back(folder, dither=config.seed))
        return

    def minilm() -> tuple[BertModel, Tokenizer]:
        base, tokenizer = bases.load(bases.MINILM, texts(data), config.vocabulary)
        return base.bert, tokenizer

    if (large := config.large) is not None:  # first, so that a missing folder is reported at once

        def mpnet() -> tuple[MPNetModel, Tokenizer]:
            return bases.load_mpnet(config.data / large.folder, texts(data), config.vocabulary)

        _train_general(run, data, "large", mpnet, large.general)
        extra = _share(data.extra_train, large.extra, config.seed)
        # As often as a student reads them, or the extra texts would outweigh the domain's.
        domain = data.domain_train * (distill.DOMAIN_COPIES if extra else 1)
        _train_domain(run, data, "large", LARGE, domain + extra, large.domain, config.seed)
    _train_general(run, data, "teacher", minilm, config.general)
    if large is None:
        for number, seed in seeds(config):
            _train_domain(
                run, data, "teacher", f"teacher-{number}", data.domain_train + data.extra_train, config.domain, seed
            )


def _train_general(
    run: Run,
    data: Corpus,
    kind: str,
    base: Callable[[], tuple[BertModel | MPNetModel, Tokenizer]],
    schedule: Schedule,
) -> None:
    def general(log: Log, kept: Path) -> tuple[Classifier, Tokenizer]:
        encoder, tokenizer = base()
        model = finetune.with_head(encoder, run.config.seed)
        examples = data.general_train or data.domain_train
        return finetune.finetune(model, tokenizer, examples, data, schedule, run.config.seed, log, kept), tokenizer

    run.once(GENERAL[kind], general)


def _train_domain(
    run: Run, data: Corpus, kind: str, name: str, examples: Sequence[Example], schedule: Schedule, seed: int
) -> None:
    def domain(log: Log, kept: Path) -> tuple[Classifier, Tokenizer]:
        model, tokenizer = run.model(GENERAL[kind], "finetune")
        return finetune.finetune(model, tokenizer, examples, data, schedule, seed, log, kept), tokenizer

    run.once(name, domain)


def adapt_tiny(run: Run, data: Corpus) -> None:
    """Adapts the tiny base model to the domain's language."""

    def adapted(log: Log, _: Path) -> tuple[Classifier, Tokenizer]:
        base, tokenizer = tiny(run, data)
        adapt.adapt(base, tokenizer, texts(data), run.config.adapt, run.config.seed, log)
        return finetune.with_head(base.bert, run.config.seed), tokenizer

    run.once("tiny-adapted", adapted)


def tiny(run: Run, data: Corpus) -> tuple[BertForMaskedLM, Tokenizer]:
    """The tiny base model as its package has it, its vocabulary pruned."""
    return bases.load(bases.TINY, texts(data), run.config.vocabulary)


def train_students(run: Run, data: Corpus, names: Sequence[str]) -> None:
    """Trains the students `names` ("tiny", or "tiny-2" for the second of them alone), in the order given.

    Raises UsageError: a name is that of no student of this run; the error says which there are.
    """
    kinds = get_args(Kind)
    numbered = {f"{kind}-{number}" for kind in kinds for number, _ in seeds(run.config)}
    for name in names:
        if name not in {*kinds, *numbered}:
            raise UsageError(
                f"there is no student {name!r}: give {', '.join(kinds)}, or one with the number of a seed, from 1 to "
                f"{run.config.seeds}, as in tiny-1"
            )
    for name in names:
        kind, _, only = name.partition("-")
        for number, seed in seeds(run.config):
            if only in ("", str(number)):
                source = transfer_of(run.config, kind, number)
                # A transfer that several students share is the first's, whichever of them asks for it.
                first = seed if source == f"{kind}-transfer-{number}" else run.config.seed
                if not (run.folder / "models" / f"{kind}-{number}").is_dir():
                    run.once(source, partial(_transfer, run, data, kind, first))
                    run.once(f"{kind}-{number}", partial(_specialise, run, data, kind, source, seed))


def transfer_of(config: Config, kind: str, number: int) -> str:
    """The name of the transfer that the student of a `kind` with that `number` begins from."""
    student: Student = getattr(config, kind)
    return f"{kind}-transfer-{number if student.transfers is None or number <= student.transfers else 1}"


def first_of(run: Run, kind: str, seed: int) -> tuple[Classifier, Tokenizer]:
    """The untaught student of a `kind`, not pruned yet."""
    if kind == "tiny":
        model, tokenizer = run.model("tiny-adapted", "adapt")
        return finetune.with_head(model.encoder, seed), tokenizer
    by = getattr(run.config, kind).taught_by
    model, tokenizer = run.model("general", "finetune") if by is None else run.model(f"{by}-1", "distill")
    return (distill.keep_layers(model, SMALL_LAYERS) if kind == "small" else model), tokenizer


def _transfer(run: Run, data: Corpus, kind: str, seed: int, log: Log, kept: Path) -> tuple[Classifier, Tokenizer]:
    model, tokenizer = first_of(run, kind, seed)
    student: Student = getattr(run.config, kind)
    logits = lessons(run, kind)
    domain = domain_rows(data, tokenizer, logits) * distill.DOMAIN_COPIES
    rows = _share(domain, student.remembered, seed) + extra_rows(run, kind, data, tokenizer)
    if student.pruning is not None:
        seen = random.Random(seed).sample(rows, min(IMPORTANCE_TEXTS, len(rows)))
        model = prune.prune(model, seen, student.pruning)
    data = replace(
        data,
        general_train=_share(data.general_train, student.remembered, seed),
        unlabelled=_share(data.unlabelled, student.unlabelled, seed),
    )
    rows += distill.other_rows(
        tokenizer,
        data,
        logits("general_train", [example.as_read for example in data.general_train]),
        logits("unlabelled", data.unlabelled),
    )
    measure = finetune.measure_on(tokenizer, data.domain_dev)
    first = copy.deepcopy(model)
    last = loop.fit(model, rows, student.transfer, seed=seed, measure=measure, log=log, kept=kept)
    return distill.between(first, last, student.changed), tokenizer


def _share(items: list[T], share: float, seed: int) -> list[T]:
    """So many of `items`, drawn by `seed`; all of them in their order where `share` is 1."""
    return items if share == 1 else random.Random(seed).sample(items, round(share * len(items)))


def _specialise(
    run: Run, data: Corpus, kind: str, source: str, seed: int, log: Log, kept: Path
) -> tuple[Classifier, Tokenizer]:
    model, tokenizer = run.model(source, "distill")
    if (schedule := getattr(run.config, kind).domain) is None:
        return model, tokenizer
    rows = domain_rows(data, tokenizer, lessons(run, kind))
    if data.extra_train:
        # As often as in the transfer, or the extra texts would outweigh the domain's.
        rows = rows * distill.DOMAIN_COPIES + extra_rows(run, kind, data, tokenizer)
    measure = finetune.measure_on(tokenizer, data.domain_dev)
    return loop.fit(model, rows, schedule, seed=seed, measure=measure, log=log, kept=kept), tokenizer


def domain_rows(data: Corpus, tokenizer: Tokenizer, logits: Lessons) -> list[loop.Row]:
    """The domain's labelled texts as training rows with their teacher's `logits`."""
    read = [example.as_read for example in data.domain_train]
    return distill.taught(tokenizer, data.domain_train, logits("domain_train", read))


def extra_rows(run: Run, kind: str, data: Corpus, tokenizer: Tokenizer) -> list[loop.Row]:
    """The extra labelled texts as training rows, with their teacher's logits if it was trained on such texts too.

    Their labels are by hand or by rule: where a teacher is wrong about one, the label alone teaches.
    """
    labelled = finetune.rows_of(tokenizer, data.extra_train)
    if run.config.teacher is not None and getattr(run.config, kind).taught_by is None:
        return labelled
    read = [example.as_read for example in data.extra_train]
    logits = lessons(run, kind)("extra_train", read).tolist()
    return [
        replace(row, teacher=answer) if row.target[answer.index(max(answer))] == max(row.target) else row
        for row, answer in zip(labelled, logits, strict=True)
    ]


def lessons(run: Run, kind: str) -> Lessons:
    """What the students of a `kind` learn from beside labels: the teachers' logits, or those of the one that does."""
    if (by := getattr(run.config, kind).taught_by) is None:
        return partial(teacher_logits, run)
    return lambda _, examples: answers(run, f"{by}-1", "distill", examples)


def teacher_logits(run: Run, split: str, examples: Sequence[str]) -> Tensor:
    """The teachers' logits `[rows, 3]` for texts that are learned from.

    General tweets are the general teachers', all else the ensemble's of the domain's.
    """
    kinds = teachers(run.config)
    general = split == "general_train"
    names = [GENERAL[kind] for kind in kinds] if general else [name for each in kinds.values() for name in each]
    return distill.ensemble([answers(run, name, "finetune", examples) for name in names])


def measured(run: Run, data: Corpus) -> dict[str, list[dict[str, Scores]]]:
    """What each of the domain's teachers answers, by kind, on what is measured on: logits `[rows, 3]`, float32.

    Calls are left out: only an artifact says how it reads texts so long.
    """
    sets = {name: [each.text for each in examples] for name, examples in sets_of(data).items() if name != CALLS}
    return {
        kind: [
            {name: answers(run, teacher, "finetune", examples).numpy() for name, examples in sets.items()}
            for teacher in names
        ]
        for kind, names in teachers(run.config).items()
    }


def answers(run: Run, name: str, step: str, examples: Sequence[str]) -> Tensor:
    """A model's logits `[rows, 3]`, those of an artifact that teaches as a worker has them.

    They are kept in the run folder, so many at a time: the run goes on where it was stopped, and the evaluation needs
    no teacher's weights. `step` makes the model.
    """
    found = [torch.empty(0, 3)]
    for start in range(0, len(examples), ANSWERED_AT_ONCE):
        part = examples[start : start + ANSWERED_AT_ONCE]
        mark = hashlib.sha256(json.dumps(part).encode()).hexdigest()[:12]
        path = run.folder / "answers" / f"{name}_{mark}.pt"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}.partial")
            torch.save(_answer(run, name, step, part), unfinished)
            unfinished.replace(path)
        found.append(torch.load(path, weights_only=True))
    return torch.cat(found)


def _answer(run: Run, name: str, step: str, examples: Sequence[str]) -> Tensor:
    if run.config.teacher is not None and name == GENERAL["teacher"]:
        artifact = load_artifact(str(run.config.teacher))
        # Softmax ignores the constant a row by which these differ from the logits.
        scores = Worker(artifact, threads=torch.get_num_threads()).score(examples)
        return torch.from_numpy(scores).clamp(min=1e-7).log() * artifact.temperature
    model, tokenizer = run.model(name, step)
    return network.predict(model, network.encode(tokenizer, examples))
