"""What the page knows of the line: `monitoring`, `conversations`, `alerts` and `labels`, followed in threads."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from itertools import islice
from threading import Event, Lock, Thread
from typing import Final, Self

from confluent_kafka import Message

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError
from schemas.records import Alert
from schemas.topics import ALERTS, CONVERSATIONS, LABELS, MONITORING
from schemas.validation import MAX_AHEAD_MS
from streams.agents.open_windows import HOUR_MS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.messages import message_key, message_value
from streams.kafka.reader import read_topic
from streams.monitoring.health import Health, assess
from streams.monitoring.health_metrics import Beside
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.people import PeopleLabels
from streams.monitoring.period import DAY_MS, Period
from streams.monitoring.reference_file import read_reference
from streams.monitoring.window import Window
from streams.operate.follow import Follower
from streams.operate.hourly_windows import HourlyWindows, WindowRecord
from streams.operate.open_alerts import SEVERITIES
from streams.operate.risk_index import RiskIndex, StateRecord
from streams.operate.temporary_file import TemporaryFileError
from streams.system.clock import Clock, now_ms

logger = logging.getLogger(__name__)

DAYS: Final = 30
"""So long `monitoring`, `conversations` and `alerts` are kept."""

_RECENT_HOURS: Final = 24  # read first
_RATE_MS: Final = 300_000
_MERGED_AT_ONCE: Final = 32  # whoever wants to look waits for so many, some 15 ms
_READ_AT_ONCE: Final = 1_000
_MOST_ALERTS: Final = 1_000
_AGAIN_S: Final = 5.0


class Board:
    """Use it as a context: threads read while it is open. It commits nothing and joins no group.

    Its memory does not grow with windows and conversations: they lie in temporary files. The last day is read first,
    and what can be seen is right from the start for the hours that were read.
    """

    def __init__(self, cluster: Cluster, clock: Clock = now_ms) -> None:
        """Raises DriftReferenceError: the reference for drift that the settings name cannot be used."""
        settings = cluster.settings
        now = clock()
        self._cluster = cluster
        self._clock = clock
        self._window_ms = settings.window_s * 1000
        self._windows = HourlyWindows(codec(settings, MONITORING).decode, now - DAYS * DAY_MS)
        self.risks = RiskIndex()
        self._decode_state = codec(settings, CONVERSATIONS).decode
        self._decode_alert = codec(settings, ALERTS).decode
        self._decode_label = codec(settings, LABELS).decode
        self._reference = None if settings.drift_reference is None else read_reference(settings.drift_reference)
        self.people = PeopleLabels()
        self._alerts: dict[bytes, Alert] = {}
        self._firings: dict[str, Alert] = {}  # of the rules, each that there was in these days, by its id
        self._lock = Lock()
        self._swept_hour = now // HOUR_MS
        self._changes = 0
        self.lost: Future[None] = Future()
        """Has a TemporaryFileError once a file could not be written: what is shown may be wrong from then on."""
        self._all_read = Event()
        self._closing = Event()
        recent_ms = (now // HOUR_MS - _RECENT_HOURS) * HOUR_MS - MAX_AHEAD_MS
        begin_ms = now - DAYS * DAY_MS - MAX_AHEAD_MS
        self._recent = Follower(cluster, MONITORING, recent_ms, self._take_windows, self._merge)
        self._followers = (
            self._recent,
            Follower(cluster, ALERTS, begin_ms, self._take_alerts),
            Follower(cluster, LABELS, begin_ms, self._take_labels),
            Follower(cluster, CONVERSATIONS, begin_ms, self._take_states),
        )
        self._earlier = Thread(target=self._read_earlier, args=(begin_ms,), name="read monitoring", daemon=True)

    def __enter__(self) -> Self:
        for follower in self._followers:
            follower.start()
        self._earlier.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for follower in self._followers:
            follower.stop()
        self._earlier.join(2.0)

    @property
    def version(self) -> int:
        """Another number whenever there is something new to be seen."""
        return self._windows.changes + self.risks.changes + self._changes

    def fault(self) -> str | None:
        """Why what is seen may be old; None: it is not."""
        return next((found for each in self._followers if (found := each.fault) is not None), None)

    def reading(self) -> str | None:
        """What is not read yet, in words; None: all that the topics hold was read."""
        waiting = self._windows.waiting()
        if not self._recent.is_at_end:
            return "The last day is being read."
        if not self._all_read.is_set():
            return f"The days before are being read; {waiting:,} windows are yet to be added up."
        if waiting > _MERGED_AT_ONCE:
            return f"{waiting:,} windows of earlier days are yet to be added up."
        return None if all(each.is_at_end for each in self._followers) else "Conversations are being read."

    def hours(self, since_ms: int) -> dict[int, Window]:
        """The hours with events from that of `since_ms` (UTC) on, by their number since 1970, in order."""
        return self._windows.hours(since_ms, self._clock() + DAY_MS)

    def period(self, since_ms: int) -> Period:
        """The days from that of `since_ms` (UTC) on."""
        return self._windows.period(since_ms)

    def rate(self) -> tuple[float, int]:
        """Events a second over the last five minutes or two windows, and when these began (UTC ms)."""
        now = self._clock()
        begin = (now - max(_RATE_MS, 2 * self._window_ms)) // self._window_ms * self._window_ms
        return self._windows.events_since(begin) * 1000 / (now - begin), begin

    def alerts(self) -> list[Alert]:
        """Those that fire, then those that have resolved; of each the rules', by severity, then the conversations'."""
        with self._lock:
            found = list(self._alerts.values())
        return sorted(
            found,
            key=lambda alert: (
                alert.state != "firing",
                alert.subject != "",
                SEVERITIES.index(alert.severity),
                -alert.started_at,
            ),
        )

    def firings(self) -> list[Alert]:
        """Each time that a rule has fired and was not over before these days, the first one first."""
        begin_ms = self._clock() - DAYS * DAY_MS
        with self._lock:
            for alert in [each for each in self._firings.values() if (each.resolved_at or begin_ms) < begin_ms]:
                del self._firings[alert.alert_id]
            found = list(self._firings.values())
        return sorted(found, key=lambda each: each.started_at)

    def health(self, total: Window, spans: Sequence[Window], bounds: Mapping[str, HealthRule]) -> Health:
        """The health of the time that `total` counts, by people's labels and by the reference for drift, too."""
        return assess(total, spans, bounds, Beside(self._reference, self.people))

    def _merge(self) -> bool:
        """Adds windows up; whether there are more. Forgets what retention has removed, once an hour."""
        hour = self._clock() // HOUR_MS
        with self._written():
            if hour != self._swept_hour:
                self._swept_hour = hour
                self._windows.forget_before(self._clock() - DAYS * DAY_MS)
                self.risks.forget_before(self._clock() - DAYS * DAY_MS)
            return self._windows.merge(_MERGED_AT_ONCE) == _MERGED_AT_ONCE

    def _take_windows(self, messages: Sequence[Message]) -> None:
        with self._written():
            self._windows.put(_window_records(messages))

    def _take_states(self, messages: Sequence[Message]) -> None:
        with self._written():
            self.risks.put(self._state_record(message) for message in messages if message_key(message) is not None)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Half of what was to be written may be in a file that has failed: `lost` says so."""
        try:
            yield
        except TemporaryFileError as error:
            with suppress(InvalidStateError):  # another thread was first
                self.lost.set_exception(error)
            raise

    def _state_record(self, message: Message) -> StateRecord:
        value = message_value(message)
        try:
            state = None if value is None else self._decode_state(value)
        except DecodeError:
            state = None
        place = message.partition() or 0, message.offset() or 0
        return StateRecord(*place, message_key(message) or b"", message.timestamp()[1], state)

    def _take_alerts(self, messages: Sequence[Message]) -> None:
        with self._lock:
            for message in messages:
                key, value = message_key(message), message_value(message)
                if key is None:
                    continue
                try:
                    alert = None if value is None else self._decode_alert(value)
                except DecodeError:
                    continue
                self._alerts.pop(key, None)
                if alert is not None:
                    self._alerts[key] = alert
                    if not alert.subject:
                        self._firings[alert.alert_id] = alert
            # Rules are few, conversations any number. Of theirs the resolved go first, then the oldest.
            of_conversations = [key for key, alert in self._alerts.items() if alert.subject]
            of_conversations.sort(key=lambda key: self._alerts[key].state == "firing")
            for key in of_conversations[: max(0, len(self._alerts) - _MOST_ALERTS)]:
                del self._alerts[key]
            self._changes += len(messages)

    def _take_labels(self, messages: Sequence[Message]) -> None:
        for message in messages:
            with suppress(DecodeError):
                self.people.add(self._decode_label(message_value(message) or b""))
        with self._lock:
            self._changes += len(messages)

    def _read_earlier(self, begin_ms: int) -> None:
        """Reads what was written before the last day; what goes wrong is tried again."""
        while not self._closing.is_set():
            try:
                found = read_topic(self._cluster, MONITORING, since_ms=begin_ms)
                while (part := list(islice(found, _READ_AT_ONCE))) and not self._closing.is_set():
                    self._take_windows(part)
            except EdgewiseError as error:
                logger.warning("%s", error)
                self._closing.wait(_AGAIN_S)
            else:
                self._all_read.set()
                return


def _window_records(messages: Sequence[Message]) -> Iterator[WindowRecord]:
    for message in messages:
        if (key := message_key(message)) is not None:
            yield WindowRecord(message.offset() or 0, key, message_value(message))
