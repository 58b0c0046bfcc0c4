"""What the tagger learns from: labelled chats, comments whose masked names are filled, and made-up sentences."""

import csv
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from models.redaction import Kind, Span
from models.redaction.tag_words import WORD
from schemas.errors import UsageError
from training.redaction import written
from training.redaction.figures import Labelled
from training.redaction.people import Chain, People
from training.redaction.spoken import turns
from training.redaction.spoken_banks import TUNING

MASK: Final = "[NAME]"
SPOKEN = 4_000
"""Made-up spoken turns among the examples."""

_LONGEST_NAME = 14
_FREQUENT = 5
_HARDLY = 0.02
# User names in the chats are people's names.
_LEARNED_AS: Final[dict[Kind, Kind]] = {"USERNAME": "NAME"}


def chats(folder: Path, domains: Sequence[str] = ("*",)) -> list[Labelled]:
    """The labelled chats of `domains` in `folder`. Raises UsageError: there are none."""
    paths = sorted({path for domain in domains for path in folder.glob(f"multidogo.{domain}.train.jsonl")})
    if not paths:
        raise UsageError(f"{folder}: no multidogo.*.train.jsonl there")
    return [_learned(item) for path in paths for item in written.read(path)]


def comments(path: Path, names: "Names", rng: random.Random, limit: int) -> list[Labelled]:
    """Comments of a CSV file with a column `text` in which names are masked, filled with `names`; `limit` without any.

    Raises UsageError: the file can't be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
    except (OSError, KeyError) as error:
        raise UsageError(f"{path}: {error}") from None
    masked = [text for text in texts if MASK in text]
    plain = [text for text in texts if MASK not in text and "[" not in text]
    rng.shuffle(plain)
    filled = [_filled(f"comment-{number}", text, names) for number, text in enumerate(masked * 2)]
    return [*filled, *(Labelled(f"plain-{number}", text, ()) for number, text in enumerate(plain[:limit]))]


def spoken(seed: int) -> Iterator[Labelled]:
    """Made-up spoken turns of the banks that the rules were tuned on."""
    for bank in TUNING:
        for item in turns(bank, SPOKEN // len(TUNING), seed):
            yield _learned(item)


class Names:
    """Names: half of them those of labelled texts, some made of these texts' letters, half of `people`."""

    def __init__(self, texts: Sequence[Labelled], people: People, rng: random.Random) -> None:
        known = {
            word
            for item in texts
            for span in item.spans
            if span.kind == "NAME"
            for word in item.text[span.start : span.end].split()
        }
        self._words = sorted(word for word in known if 2 < len(word) < _LONGEST_NAME and word.isalpha())
        self._chain = Chain(self._words, rng)
        self._people = people
        self._rng = rng

    def draw(self) -> str:
        """A person's name, in capitals: a first or a last, or both."""
        if self._rng.random() < 0.5:
            return self._people.name()
        count = 1 if self._rng.random() < 0.6 else 2
        return " ".join(self._word().capitalize() for _ in range(count))

    def _word(self) -> str:
        return self._rng.choice(self._words) if self._rng.random() < 0.5 else self._chain.draw()


def common_words(texts: Sequence[Labelled], kinds: Collection[Kind]) -> list[str]:
    """The words of `texts`, in small letters, that are frequent and hardly ever within a span of `kinds`."""
    counts, within = Counter[str](), Counter[str]()
    for item in texts:
        places = [(span.start, span.end) for span in item.spans if span.kind in kinds]
        for match in WORD.finditer(item.text):
            word = match[0].casefold()
            if not word[0].isalpha():
                continue
            counts[word] += 1
            within[word] += any(start < match.end() and match.start() < end for start, end in places)
    return sorted(word for word, n in counts.items() if n >= _FREQUENT and within[word] <= _HARDLY * n)


def _learned(item: Labelled) -> Labelled:
    return item._replace(
        spans=tuple([span._replace(kind=_LEARNED_AS.get(span.kind, span.kind)) for span in item.spans])
    )


def _filled(name: str, template: str, names: Names) -> Labelled:
    parts = template.split(MASK)
    text, spans = parts[0], []
    for part in parts[1:]:
        drawn = names.draw()
        spans.append(Span(len(text), len(text) + len(drawn), "NAME"))
        text += drawn + part
    return Labelled(name, text, tuple(spans))
