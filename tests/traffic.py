"""A made-up day of a line, the same every time: what the page is tested, and pictured, on."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from schemas.records import (
    LABELS,
    Alert,
    Channel,
    ConversationState,
    Label,
    Reason,
    Role,
    RoutingEvent,
    SentimentResult,
    TranscriptEvent,
)
from schemas.topics import ALERTS, CONVERSATIONS, MONITORING, ROUTING_EVENTS, TRANSCRIPTS
from streams.agents.open_windows import HOUR_MS, WindowKey
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.window import Window
from streams.operate.topics import create
from tests.conversations import states_of
from tests.events import RESULT, ROUTING, TRANSCRIPT

WORDS = "Marzipan"
"""Stands in every text, and must stand nowhere that texts are not to be shown."""

_PARTITIONS = 4
_SAYS = {
    "negative": "I have been waiting for three weeks, and nobody answers.",
    "neutral": "The order number is on the invoice.",
    "positive": "That was quick, thank you very much.",
}


@dataclass(frozen=True)
class Said:
    """A turn: what Kafka took, what became of it, and what it was audited with."""

    partition: int
    transcript: TranscriptEvent
    result: SentimentResult | None
    audit: tuple[RoutingEvent, ...]


def traffic(now_ms: int, conversations: int) -> Iterator[Said]:
    """Conversations of the last 25 hours, up to `now_ms` (UTC), turn by turn; every seventh gets worse and worse."""
    draw = random.Random(11)
    for number in range(conversations):
        begin = now_ms - 120_000 - HOUR_MS * 25 * (conversations - 1 - number) // conversations
        channels: tuple[Channel, ...] = ("voice", "chat", "email")
        channel = draw.choice(channels)
        for turn in range(1, draw.randint(4, 16)):
            worse = number % 7 == 0 and draw.random() < turn / 8
            role: Role = draw.choices(("customer", "agent", "bot"), (5, 4, 1))[0]
            label: Label = "negative" if worse and role == "customer" else draw.choices(LABELS, (2, 5, 3))[0]
            at = min(begin + turn * 20_000, now_ms - 1_000)
            transcript = replace(
                TRANSCRIPT,
                event_id=f"call-{number}-{turn}",
                conversation_id=f"call-{number}",
                turn=turn,
                text=f"{_SAYS[label]} {WORDS} {number}",
                occurred_at=at - 3_000,
                role=role,
                channel=channel,
                source="made up",
                last=False,
            )
            yield _said(draw, number % _PARTITIONS, transcript, label, at)


def _said(draw: random.Random, partition: int, transcript: TranscriptEvent, label: Label, at: int) -> Said:
    same = {
        name: getattr(transcript, name)
        for name in ("event_id", "conversation_id", "turn", "role", "channel", "source", "last", "occurred_at")
    }
    latency, confidence = draw.lognormvariate(3.6, 0.4), draw.uniform(0.55, 0.99)
    edge = replace(
        ROUTING,
        **same,
        recorded_at=at,
        edge_label=label,
        edge_confidence=confidence,
        end_to_end_ms=latency,
        complexity=draw.uniform(0.1, 0.7),
        language=draw.choice(("en", "en", "de")),
        pii=draw.choice(((), (), ("phone",))),
        model="edge@3.0.0",
        router="default@2",
    )
    if transcript.role == "bot":
        unscored = replace(
            edge, scored=False, reason="not_scored", edge_label="neutral", edge_confidence=0.0, cost_usd=0.0,
            cloud_only_cost_usd=0.0,
        )  # fmt: skip
        return Said(partition, transcript, None, (unscored,))
    drawn = draw.random()
    reason: Reason = "low_confidence" if confidence < 0.65 else "random_cloud" if drawn < 0.05 else "optimal_edge"
    failed = reason == "low_confidence" and drawn > 0.95
    away = reason != "optimal_edge" and not failed
    took = latency + draw.lognormvariate(4.6, 0.4) if away else latency
    other: Label = draw.choice(LABELS) if away and draw.random() < 0.1 else label
    last = replace(edge, reason="cloud_error" if failed else reason, degraded=failed)
    audit: tuple[RoutingEvent, ...] = (last,)
    if away:
        decided = replace(edge, stage="decided", route="cloud", reason=reason, cloud_only_cost_usd=0.0)
        last = replace(
            decided, stage="completed", cloud_label=other, cloud_confidence=0.93, model="cloud@2.1.0", cost_usd=0.0126,
            cloud_only_cost_usd=0.0136, end_to_end_ms=took, recorded_at=at + round(took - latency), tokens_in=40,
            tokens_out=1, calls=1, cost_basis="measured",
        )  # fmt: skip
        audit = (decided, last)
    low, middle, high = (0.9 if name == other else 0.05 for name in LABELS)
    result = replace(
        RESULT, **same, negative=low, neutral=middle, positive=high,
        label=other, confidence=0.9, route=last.route, reason=last.reason, degraded=failed,
        model=last.model, scored_at=last.recorded_at,
    )  # fmt: skip
    return Said(partition, transcript, result, audit)


def windows(said: list[Said], length_ms: int = 60_000) -> dict[WindowKey, Window]:
    """What the monitor makes of it."""
    events: defaultdict[WindowKey, list[RoutingEvent]] = defaultdict(list)
    for each in said:
        for event in each.audit:
            start = event.recorded_at // length_ms * length_ms
            events[WindowKey(start, each.partition)].append(event)
    found = {}
    for key, added in events.items():
        found[key] = Window(key.start, key.start + length_ms, key.partition)
        found[key].add(added)
    return found


def states(said: list[Said]) -> list[ConversationState]:
    """What the conversation agent makes of it."""
    return states_of(each.result for each in said if each.result is not None)


def alerts(now_ms: int) -> list[Alert]:
    """One that fires and one that has resolved."""
    firing = Alert(
        rule="latency_p95_ms", alert_id="a1", state="firing", severity="warning", metric="latency_p95_ms",
        summary="p95 latency is 181 ms, at most 150 ms is allowed", value=181.0, bound=150.0, window_ms=300_000,
        started_at=now_ms - 2_000_000, updated_at=now_ms,
    )  # fmt: skip
    resolved = replace(
        firing, rule="edge_share", alert_id="a2", state="resolved", metric="edge_share", value=0.84, bound=0.8,
        summary="the edge share was under 0.80", started_at=now_ms - 9_000_000, resolved_at=now_ms - 7_000_000,
    )  # fmt: skip
    return [firing, resolved]


def fill(settings: Settings, now_ms: int, conversations: int) -> list[Said]:
    """Creates the topics and puts all of it there, each record written when it would have been."""
    create(settings)
    said = list(traffic(now_ms, conversations))
    producer = Cluster(settings).producer()

    def send(topic: str, key: bytes, value: bytes, at: int, partition: int = 0) -> None:
        producer.produce(settings.topic(topic), value, key, partition, timestamp=at)
        producer.poll(0)

    audit, transcripts = codec(settings, ROUTING_EVENTS).encode, codec(settings, TRANSCRIPTS).encode
    for each in said:
        key = each.transcript.conversation_id.encode()
        taken = int(each.audit[0].recorded_at - each.audit[0].end_to_end_ms)
        send(TRANSCRIPTS, key, transcripts(each.transcript), taken, each.partition)
        for event in each.audit:
            send(ROUTING_EVENTS, key, audit(event), event.recorded_at + 5, each.partition)
    monitoring = codec(settings, MONITORING).encode
    for window_key, window in windows(said).items():
        send(MONITORING, window_key.encoded(), monitoring(window.to_record(now_ms)), window.end)
    conversation = codec(settings, CONVERSATIONS).encode
    for state in states(said):
        partition = int(state.conversation_id.rpartition("-")[2]) % _PARTITIONS
        send(CONVERSATIONS, state.conversation_id.encode(), conversation(state), max(state.turn_times), partition)
    for alert in alerts(now_ms):
        send(ALERTS, alert.rule.encode(), codec(settings, ALERTS).encode(alert), alert.updated_at)
    assert producer.flush(30) == 0
    return said
