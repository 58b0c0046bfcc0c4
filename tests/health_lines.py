"""The health agent between its topics, with a clock of its own: what is committed stays, what is aborted never was."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from schemas.codec import Codec
from schemas.records import Alert, RoutingEvent, Silence
from schemas.topics import ALERTS, LABELS, MONITORING, SILENCES
from streams.agents.agent import KafkaRecord, Output
from streams.agents.health import HealthAgent
from streams.agents.open_windows import WindowKey
from streams.config.settings import Settings
from streams.monitoring.drift import Reference
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.window import Window
from tests.events import consumer_record, routing_event

MINUTE = 60_000
NOON = 1_700_049_600_000 // MINUTE * MINUTE

EDGE = routing_event()
CLOUD = routing_event(route="cloud", reason="low_confidence", cloud_label="negative", cloud_confidence=0.9)

alerts = Codec(ALERTS)
monitoring = Codec(MONITORING)
silences = Codec(SILENCES)


def health_rule(name: str = "edge_share_low", **keys: object) -> HealthRule:
    """A rule: an edge share of at least 0.5 in ten minutes, with `keys` in the place of its own; None: without it."""
    own = {"metric": "edge_share", "at_least": 0.5, "window": "10m", "severity": "warning", **keys}
    return HealthRule.model_validate({"name": name, **{key: value for key, value in own.items() if value is not None}})


class HealthLine:
    """What the agent sees of a line. `now` is UTC milliseconds; windows are a minute's, of partition 0."""

    def __init__(self, *rules: HealthRule, reference: Reference | None = None) -> None:
        self.now = NOON
        self.reference = reference
        self.rules = rules or (health_rule(),)
        self.stored: dict[str, list[tuple[bytes, bytes | None, int]]] = {
            ALERTS: [],
            MONITORING: [],
            SILENCES: [],
            LABELS: [],
        }
        self.written: list[Alert] = []
        self.letters: list[int] = []
        self.told = 0  # of the letters
        self.behind: Mapping[str, int] | None = {}
        self.windows: dict[int, Window] = {}
        self.unread: list[KafkaRecord] = []
        self.agent = self.worker()

    def worker(self) -> HealthAgent:
        self.told = 0
        return HealthAgent(Settings(), self.rules, self.read_back, self, self.reference)

    def read_back(self, topic: str, since_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        return iter([(key, value) for key, value, at_ms in self.stored[topic] if at_ms >= since_ms])

    def new_dead_letters(self, since_ms: int) -> Sequence[int]:
        new, self.told = self.letters[self.told :], len(self.letters)
        return [at for at in new if at >= since_ms]

    def lags(self) -> Mapping[str, int] | None:
        return self.behind

    def count(self, *events: RoutingEvent) -> None:
        """The monitor counts `events` in the window of now."""
        start = self.now // MINUTE * MINUTE
        window = self.windows.setdefault(start, Window(start, start + MINUTE, 0))
        window.add(events)
        key, value = WindowKey(start, 0).encoded(), monitoring.encode(window.to_record(self.now))
        self.stored[MONITORING].append((key, value, self.now))
        self.unread.append(consumer_record(value, topic=MONITORING, key=key))

    def silence(self, rule: str, minutes: int | None) -> None:
        """`edgewise alerts silence`, or with None `unsilence`."""
        value = None
        if minutes is not None:
            value = silences.encode(Silence(rule=rule, until=self.now + minutes * MINUTE, created_at=self.now))
        self.stored[SILENCES].append((rule.encode(), value, self.now))

    def process(self) -> list[Output]:
        outputs = asyncio.run(self.agent.process(self.unread))
        self.unread = []
        return outputs

    def tick(self, *, commit: bool = True) -> list[Alert]:
        """The agent reads what is there and is asked; what it has written."""
        self.process()
        outputs = asyncio.run(self.agent.tick(self.now, [0]))
        if not commit:
            self.agent.positions_set_back([0])
            return []
        for output in outputs:
            assert output.topic == ALERTS
            assert output.key is not None
            self.stored[ALERTS].append((output.key, output.value, self.now))
        found = [alerts.decode(output.value) for output in outputs]
        self.written += found
        return found

    def restart(self) -> None:
        self.agent = self.worker()

    def minutes(self, number: int, *events: RoutingEvent) -> list[Alert]:
        """So many minutes go by, each with `events` and a look at its end."""
        found = []
        for _ in range(number):
            self.count(*events)
            self.now += MINUTE
            found += self.tick()
        return found
