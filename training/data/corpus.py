"""All texts of a run: read, split, each kept once, and proven free of anything that is later measured on."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from models.text import SPOKEN_BY, normalise
from schemas.records import LABELS, Role
from training.config.config import Config
from training.config.sources import CorpusError, Source, check_sources
from training.data import generator, suite
from training.data.grammar import load as load_grammar
from training.data.rows import Row, paths, rows
from training.data.suite import UNSURE

Split = Literal[
    "domain_train",
    "domain_sample",
    "domain_dev",
    "domain_test",
    "extra_train",
    "general_train",
    "general_test",
    "unlabelled",
    "calls",
    "measured",
    "behaviour",
]
T = TypeVar("T")

LEARNED_FROM: tuple[Split, ...] = ("domain_train", "extra_train", "general_train", "unlabelled")
"""The splits that some step may learn from; the others are measured on."""

CALLS = "calls"
"""The set of whole calls: the one whose texts are longer than what a model reads at once."""


FEW_WORDS = 4
"""A text of the behaviour suite with as many words, or more, is not learned from. Fewer ("no thanks") are anybody's."""


class LeakError(CorpusError):
    """A text that is measured on is also learned from."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text, as published; of a conversation, the turns, one a line.

    `agreement` is the share of annotators behind `label`, 1.0 where the set does not say; a third where no label is
    right. `weight` is how much it counts to who learns from it, `role` who speaks.
    """

    id: str
    text: str
    label: int
    agreement: float = 1.0
    weight: float = 1.0
    role: Role = "unknown"

    @property
    def target(self) -> tuple[float, ...]:
        """The label as a distribution over `LABELS`: `agreement`, and the rest shared by the other two."""
        rest = (1.0 - self.agreement) / (len(LABELS) - 1)
        return tuple(self.agreement if index == self.label else rest for index in range(len(LABELS)))

    @property
    def as_read(self) -> str:
        """The text as a model learns it: of half of what agents, bots and systems say it is told that they speak."""
        return SPOKEN_BY.get(self.role, "") + self.text if held_out(f"role {self.id}", 0.5) else self.text


@dataclass(frozen=True, slots=True)
class Tally:
    """How many texts of a source were read for a split, and in which splits those were that it already had."""

    source: str
    split: Split
    read: int
    repeated: Mapping[Split, int]

    @property
    def kept(self) -> int:
        """How many are in the split."""
        return self.read - sum(self.repeated.values())


@dataclass(frozen=True, slots=True)
class Corpus:
    """Every split of every set. No text, as `text_key` compares them, is in two of them or twice in one."""

    name: str
    """Of the domain's set, as `airline`."""
    domain_train: list[Example]
    domain_sample: list[Example]
    """Shown in the demo: not trained on, not chosen on."""
    domain_dev: list[Example]
    domain_test: list[Example]
    general_name: str
    """Empty where there is no general set."""
    general_train: list[Example]
    general_test: list[Example]
    unlabelled: list[str]
    """Texts of the domain; none of them, either, is a turn of one of `calls`."""
    calls: list[Example]
    """Whole conversations, to measure on."""
    extra_train: list[Example] = field(default_factory=list)
    """Labelled text to learn from together with the domain's."""
    measured: Mapping[str, list[Example]] = field(default_factory=dict)
    """Labelled text of other kinds, to measure on, by the name of its set."""
    tallies: tuple[Tally, ...] = ()

    @property
    def trained_on(self) -> list[Example]:
        """All labelled text that any step may learn from."""
        return self.domain_train + self.extra_train + self.general_train

    @property
    def digest(self) -> str:
        """The SHA-256 of all that is learned from or chosen on. Under another one a model is another model."""
        labelled = [
            (example.text, example.target, example.weight, example.role)
            for example in self.trained_on + self.domain_dev
        ]
        return hashlib.sha256(json.dumps([labelled, self.unlabelled]).encode()).hexdigest()

    @property
    def measured_on(self) -> list[Example]:
        """All that must be unseen."""
        own = self.domain_test + self.domain_dev + self.domain_sample + self.general_test + self.calls
        return own + [example for examples in self.measured.values() for example in examples]


def text_key(text: str) -> str:
    """What two texts share when they are the same to a reader: letters and digits, without handles and links."""
    plain = re.sub(r"@user|\[url\]|\[email\]", " ", normalise(text).lower())
    return " ".join(re.findall(r"\w+", plain))


