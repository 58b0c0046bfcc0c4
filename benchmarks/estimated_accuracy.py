"""How close accuracy that is estimated from confidence comes to what people's labels say, and when it does not.

    python -m benchmarks.estimated_accuracy [DRAWS]

The labelled texts of samples/airline.csv are decided as the line does it. DRAWS windows (200 by default) of 500 events
are drawn of them at random, as they are and after planted changes. Of each window the estimate, as `edgewise health`
makes it, stands beside the share whose label is a person's, and it is counted how often the exact interval of that
share holds the estimate.
"""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import mean
from typing import NamedTuple

from benchmarks.decided import NOW, SAMPLES, decided
from schemas.records import LABELS, PersonLabel, RoutingEvent
from streams.cli.table import aligned
from streams.monitoring.people import PeopleLabels
from streams.monitoring.window import Window, published_confidence, published_label
from streams.web.report import mean_confidence

EVENTS = 500


class Case(NamedTuple):
    """Which texts are drawn how often, and what people say of them."""

    what: str
    weight: Callable[[str], float] = lambda _label: 1.0
    said: Callable[[str, Random], str] = lambda label, _random: label


CASES = (
    Case("as recorded"),
    Case("three times the share of positive texts", lambda label: 3.0 if label == "positive" else 1.0),
    Case("negative texts alone", lambda label: float(label == "negative")),
    Case("neutral texts alone", lambda label: float(label == "neutral")),
    Case(
        "people call 1 text in 5 something else",
        # A label drawn at random is the same one in a third of the cases.
        said=lambda label, random: random.choice(LABELS) if random.random() < 0.3 else label,
    ),
)


def main() -> None:
    """Prints a row a case."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    path = SAMPLES / "airline.csv"
    with path.open(encoding="utf-8", newline="") as file:
        labels = {row["id"]: row["label"] for row in csv.DictReader(file)}
    events = [event for conversation in decided(path) for event in conversation]
    rows = [("case", "estimated", "by people", "difference", "within the interval")]
    for case in CASES:
        found = [_window(case, events, labels, Random(seed)) for seed in range(draws)]
        estimated, said = mean(each for each, _, _ in found), mean(each for _, each, _ in found)
        held = sum(within for _, _, within in found)
        rows.append((case.what, f"{estimated:.3f}", f"{said:.3f}", f"{estimated - said:+.3f}", f"{held} of {draws}"))
    print("\n".join(aligned(*rows)))


def _window(
    case: Case, events: Sequence[RoutingEvent], labels: Mapping[str, str], random: Random
) -> tuple[float, float, bool]:
    """The estimate, the accuracy by labels, and whether its interval holds the estimate."""
    weights = [case.weight(labels[event.event_id]) for event in events]
    drawn = random.choices(events, weights, k=EVENTS)
    window = Window(NOW, NOW + 1, 0)
    window.add(drawn)
    people = PeopleLabels()
    for number, event in enumerate(drawn):
        people.add(
            PersonLabel(
                event_id=str(number),
                conversation_id=event.conversation_id,
                label=case.said(labels[event.event_id], random),  # type: ignore[arg-type]
                labelled_at=NOW,
                answer_label=published_label(event),
                answer_confidence=published_confidence(event),
                answered_at=NOW,
                route=event.route,
            )
        )
    estimate, share = mean_confidence(window), people.accuracy(NOW).total
    if estimate is None or share.value is None:
        raise SystemExit("no event has a confidence")
    low, high = share.limits
    return estimate, share.value, low <= estimate <= high


if __name__ == "__main__":
    main()
