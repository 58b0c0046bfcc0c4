"""Which alert comes when: a day with planted trouble through the health agent: `python -m benchmarks.alerts`.

The traffic is made up, seeded, 120 events a minute: 0.87 of them stay on the edge, some of those are the random sample,
and the cloud agrees with 0.94 of the sample. The rules are those that ship; the agent is the real one, with a clock of
the script's own and no Kafka. `--quiet` plays days without trouble.
"""

import argparse
import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from schemas.records import Alert, RoutingEvent
from streams.monitoring.health_rules import load_health_rules
from tests.events import routing_event
from tests.health_lines import MINUTE, HealthLine

EVENTS_A_MINUTE = 120
DAY = 24 * 60  # minutes
SEED = 20261129

Change = Callable[[RoutingEvent, random.Random], RoutingEvent | None]
"""What trouble makes of an event; None: it does not come."""


class Trouble(NamedTuple):
    """What is planted, from and to which minute of the day."""

    what: str
    begin: int
    end: int
    change: Change


def _cloud_away(event: RoutingEvent, _rng: random.Random) -> RoutingEvent:
    if event.route == "edge":
        return event
    return replace(event, route="edge", reason="cloud_unavailable", degraded=True, cloud_label=None, cost_usd=0.001)


def _prices_up(event: RoutingEvent, _rng: random.Random) -> RoutingEvent:
    return replace(event, cost_usd=0.001 + 0.0136 * 8) if event.route == "cloud" else event


def _german(event: RoutingEvent, rng: random.Random) -> RoutingEvent:
    if rng.random() > 0.6:
        return event
    unsure = 0.34 + 0.3 * rng.random()
    return routing_event(reason="unsupported_language", degraded=True, language="de", edge_confidence=unsure)


def _unsure_model(event: RoutingEvent, rng: random.Random) -> RoutingEvent:
    """A model that is less sure: the router sends more of its answers to the cloud."""
    return _event(rng, kept=0.45) if event.route == "edge" else event


def _wrong_model(event: RoutingEvent, rng: random.Random) -> RoutingEvent:
    """A model that is as sure as before, and wrong in three of ten."""
    if event.reason != "random_cloud" or rng.random() > 0.3:
        return event
    return replace(event, cloud_label="positive")


def _slow(event: RoutingEvent, _rng: random.Random) -> RoutingEvent:
    return replace(event, end_to_end_ms=30 * event.end_to_end_ms)


TROUBLES = (
    Trouble("the cloud is away", 2 * 60, 2 * 60 + 40, _cloud_away),
    Trouble("the cloud costs eight times as much", 5 * 60, 6 * 60, _prices_up),
    Trouble("three of five texts are German", 8 * 60, 9 * 60, _german),
    Trouble("the model is less sure", 11 * 60, 12 * 60, _unsure_model),
    Trouble("the model is as sure, and wrong in three of ten", 14 * 60, 17 * 60, _wrong_model),
    Trouble("answers take thirty times as long", 19 * 60, 19 * 60 + 30, _slow),
    Trouble("no event comes", 21 * 60, 21 * 60 + 40, lambda _event, _rng: None),
    Trouble("three records cannot be read", 23 * 60, 23 * 60 + 1, lambda event, _rng: event),
)


def _event(rng: random.Random, kept: float = 0.87) -> RoutingEvent:
    took = rng.lognormvariate(3.3, 0.5)  # the median is 27 ms, p95 is 62 ms
    if rng.random() < kept:
        confidence = rng.uniform(0.86, 1.0)
        if rng.random() > 0.05:
            return routing_event(edge_confidence=confidence, end_to_end_ms=took)
        agrees = rng.random() < 0.94
        label = "negative" if agrees else "neutral"
        return _cloud_event("random_cloud", label, confidence, took)
    return _cloud_event("low_confidence", "neutral", rng.uniform(0.4, 0.8), took)


def _cloud_event(reason: str, label: str, confidence: float, took_ms: float) -> RoutingEvent:
    return routing_event(
        route="cloud",
        reason=reason,
        cloud_label=label,
        edge_confidence=confidence,
        cloud_confidence=0.93,
        cost_usd=0.001 + 0.0136,
        end_to_end_ms=took_ms + 40,
    )


def play(troubles: tuple[Trouble, ...], days: int = 1, seed: int = SEED) -> tuple[int, list[Alert]]:
    """When it began (UTC ms), and the alerts of so many days, as they were written."""
    rng = random.Random(seed)
    line = HealthLine(*load_health_rules())
    line.behind = {"edge": 0}
    begun = line.now
    for minute in range(days * DAY):
        under_way = [each for each in troubles if each.begin <= minute % DAY < each.end]
        if any(each.what.startswith("three records") for each in under_way):
            line.letters += [line.now] * 3
        events = list(_changed([_event(rng) for _ in range(EVENTS_A_MINUTE)], under_way, rng))
        if events:
            line.count(*events)
        line.now += MINUTE
        line.tick()
    return begun, line.written


def _changed(events: list[RoutingEvent], troubles: list[Trouble], rng: random.Random) -> Iterator[RoutingEvent]:
    for event in events:
        changed: RoutingEvent | None = event
        for trouble in troubles:
            changed = None if changed is None else trouble.change(changed, rng)
        if changed is not None:
            yield changed


def rows(troubles: tuple[Trouble, ...], begun: int, written: list[Alert]) -> Iterator[tuple[str, ...]]:
    """For each trouble, and each alert that fired from its beginning to the next one's: when it fired and resolved."""
    ends = [each.begin for each in troubles[1:]] + [DAY]
    for trouble, until in zip(troubles, ends, strict=True):
        fired: list[Alert | None] = [
            alert
            for alert in written
            if alert.state == "firing" and trouble.begin < (alert.started_at - begun) // MINUTE <= until
        ]
        for alert in fired or [None]:
            yield trouble.what, _span(trouble), *_told(trouble, begun, alert, written)


def _told(trouble: Trouble, begun: int, alert: Alert | None, written: list[Alert]) -> tuple[str, str, str]:
    if alert is None:
        return "none", "", ""
    after = (alert.started_at - begun) // MINUTE - trouble.begin
    ends = [each.resolved_at for each in written if each.alert_id == alert.alert_id and each.resolved_at is not None]
    over = f"{(ends[0] - begun) // MINUTE - trouble.end} min" if ends else "never"
    return f"`{alert.rule}`", f"{after} min", over


def _span(trouble: Trouble) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (trouble.begin, trouble.end))


def main() -> None:
    """Prints the table, or the alerts of quiet days."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", type=int, metavar="DAYS", help="play so many days without trouble")
    quiet = parser.parse_args().quiet
    logging.disable(logging.WARNING)
    if quiet:
        _, written = play((), quiet)
        print(f"{quiet} quiet days: {len(written)} alerts {[alert.summary for alert in written]}")
        return
    begun, written = play(TROUBLES)
    print("| trouble | from, to | alert | fires after | resolves after its end |")
    print("|---|---|---|---|---|")
    for row in rows(TROUBLES, begun, written):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
