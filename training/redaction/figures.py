"""How much of what is to be redacted is, by kind, and how much else."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from models.redaction import KINDS, Kind, Span

STRUCTURED: Final = frozenset(KINDS) - {"NAME", "ADDRESS", "USERNAME"}
"""All kinds but those of free words: names, user names (which are people's names in the sets here) and addresses."""

_COUNTS = re.compile(r"\w")


class Labelled(NamedTuple):
    """A text with where what is to be redacted is, and the conversation that it belongs to."""

    conversation: str
    text: str
    spans: tuple[Span, ...]


class Share(NamedTuple):
    """`part` of `whole`."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.part / self.whole if self.whole else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson (1927): centre (p + z²/2n) / (1 + z²/n), z = 1.96."""
        if not self.whole:
            return math.nan, math.nan
        z, n, p = 1.959964, self.whole, self.value
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        if not self.whole:
            return "-"
        low, high = self.interval
        return f"{self.value:.3f} ({low:.3f}-{high:.3f})"


@dataclass
class Figures:
    """What a redactor did to a set.

    A labelled span is found if all its letters and digits are redacted, as whatever kind; `named` are those of the
    found that have their own kind. A redaction is right if it touches a labelled span of any kind. Redactions of a kind
    that the set does not label count neither way.
    """

    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    leaking: set[str] = field(default_factory=set)
    leaking_structured: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    missed: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def recall(self, kinds: Iterable[str]) -> Share:
        """The share of the labelled spans of `kinds` that were found."""
        chosen = set(kinds)
        return Share(sum(self.found[kind] for kind in chosen), sum(self.labelled[kind] for kind in chosen))

    def precision(self, kinds: Iterable[str]) -> Share:
        """The share of the redactions of `kinds` that were right."""
        chosen = set(kinds)
        return Share(sum(self.right[kind] for kind in chosen), sum(self.made[kind] for kind in chosen))

    def f1(self, kinds: Iterable[str]) -> float:
        """The harmonic mean of recall and precision; 0 where nothing was found."""
        recall, precision = self.recall(kinds).value, self.precision(kinds).value
        return 2 * recall * precision / (recall + precision) if recall + precision > 0 else 0.0


def measure(texts: Sequence[Labelled], redact: Callable[[Labelled], Sequence[Span]]) -> Figures:
    """The figures of `redact`, which gives the spans that it finds in a text, over `texts` in their order."""
    figures = Figures()
    kinds = {span.kind for text in texts for span in text.spans}
    for item in texts:
        _count(figures, item, redact(item), kinds)
    return figures


def _count(figures: Figures, item: Labelled, spans: Sequence[Span], kinds: set[Kind]) -> None:
    covered = {place for span in spans for place in range(span.start, span.end)}
    figures.conversations.add(item.conversation)
    for gold in item.spans:
        figures.labelled[gold.kind] += 1
        places = {gold.start + match.start() for match in _COUNTS.finditer(item.text[gold.start : gold.end])}
        if places <= covered:
            figures.found[gold.kind] += 1
            figures.named[gold.kind] += any(span.kind == gold.kind and _overlap(span, gold) for span in spans)
        else:
            figures.missed[gold.kind].append((item.text, item.text[gold.start : gold.end]))
            figures.leaking.add(item.conversation)
            if gold.kind in STRUCTURED:
                figures.leaking_structured.add(item.conversation)
    for span in spans:
        if any(_overlap(span, gold) for gold in item.spans):
            figures.made[span.kind] += 1
            figures.right[span.kind] += 1
        elif span.kind in kinds:
            figures.made[span.kind] += 1
            figures.wrong[span.kind].append((item.text, item.text[span.start : span.end]))


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
