"""The health agent: the rules over the windows, and the alerts that come of them."""

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from schemas.codec import DecodeError
from schemas.errors import UsageError
from schemas.records import Alert, MonitoringWindow, Silence
from schemas.topics import ALERTS, LABELS, MONITORING, SILENCES, R, Topic
from streams.agents import metrics
from streams.agents.agent import Agent, KafkaRecord, LineView, Output, ReadBack
from streams.agents.decoding import Decoder
from streams.agents.topic_state import StateError
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.monitoring.alerting import alert_key, next_alert, resolved_without_rule
from streams.monitoring.drift import Reference
from streams.monitoring.health_rules import HealthRule, duration_text, load_health_rules
from streams.monitoring.people import PeopleLabels
from streams.monitoring.reference_file import read_reference
from streams.monitoring.rule_watch import KeyedWindow, Line, RuleWatch, Standing
from streams.monitoring.window import Window
from streams.system.threads import in_daemon_thread

logger = logging.getLogger(__name__)


# People bring labels once a day or once a week, and all of them are read again.
_LABELS_MS: Final = 600_000


class HealthAgent(Agent):
    """monitoring -> alerts: what fires, and what resolves, by its rules; what is poison -> dead-letters.

    An alert is written with the positions that it was found at, so a worker that has lost its partition writes none.
    `alerts` is the agent's state: what is firing is read back after a restart, and neither fires nor resolves twice.
    What a rule measures is read back from `monitoring`. All windows are in one partition, and so is all that follows.
    """

    name = "health"
    gather_s = 0.5
    tick_s = 5.0

    def __init__(
        self,
        settings: Settings,
        rules: Sequence[HealthRule],
        read_back: ReadBack,
        line: LineView,
        reference: Reference | None = None,
    ) -> None:
        """`reference` is what drift is measured against; without one the rules on drift have nothing to judge."""
        self.source = settings.topic(MONITORING)
        self.chunk_records = settings.chunk_records
        self._rules = rules
        self._read_back = read_back
        self._line = line
        self._reference = reference
        self._labels = codec(settings, LABELS)
        self._people: PeopleLabels | None = None
        self._labels_read_ms = 0
        self._topic = settings.topic(ALERTS)
        self._windows = Decoder(settings, self.name, MONITORING, _require_window)
        self._monitoring = codec(settings, MONITORING)
        self._alerts = codec(settings, ALERTS)
        self._silences = codec(settings, SILENCES)
        self._unreadable = 0  # records of `silences`
        self._letters: list[int] = []  # when each was put there
        self._watch: RuleWatch | None = None  # None: it must catch up
        self._firing: dict[str, Alert] = {}  # by rule

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """Dead letters alone: the windows of `records` count at the next tick. Raises `TooManyDeadLettersError`."""
        good, letters = self._windows.decode_all(records)
        if self._watch is not None:  # else it will read them back
            for record, window in good:
                if record.key is not None and record.value is not None:
                    self._watch.put(KeyedWindow(record.key, record.value, window))
        return letters

    async def tick(self, now_ms: int, partitions: Collection[int]) -> list[Output]:
        """The alerts that have changed, if this is the worker that has the partition of `monitoring`.

        Raises what reading back raises.
        """
        if 0 not in partitions:
            metrics.RULE_VALUE.clear()
            metrics.ALERTS_FIRING.clear()
            return []
        # In a thread: reading back takes as long as it takes, and a stop signal must not wait for it.
        return await in_daemon_thread(partial(self._tick, now_ms))

    def positions_set_back(self, partitions: Collection[int]) -> None:
        """Forgets alerts that were not committed; others may have written some since, and windows have come."""
        if 0 in partitions:
            self._watch = None

    def _tick(self, now_ms: int) -> list[Output]:
        watch = self._watch
        line = self._asked(now_ms)
        if watch is None:
            watch = self._caught_up(line, now_ms)
            self._firing = self._firing_alerts()
            self._watch = watch
        silenced = self._silenced(now_ms)
        changed = []
        for standing in watch.look(now_ms, line):
            rule = standing.rule.name
            alert = next_alert(standing, self._firing.get(rule), silenced=rule in silenced, now_ms=now_ms)
            changed += [] if alert is None else [alert]
            self._show(standing)
        known = {rule.name for rule in self._rules}
        changed += [resolved_without_rule(alert, now_ms) for rule, alert in self._firing.items() if rule not in known]
        for alert in changed:
            if alert.state == "firing":
                self._firing[alert.rule] = alert
            else:
                del self._firing[alert.rule]
            logger.warning("alert %s (%s) is %s: %s", alert.rule, alert.severity, alert.state, alert.summary)
        self._show_firing()
        return [Output(self._topic, alert_key(alert.rule), self._alerts.encode(alert)) for alert in changed]

    def _asked(self, now_ms: int) -> Line:
        """What the line says of itself besides its windows."""
        of_letters = [rule.window + rule.for_ for rule in self._rules if rule.of.source == "dead letters"]
        if of_letters:
            since = max(0, now_ms - max(of_letters))
            self._letters = [at for at in (*self._letters, *self._line.new_dead_letters(since)) if at > since]
        has_lag = any(rule.of.source == "lag" for rule in self._rules)
        self._read_labels(now_ms)
        return Line(self._letters, self._line.lags() if has_lag else None, self._people)

    def _read_labels(self, now_ms: int) -> None:
        """Reads people's labels anew, where a rule goes by them and it was not done lately."""
        is_due = self._people is None or now_ms - self._labels_read_ms >= _LABELS_MS
        if not is_due or not any(rule.of.source == "labels" for rule in self._rules):
            return
        found = PeopleLabels()
        for _, value in self._read_back(LABELS, 0):
            with suppress(DecodeError):  # what is no label says nothing
                found.add(self._labels.decode(value))
        self._people, self._labels_read_ms = found, now_ms

    def _caught_up(self, line: Line, now_ms: int) -> RuleWatch:
        watch = RuleWatch(self._rules, self._monitoring.decode, self._reference)
        since = max(0, now_ms - watch.history_ms)
        windows = []
        for key, value in self._latest(MONITORING, since):
            try:
                record = self._monitoring.decode(value)
            except DecodeError:  # it comes as a record, too, and becomes a dead letter
                continue
            windows.append(KeyedWindow(key, value, record))
        watch.catch_up(windows, line, now_ms)
        return watch

    def _firing_alerts(self) -> dict[str, Alert]:
        found = {}
        for key, value in self._latest(ALERTS, 0):
            try:
                alert = self._alerts.decode(value)
            except DecodeError as error:
                raise StateError(key, self._topic, error) from None
            if alert.state == "firing" and not alert.subject:  # others are the conversations'
                found[alert.rule] = alert
        return found

    def _silenced(self, now_ms: int) -> set[str]:
        """The rules whose alerts nobody is to be told of now. A record that cannot be read silences nothing."""
        found: list[Silence] = []
        values = self._latest(SILENCES, 0)
        for _, value in values:
            with suppress(DecodeError):
                found.append(self._silences.decode(value))
        if len(values) - len(found) > self._unreadable:
            logger.warning("%d records of %s cannot be read: they silence nothing", len(values) - len(found), SILENCES)
        self._unreadable = len(values) - len(found)
        return {silence.rule for silence in found if silence.until > now_ms}

    def _latest(self, topic: Topic[R], since_ms: int) -> list[tuple[bytes, bytes]]:
        latest = {key: value for key, value in self._read_back(topic, since_ms) if key is not None}
        return [(key, value) for key, value in latest.items() if value is not None]

    def _show(self, standing: Standing) -> None:
        if standing.value is None:
            metrics.RULE_VALUE.remove(standing.rule.name)
        else:
            metrics.RULE_VALUE.labels(standing.rule.name).set(standing.value)

    def _show_firing(self) -> None:
        metrics.ALERTS_FIRING.clear()
        for rule in self._rules:
            metrics.ALERTS_FIRING.labels(rule.name, rule.severity).set(rule.name in self._firing)


