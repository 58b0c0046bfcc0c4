"""How often the published labels are those that people give."""

from collections import defaultdict
from typing import Final, Literal, NamedTuple

from schemas.records import PersonLabel
from streams.monitoring.share import Share

By = Literal["route", "role", "model"]
BY: Final[tuple[By, ...]] = ("route", "role", "model")


class _Compared(NamedTuple):
    """What is held of a labelled event."""

    is_right: bool
    confidence: float | None
    answered_at: int
    of: tuple[str, str, str]  # as `BY` has it


class PeopleLabels:
    """The last label of each event; of several of one event the one that is added last counts.

    It holds some 300 bytes an event: people label few.
    """

    def __init__(self) -> None:
        self._compared: dict[str, _Compared | None] = {}

    def add(self, label: PersonLabel) -> None:
        """Takes the next record of `labels`."""
        if label.answer_label is None or label.answered_at is None:
            self._compared[label.event_id] = None
            return
        self._compared[label.event_id] = _Compared(
            label.label == label.answer_label,
            label.answer_confidence,
            label.answered_at,
            (label.route or "unknown", label.role, label.model),
        )

    def accuracy(self, since_ms: int, until_ms: int | None = None) -> "PeopleAccuracy":
        """Of the labelled events that were answered from `since_ms` on (UTC), and before `until_ms`."""
        within = [
            each
            for each in list(self._compared.values())  # another thread may add
            if each is not None and since_ms <= each.answered_at and (until_ms is None or each.answered_at < until_ms)
        ]
        known = [each.confidence for each in within if each.confidence is not None]
        return PeopleAccuracy(
            _share(within),
            {name: _grouped(within, at) for at, name in enumerate(BY)},
            sum(known) / len(known) if known else None,
        )


class PeopleAccuracy(NamedTuple):
    """Of so many labelled events so many had the person's label; by route, role and model, in their order."""

    total: Share
    by: dict[By, dict[str, Share]]
    mean_confidence: float | None
    """Of the same answers: where confidence is calibrated, it is within the interval of `total`."""


def _share(compared: list[_Compared]) -> Share:
    return Share(sum(each.is_right for each in compared), len(compared))


def _grouped(compared: list[_Compared], at: int) -> dict[str, Share]:
    groups: defaultdict[str, list[_Compared]] = defaultdict(list)
    for each in compared:
        groups[each.of[at]].append(each)
    return {group: _share(groups[group]) for group in sorted(groups)}
