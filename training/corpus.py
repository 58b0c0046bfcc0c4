"""The labelled text: read, cleaned, split, and proven free of anything it is later measured on."""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.text import normalise
from schemas.errors import UsageError
from schemas.records import LABELS

# 0.088 of 8,509 rows is about 750: with the 1,447 of dev the sample has more than 2,000 labelled events.
AIRLINE_HELD_OUT = 0.088
# About 5,000 of 49,409: a standard error of 0.7 points on general tweets.
SEMEVAL_HELD_OUT = 0.1012


class CorpusError(UsageError):
    """A data file is missing, lacks a column, or has a label that no model knows."""


class LeakError(CorpusError):
    """A text that is measured on is also trained on."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text, as published.

    ``agreement`` is the share of annotators behind ``label``, 1.0 where the set does not say.
    """

    id: str
    text: str
    label: int
    agreement: float = 1.0

    @property
    def target(self) -> tuple[float, ...]:
        """The label as a distribution over :data:`LABELS`: ``agreement``, and the rest shared by the other two."""
        rest = (1.0 - self.agreement) / (len(LABELS) - 1)
        return tuple(self.agreement if index == self.label else rest for index in range(len(LABELS)))


@dataclass(frozen=True, slots=True)
class Corpus:
    """Every split of both labelled sets; ``airline_sample`` and ``semeval_held_out`` are never trained on."""

    airline_train: list[Example]
    airline_sample: list[Example]
    airline_dev: list[Example]
    airline_test: list[Example]
    semeval_train: list[Example]
    semeval_held_out: list[Example]

    @property
    def trained_on(self) -> list[Example]:
        """All that any step may learn from."""
        return self.airline_train + self.semeval_train

    @property
    def measured_on(self) -> list[Example]:
        """All that must be unseen."""
        return self.airline_sample + self.airline_dev + self.airline_test + self.semeval_held_out


def label_id(name: str, where: str) -> int:
    """Return the index of a label in :data:`LABELS`; :class:`CorpusError` names ``where`` it was wrong."""
    try:
        return LABELS.index(name.strip().lower())
    except ValueError:
        raise CorpusError(f"{where}: label {name!r} is not one of {', '.join(LABELS)}") from None


def text_key(text: str) -> str:
    """Return what two texts share when they are the same to a reader: letters and digits, without handles and links."""
    plain = re.sub(r"@user|\[url\]|\[email\]", " ", normalise(text).lower())
    return " ".join(re.findall(r"\w+", plain))


def held_out(row_id: str, share: float) -> bool:
    """Whether a row belongs to the held-out ``share`` of its set: by the SHA-256 of its id, so for ever."""
    return int.from_bytes(hashlib.sha256(row_id.encode()).digest()[:8], "big") < share * 2**64


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file that has at least ``columns``."""
    if not path.is_file():
        raise CorpusError(f"{path}: no such file; --data must name the folder that holds airline/ and semeval/")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise CorpusError(f"{path}: no column {', '.join(missing)}")
        yield from reader


def read_examples(path: Path) -> list[Example]:
    """Read a file of ``id,text,label`` and, where it has one, ``label_confidence``."""
    return [
        Example(
            id=row["id"],
            text=unescape(row["text"]),
            label=label_id(row["label"], f"{path}, id {row['id']}"),
            agreement=float(row.get("label_confidence") or 1.0),
        )
        for row in read_rows(path, ("id", "text", "label"))
    ]


def unescape(text: str) -> str:
    r"""Undo the ``\u2019`` escapes in which SemEval's files write every tenth tweet's commas and quotes."""
    if "\\u" not in text:
        return text
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)


def without(examples: Iterable[Example], unseen: Iterable[Example]) -> list[Example]:
    """Return ``examples`` less repeated texts and less every text that is also in ``unseen``."""
    seen = {text_key(example.text) for example in unseen}
    kept = []
    for example in examples:
        key = text_key(example.text)
        if key not in seen:
            seen.add(key)
            kept.append(example)
    return kept


def check_no_leak(trained_on: Iterable[Example], measured_on: Iterable[Example]) -> None:
    """Raise :class:`LeakError` when a text is on both sides."""
    unseen = {text_key(example.text): example.id for example in measured_on}
    for example in trained_on:
        if (other := unseen.get(text_key(example.text))) is not None:
            raise LeakError(f"the text of training row {example.id} is also that of held-out row {other}")


def load(data: Path) -> Corpus:
    """Read both sets from ``data`` and split them; raises :class:`CorpusError` or :class:`LeakError`."""
    airline = read_examples(data / "airline" / "train.csv")
    semeval = read_examples(data / "semeval" / "train.csv")
    airline_dev = read_examples(data / "airline" / "dev.csv")
    airline_test = read_examples(data / "airline" / "test.csv")
    airline_sample = [row for row in airline if held_out(row.id, AIRLINE_HELD_OUT)]
    semeval_held_out = [row for row in semeval if held_out(row.id, SEMEVAL_HELD_OUT)]
    unseen = airline_dev + airline_test + airline_sample + semeval_held_out
    corpus = Corpus(
        airline_train=without(airline, unseen),
        airline_sample=airline_sample,
        airline_dev=airline_dev,
        airline_test=airline_test,
        semeval_train=without(semeval, unseen),
        semeval_held_out=semeval_held_out,
    )
    check_no_leak(corpus.trained_on, corpus.measured_on)
    return corpus


def domain_texts(data: Path) -> Iterator[str]:
    """Yield unlabelled customer turns (MultiDoGO, calls, banking77), which say what words the vocabulary needs."""
    for path in sorted((data / "multidogo").glob("*.train.jsonl")) + sorted((data / "calls").glob("train.jsonl")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                for turn in json.loads(line)["turns"]:
                    yield turn["text"]
    banking = data / "banking" / "train.csv"
    if banking.is_file():
        for row in read_rows(banking, ("text",)):
            yield row["text"]
