"""A month of made-up windows, the same every time: what reports are tested, and pictured, on."""

import random
from collections.abc import Iterator
from dataclasses import replace

from schemas.records import LABELS, ConversationState, RoutingEvent
from streams.monitoring.at_risk import AtRisk
from streams.monitoring.forecast import forecast
from streams.monitoring.period import DAY_MS, Period
from streams.monitoring.window import Window
from streams.web.report import Report
from tests.conversations import states_of
from tests.events import RESULT, ROUTING

FIRST_DAY = 20_757  # 2026-10-31, a Saturday
DAYS = 30
NOW = (FIRST_DAY + DAYS - 1) * DAY_MS + DAY_MS // 2
"""Noon of the last day."""

HOSTILE = "<script>alert('a|b')</script>\"&_*`"
"""An id that a vendor could send."""


def month_of_events() -> Iterator[tuple[int, list[RoutingEvent]]]:
    """Each day's number and its events; at weekends a third of them, and on one day none at all."""
    draw = random.Random(7)
    for day in range(FIRST_DAY, FIRST_DAY + DAYS):
        weekend = (day - FIRST_DAY) % 7 < 2
        count = 0 if day == FIRST_DAY + 12 else draw.randint(80, 100) // (3 if weekend else 1)
        yield day, [_event(draw, day * DAY_MS + at) for at in range(count)]


def _event(draw: random.Random, at: int) -> RoutingEvent:
    edge, route = draw.choice(LABELS), draw.choices(("edge", "cloud"), (8, 2))[0]
    event = replace(
        ROUTING,
        recorded_at=at,
        edge_label=edge,
        edge_confidence=draw.uniform(0.5, 1),
        role=draw.choice(("customer", "agent")),
        channel=draw.choice(("voice", "chat", "email")),
        language=draw.choice(("en", "de", None)),
        pii=draw.choice(((), ("phone",), ("card", "name"))),
        end_to_end_ms=draw.lognormvariate(3.4, 0.5),
        vendor_label=draw.choice((None, edge)),
    )
    if route == "edge":
        return event
    return replace(
        event,
        route="cloud",
        reason=draw.choice(("random_cloud", "low_confidence")),
        cloud_label=edge if draw.random() < 0.9 else draw.choice(LABELS),
        cloud_confidence=draw.uniform(0.8, 1),
        model="cloud@1.0.0",
        cost_usd=draw.randint(5_000, 20_000) / 1e6,
        cost_basis=draw.choice(("measured", "assumed")),
        tokens_in=draw.randint(50, 300),
        tokens_out=1,
        end_to_end_ms=draw.lognormvariate(4.8, 0.4),
        budget_used=draw.random(),
    )


def month_of_windows() -> Iterator[Window]:
    """A window of each partition, of three, for each day with events."""
    for day, events in month_of_events():
        for partition in range(3):
            if part := events[partition::3]:
                window = Window(day * DAY_MS, day * DAY_MS + 60_000, partition)
                window.add(part)
                yield window


def month(since_ms: int = FIRST_DAY * DAY_MS) -> Period:
    """All of it."""
    period = Period(since_ms)
    for window in month_of_windows():
        period.add(window)
    return period


def state(conversation_id: str, risk: float, **changes: object) -> ConversationState:
    """How a conversation of one turn stands."""
    [made] = states_of([replace(RESULT, conversation_id=conversation_id)])
    return replace(made, risk=risk, risk_reasons=("displeasure", "worst_turn"), **changes)  # type: ignore[arg-type]


def report(*more: ConversationState) -> Report:
    """The report of the month, as of noon of its last day."""
    at_risk = AtRisk(0.7, 5)
    for each in (state("call-17", 0.91, status="ended"), state("call-18", 0.75), state("call-19", 0.2), *more):
        at_risk.add(each)
    return Report(month(), at_risk, forecast(month(), NOW), NOW)