def sets_of(corpus: Corpus) -> dict[str, list[Example]]:
    """What is measured, by name; a set without rows is left out.

    Of the calls it is the half that the way of reading long texts was not chosen on, of what is measured alone the half
    that the temperature was not.
    """
    sets = {
        f"{corpus.name}_dev": corpus.domain_dev,
        f"{corpus.name}_test": corpus.domain_test,
        f"{corpus.general_name}_test": corpus.general_test,
        CALLS: halves(corpus.calls)[1],
    } | {f"{name}_test": halves(examples)[1] for name, examples in corpus.measured.items()}
    return {name: examples for name, examples in sets.items() if examples}


def halves(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The calls, or a set that is measured alone, in two halves, by their ids: one to choose on, one to report."""
    # The hash of the id alone has chosen which calls are held out. The same hash would put all of them into one half.
    first = [held_out(f"long text {example.id}", 0.5) for example in examples]
    return (
        [example for example, inside in zip(examples, first, strict=True) if inside],
        [example for example, inside in zip(examples, first, strict=True) if not inside],
    )


def held_out(row_id: str, share: float, start: float = 0.0) -> bool:
    """Whether a row is in the held-out `share` of its set: by the SHA-256 of its id, so in every run.

    The digest's first 64 bits, as a fraction of all, are then in `[start, start + share)`.
    """
    place = int.from_bytes(hashlib.sha256(row_id.encode()).digest()[:8], "big")
    return start * 2**64 <= place < (start + share) * 2**64


def load(config: Config) -> Corpus:
    """All sources of `config`, read and split.

    A text that several splits would have stays where it is measured on, and of those in the first of: the domain's
    test, dev and sample, the general test, the calls, what is measured alone.

    Raises CorpusError: a file or a row is wrong, or no row is left for train, dev or test. LeakError: what
    `check_no_leak` raises.
    """
    try:
        sources = check_sources(config.sources)
    except ValueError as error:
        raise CorpusError(f"the configuration: {error}") from None
    by_role: dict[str, list[tuple[Source, dict[str, list[Row]]]]] = {
        role: [(source, _split(source, config)) for source in sources if source.role == role]
        for role in ("domain", "extra", "general", "unlabelled", "calls", "measured")
    }
    once = _Once()

    def kept(source: Source, found: Iterable[Row], split: Split) -> list[Example]:
        examples = (_example(row, source.weight) for row in found)
        return once.take(source.name, split, examples, lambda example: example.text)

    def labelled(role: str, part: str, split: Split) -> list[Example]:
        return [example for source, parts in by_role[role] for example in kept(source, parts[part], split)]

    def plain(role: str) -> list[str]:
        return [
            text
            for source, parts in by_role[role]
            for text in once.take(
                source.name, "unlabelled", (text for row in parts["train"] for text in row.parts if text_key(text)), str
            )
        ]

    # What is measured on comes first, so that what is learned from goes without it.
    test = labelled("domain", "test", "domain_test")
    dev = labelled("domain", "dev", "domain_dev")
    sample = labelled("domain", "sample", "domain_sample")
    general_test = labelled("general", "test", "general_test")
    calls = labelled("calls", "test", "calls")
    measured = {source.name: kept(source, parts["test"], "measured") for source, parts in by_role["measured"]}
    once.know((item.text for item in suite.load() if len(text_key(item.text).split()) >= FEW_WORDS), "behaviour")
    train = labelled("domain", "train", "domain_train")
    general_train = labelled("general", "train", "general_train")
    once.know((line for call in calls for line in call.text.splitlines()), "calls")
    extra_train = labelled("extra", "train", "extra_train")
    unlabelled = plain("unlabelled") + plain("calls")

    corpus = Corpus(
        name=by_role["domain"][0][0].name,
        domain_train=train,
        domain_sample=sample,
        domain_dev=dev,
        domain_test=test,
        general_name=by_role["general"][0][0].name if by_role["general"] else "",
        general_train=general_train,
        general_test=general_test,
        unlabelled=unlabelled,
        calls=calls,
        extra_train=extra_train,
        measured=measured,
        tallies=tuple(once.tallies),
    )
    for part, found in (("train", train), ("dev", dev), ("test", test)):
        if not found:
            raise CorpusError(f"{corpus.name}: no row is left for {part}: give more rows, or other shares or files")
    check_no_leak(corpus)
    return corpus


def check_no_leak(corpus: Corpus) -> None:
    """Proves that no text which a step may learn from is one that is measured on, or a turn of a measured call.

    Raises LeakError: one is. It names both rows.
    """
    unseen = {text_key(example.text): example.id for example in corpus.measured_on}
    for example in corpus.trained_on:
        if (other := unseen.get(text_key(example.text))) is not None:
            raise LeakError(f"the text of training row {example.id} is also that of held-out row {other}")
    turns = {text_key(line): call.id for call in corpus.calls for line in call.text.splitlines()}
    for example in corpus.extra_train:
        if (other := turns.get(text_key(example.text))) is not None:
            raise LeakError(f"the text of training row {example.id} is also a turn of held-out call {other}")
    for number, text in enumerate(corpus.unlabelled, 1):
        key = text_key(text)
        if (other := unseen.get(key, turns.get(key))) is not None:
            raise LeakError(f"unlabelled text {number} is also in held-out row {other}")


class _Once:
    """Lets each text through once, and counts where the others were before."""

    def __init__(self) -> None:
        self.tallies: list[Tally] = []
        self._known: dict[str, Split] = {}

    def know(self, texts: Iterable[str], split: Split) -> None:
        for text in texts:
            self._known.setdefault(text_key(text), split)

    def take(self, source: str, split: Split, items: Iterable[T], text_of: Callable[[T], str]) -> list[T]:
        kept: list[T] = []
        repeated: Counter[Split] = Counter()
        for item in items:
            key = text_key(text_of(item))
            if key in self._known:
                repeated[self._known[key]] += 1
            else:
                self._known[key] = split
                kept.append(item)
        self.tallies.append(Tally(source, split, len(kept) + repeated.total(), dict(repeated)))
        return kept


def _example(row: Row, weight: float) -> Example:
    # In a conversation a line is a turn, so line ends inside a turn become spaces.
    text = row.parts[0] if len(row.parts) == 1 else "\n".join(" ".join(part.split()) for part in row.parts)
    return Example(row.id, text, row.label, row.agreement, weight, row.role)


def _split(source: Source, config: Config) -> dict[str, list[Row]]:
    """The rows of a source's train, test, dev and sample: of its files or the grammar, or of `train` by its shares."""
    if source.generate is not None:
        grammar = load_grammar()
        if source.role == "extra":
            return {
                "train": [_made(each) for each in generator.generate(source.generate, config.seed, grammar.learned)]
            }
        aside = generator.generate(source.generate, config.seed, grammar.aside)
        # Texts of one turn have one id, so that all are in the same half: one to choose on would else be one to report.
        turns = [(each, hashlib.sha256(each.turn.encode()).hexdigest()[:16]) for each in aside if each.label != UNSURE]
        return {"test": [replace(_made(each), id=f"turn-{turn}") for each, turn in turns]}
    labelled = source.role != "unlabelled"
    found = {
        part: list(_read(source, paths(config.data, files), labelled))
        for part, files in (("train", source.train), ("test", source.test), ("dev", source.dev), ("sample", ()))
    }
    start = 0.0
    train = _places(source, found["train"])
    for part, share in zip(("test", "dev", "sample"), source.shares, strict=True):
        found[part] += [row for row, place in train if held_out(place, share, start)]
        start += share
    found["train"] = [row for row, place in train if not held_out(place, start)]
    return found


def _places(source: Source, found: list[Row]) -> list[tuple[Row, str]]:
    """Each row with what says in which split it is: its id, or what all rows of the same text have in common.

    A text is kept in one split only, and test comes first: by their ids, what is often said would be in test alone and
    learned from by nobody. Of other sets, and where test and dev are files, it is always the id: shipped models were
    made with that, and would have learned from what is measured.
    """
    if source.role != "domain" or not sum(source.shares[:2]):
        return [(row, row.id) for row in found]
    keys = [text_key(" ".join(row.parts)) for row in found]
    often = Counter(keys)
    return [(row, key if often[key] > 1 else row.id) for row, key in zip(found, keys, strict=True)]


def _made(made: generator.Made) -> Row:
    # Where no label is right the target is the same for all three, by any of them and this agreement.
    label, agreement = (LABELS[0], 1 / len(LABELS)) if made.label == UNSURE else (made.label, 1.0)
    return Row(made.id, (made.text,), LABELS.index(label), agreement, made.role)


def _read(source: Source, files: Iterable[Path], labelled: bool) -> Iterator[Row]:
    for path in files:
        yield from rows(source, path, labelled)
