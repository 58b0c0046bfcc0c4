"""What drift is noticed after how many events, and how often a quiet week raises an alarm.

    python -m benchmarks.drift [--weeks 4] [--runs 3] [--data DIR]

The texts of samples/ are decided by the real edge agent, and by the cloud model where that defers them. Their
conversations are then drawn at random, at 1,000 events an hour on average, by day eight times as many as at night, and
by day with twice the share of conversations with agents. A reference is frozen on two such weeks. A look every half
hour compares the last day with it, as the rules in streams/monitoring/health_rules.toml do; an alarm is a look at which
an aspect is shown to be over its bound, and was not at the look before. Planted shifts begin at noon after a quiet day.
With DIR, which holds airline/*.csv with the times at which customers wrote, its days are compared with the first four.
"""

import argparse
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from math import cos, pi
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

from benchmarks.decided import NOW, SAMPLES, decided
from schemas.records import LABELS, RoutingEvent
from streams.cli.table import aligned
from streams.monitoring.distance import Distance
from streams.monitoring.drift import ASPECTS, LEAST_EVENTS, Aspect, Reference, drift
from streams.monitoring.window import Window
from streams.system.clock import iso

HOUR_MS = 3_600_000
LOOK_MS = HOUR_MS // 2
A_DAY = 48  # looks
PER_HOUR = 1_000
AT_MOST = 0.05

Change = Callable[[RoutingEvent, Random], RoutingEvent]


class Shift(NamedTuple):
    """What is planted, and in which aspect it should be noticed."""

    what: str
    aspect: Aspect
    change: Change


def _some(share: float, change: Callable[[RoutingEvent], RoutingEvent]) -> Change:
    return lambda event, random: change(event) if random.random() < share else event


def _labelled(event: RoutingEvent, label: str) -> RoutingEvent:
    return replace(event, edge_label=label, cloud_label=label if event.cloud_label is not None else None)  # type: ignore[arg-type]


def _twice_as_long(event: RoutingEvent) -> RoutingEvent:
    return replace(event, text_chars=2 * event.text_chars)


def _less_sure(event: RoutingEvent) -> RoutingEvent:
    """The confidence of a model whose logits are divided by two: between what it was and a guess of three."""
    share = event.edge_confidence if event.cloud_confidence is None else event.cloud_confidence
    rest = (1 - share) / 2
    flat = share**0.5 / (share**0.5 + 2 * rest**0.5)
    return replace(event, edge_confidence=flat, cloud_confidence=None if event.cloud_confidence is None else flat)


def _guessed(event: RoutingEvent, random: Random) -> RoutingEvent:
    return _labelled(event, random.choice(LABELS))


SHIFTS = (
    Shift("1 event in 5 more is negative", "labels", _some(0.2, lambda event: _labelled(event, "negative"))),
    Shift("1 event in 10 more is negative", "labels", _some(0.1, lambda event: _labelled(event, "negative"))),
    Shift("a model gone bad: all labels are guessed", "labels", _guessed),
    Shift("a model half as sure of all", "confidence", _some(1, _less_sure)),
    Shift("1 text in 3 is twice as long", "length", _some(1 / 3, _twice_as_long)),
    Shift("1 event in 5 is German", "languages", _some(0.2, lambda event: replace(event, language="de"))),
    Shift("1 event in 20 is German", "languages", _some(0.05, lambda event: replace(event, language="de"))),
    Shift("1 event in 5 more is an agent's", "roles", _some(0.2, lambda event: replace(event, role="agent"))),
    Shift("1 event in 20 more has a card number", "kinds", _some(0.05, lambda event: replace(event, pii=("card",)))),
)


class Recorded(NamedTuple):
    """Conversations of decided events: of customers alone, and with agents."""

    tweets: Sequence[Sequence[RoutingEvent]]
    threads: Sequence[Sequence[RoutingEvent]]