def _require_window(record: MonitoringWindow) -> None:
    """Raises `DecodeError` for a record whose sketches cannot be read."""
    try:
        Window.from_record(record)
    except (ValueError, OverflowError) as error:
        raise DecodeError("undecodable", str(error)) from None


async def build(settings: Settings, read_back: ReadBack, line: LineView) -> HealthAgent:
    """The agent with its rules, and with what drift is measured against.

    Raises HealthRuleError, DriftReferenceError; UsageError: a rule's window is shorter than those it counts.
    """
    reference = None if settings.drift_reference is None else read_reference(settings.drift_reference)
    # Without a reference the windows of a day, which the rules on drift measure, need not be held.
    rules = [
        rule for rule in load_health_rules(settings.health_rules) if rule.of.aspect is None or reference is not None
    ]
    length = settings.window_s * 1000
    for rule in rules:
        # Only windows that begin within the rule's count: where no events are to be noticed, one has to have ended.
        least, said = (2 * length, "twice") if rule.metric == "events" else (length, "at least")
        if 0 < rule.window < least and rule.of.source == "windows":
            raise UsageError(
                f"rule {rule.name} measures {duration_text(rule.window)}, and EDGEWISE_WINDOW_S is "
                f"{settings.window_s}: make the rule's window {said} as long"
            )
    return HealthAgent(settings, rules, read_back, line, reference)
