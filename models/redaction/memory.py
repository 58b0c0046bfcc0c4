"""What is remembered of a conversation: which values have which number, and what was asked for."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from models.redaction.kinds import SHAPE, Finding, Kind

VALUES = 64
"""How many values a memory holds: the one seen longest ago goes first, and its number is not used again."""

_LONGEST_VALUE = 128  # characters; of a longer value the first tell it from others
_SHORTEST_PART = 4  # digits: "ending in 1111" is a part of a number that was given, "11" is none
_WORDS: Final[frozenset[Kind]] = frozenset({"NAME", "USERNAME"})
_EXACT: Final[frozenset[Kind]] = frozenset({"EMAIL", "URL", "IP", "PASSWORD", "ADDRESS"})


class Label(NamedTuple):
    """What stands in a value's place: `[CARD_1]`."""

    kind: Kind
    number: int

    def __str__(self) -> str:
        return f"[{self.kind}_{self.number}]"


@dataclass(slots=True, repr=False)
class Memory:
    """The values of one conversation, by what they say. Its size is bounded; it is never shown or written."""

    _labels: OrderedDict[str, Label] = field(default_factory=OrderedDict)
    _counts: dict[Kind, int] = field(default_factory=dict)
    _pending: str = ""

    def copy(self) -> "Memory":
        """The same, to be gone back to."""
        return Memory(self._labels.copy(), self._counts.copy(), self._pending)

    @property
    def pending(self) -> Label | None:
        """The number that the last turn did not end for certain: what follows may be more of it."""
        return self._labels.get(self._pending) if self._pending else None

    @property
    def names(self) -> frozenset[str]:
        """The words of the names that were found."""
        return frozenset(
            word
            for value, label in self._labels.items()
            if label.kind in _WORDS
            for word in value.split()
            if len(word) > 2
        )

    def label(self, finding: Finding) -> Label:
        """The label of what was found: that of the same value, or of one that it is a part of, else a new one."""
        value = finding.value[:_LONGEST_VALUE]
        known = self._known(finding, value)
        if known:
            self._labels.move_to_end(known)
            return self._labels[known]
        number = self._counts[finding.kind] = self._counts.get(finding.kind, 0) + 1
        self._labels[value] = Label(finding.kind, number)
        if len(self._labels) > VALUES:
            self._labels.popitem(last=False)
        return self._labels[value]

    def begin(self, finding: Finding) -> None:
        """Notes that a number ends its turn, so that the next turns may go on with it."""
        self._pending = finding.value[:_LONGEST_VALUE]

    def extend(self, value: str) -> Label | None:
        """The label of the pending number, which goes on with `value` or repeats a part of it; None without one."""
        label = self.pending
        if label is None:
            return None
        if value not in self._pending:
            joined = (self._pending + value)[:_LONGEST_VALUE]
            del self._labels[self._pending]
            self._labels[joined] = label
            self._pending = joined
        return label

    def end(self) -> None:
        """Notes that what follows is no more of the pending number."""
        self._pending = ""

    def _known(self, finding: Finding, value: str) -> str | None:
        exact = self._labels.get(value)
        if exact and (exact.kind == finding.kind or finding.sureness == SHAPE or value.isalnum()):
            return value
        if finding.kind in _WORDS:
            words = set(value.split())
            for other, label in self._labels.items():
                if label.kind == finding.kind and (words <= set(other.split()) or words >= set(other.split())):
                    return other
        elif finding.kind not in _EXACT and len(value) >= _SHORTEST_PART:
            for other, label in self._labels.items():
                alike = label.kind == finding.kind or finding.sureness == SHAPE
                if alike and label.kind not in _EXACT | _WORDS and (other.endswith(value) or other.startswith(value)):
                    return other
        return None