def main() -> None:
    """Prints the false alarms of quiet weeks, then for each shift how many events and hours it took to be noticed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--weeks", type=int, default=4)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--data", type=Path)
    arguments = options.parse_args()
    recorded = Recorded(decided(SAMPLES / "airline.csv"), decided(SAMPLES / "care.jsonl"))
    total = Window(NOW, NOW, -1)
    for window in windows(recorded, Random(1), 14 * A_DAY):
        total.merge(window)
    reference = Reference.of(total)
    print(f"reference: {reference.events:,} events\n")
    alarms: Counter[str] = Counter()
    highest = dict.fromkeys(ASPECTS, 0.0)
    for week in range(arguments.weeks):
        before: set[Aspect] = set()
        quiet = windows(recorded, Random(100 + week), 8 * A_DAY)
        for number, now in enumerate(last(quiet)):
            if number < A_DAY:
                continue
            over = {aspect for aspect in ASPECTS if is_missed(reference, now, aspect)}
            alarms.update(over - before)
            before = over
            for aspect in ASPECTS:
                highest[aspect] = max(highest[aspect], getattr(drift(reference, now, aspect), "value", 0.0))
    rows = [(aspect, str(alarms[aspect]), f"{highest[aspect]:.4f}") for aspect in ASPECTS]
    print("\n".join(aligned(("aspect", f"alarms in {arguments.weeks} quiet weeks", "highest distance"), *rows)), "\n")
    told = [("shift", "noticed in", "events until noticed", "hours")]
    for shift in SHIFTS:
        found = [noticed(reference, recorded, shift, seed) for seed in range(arguments.runs)]
        seen = [each for each in found if each is not None]
        when = ("never", "") if not seen else (f"{median(e for e, _ in seen):,.0f}", f"{median(h for _, h in seen):g}")
        told.append((shift.what, f"{len(seen)} of {len(found)}", *when))
    print("\n".join(aligned(*told)))
    if arguments.data is not None:
        recorded_week(arguments.data)


def windows(
    recorded: Recorded, random: Random, looks: int, change: Change | None = None, first: int = 0
) -> Iterator[Window]:
    """So many half hours of traffic, from the one numbered `first` of a day on; `change` is made to each event."""
    for look in range(first, first + looks):
        daylight = (1 - cos(2 * pi * look / A_DAY)) / 2  # 0 at midnight, 1 at noon
        events = list[RoutingEvent]()
        wanted = PER_HOUR * (0.22 + 1.56 * daylight) / 2
        while len(events) < wanted:
            pool = recorded.threads if random.random() < 0.15 + 0.15 * daylight else recorded.tweets
            events += random.choice(pool)
        if change is not None:
            events = [change(event, random) for event in events]
        window = Window(NOW + look * LOOK_MS, NOW + (look + 1) * LOOK_MS, 0)
        window.add(events)
        yield window


def last(each: Iterator[Window]) -> Iterator[Window]:
    """After each window, the last day of them as one."""
    held: deque[Window] = deque()
    total = Window(NOW, NOW, -1)
    for window in each:
        held.append(window)
        total.merge(window)
        if len(held) > A_DAY:
            total.subtract(held.popleft())
        yield total


def is_missed(reference: Reference, window: Window, aspect: Aspect) -> bool:
    """Whether the aspect is shown to be over the bound."""
    found = drift(reference, window, aspect)
    return found is not None and found.low > AT_MOST


def noticed(reference: Reference, recorded: Recorded, shift: Shift, seed: int) -> tuple[int, float] | None:
    """The events and the hours from the shift's beginning to the look that shows it; None: not within two days."""
    random, events = Random(1_000 + seed), 0
    before = windows(recorded, random, A_DAY, first=A_DAY // 2)
    after = windows(recorded, random, 2 * A_DAY, shift.change, first=A_DAY // 2)
    held: deque[int] = deque(maxlen=1)

    def counted() -> Iterator[Window]:
        for window in after:
            held.append(window.events)
            yield window

    for number, now in enumerate(last(chain(before, counted())), 1 - A_DAY):
        if number < 1:
            continue
        events += held[-1]
        if is_missed(reference, now, shift.aspect):
            return events, number / 2
    return None


def recorded_week(data: Path) -> None:
    """Prints how far each day of the recorded week is from its first four, and what of that is shown."""
    days: dict[str, list[RoutingEvent]] = {}
    for name in ("train", "dev", "test"):
        for [event] in decided(data / "airline" / f"{name}.csv"):
            days.setdefault(iso(event.occurred_at)[:10], []).append(event)
    whole = [day for day in sorted(days) if len(days[day]) >= LEAST_EVENTS]
    reference = Reference.of(_one([event for day in whole[:4] for event in days[day]]))
    rows: list[tuple[str, ...]] = [("day", "events", "labels", "shown", "confidence", "shown", "length", "shown")]
    for day in whole[4:]:
        window = _one(days[day])
        cells = [
            f"{limit:.3f}"
            for aspect in ("labels", "confidence", "length")
            for limit in (drift(reference, window, aspect) or Distance(0, 0, 0))[:2]
        ]
        rows.append((day, f"{window.events:,}", *cells))
    print("\n".join(["", *aligned(*rows)]))


def _one(events: Sequence[RoutingEvent]) -> Window:
    window = Window(NOW, NOW + 1, 0)
    window.add(events)
    return window


if __name__ == "__main__":
    main()
