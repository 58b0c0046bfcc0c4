"""Recorded transcripts into `transcripts`: paced, in order per conversation, and resumable after an interruption."""

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.codec import EncodeError
from schemas.dead_letter import redriven_from
from schemas.errors import EdgewiseError, UsageError
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.recorded_event import recorded_events
from streams.files.recording import Format, RecordingError, digest, read_recording
from streams.ingest.pace import Pace, Pacer
from streams.kafka.client import DELIVERY_TIMEOUT_MS, Cluster
from streams.kafka.messages import header_texts, message_headers
from streams.kafka.reader import read_topic
from streams.kafka.refusals import explain_refusal
from streams.kafka.rights import require_rights
from streams.system.clock import Clock, now_ms
from streams.system.signals import kept_interrupts

RECORDING_HEADER = "edgewise-recording"  # the digest of the file that an event is from
RUN_HEADER = "edgewise-run"  # the replay that sent it
ROW_HEADER = "edgewise-row"  # its row number in the file, from 1
_ROW = re.compile("[0-9]{1,18}")

_FLUSH_TIMEOUT_S = DELIVERY_TIMEOUT_MS / 1000 + 5

# On Ctrl-C people wait for this long at most for what is on its way; with `resume` the rest is not lost.
_INTERRUPTED_FLUSH_S = 10.0

# Deliveries are seen to once in so many events, or sooner when there is time to wait.
_EVENTS_PER_POLL = 100


class ReplayError(EdgewiseError):
    """The broker did not take an event."""


class Summary(NamedTuple):
    """How a replay ended: `rows` to replay, `before` of them sent by the run that was resumed, `sent` by this one."""

    rows: int
    before: int
    sent: int
    interrupted: bool


class Event(NamedTuple):
    """A row of a recording, encoded."""

    row: int
    line: int
    occurred_at: int  # UTC milliseconds
    key: bytes
    value: bytes


class Recording(NamedTuple):
    """A file to replay: which columns hold what, its format (None: as its ending says), its first rows only."""

    path: Path
    columns: Mapping[str, str] = MappingProxyType({})
    file_format: Format | None = None
    limit: int | None = None

    def events(self, sha: str, encode: Callable[[Any], bytes], clock: Clock) -> Iterator[Event]:
        """The file's rows, encoded; `sha` is its digest. Raises RecordingError, also for what Avro cannot hold."""
        rows = islice(read_recording(self.path, columns=self.columns, file_format=self.file_format), self.limit)
        for row, event in recorded_events(rows, self.path, sha, self.columns, clock):
            try:
                value = encode(event)
            except EncodeError as error:
                raise RecordingError(f"{self.path}, line {row.line}: {error}") from None
            yield Event(row.number, row.line, event.occurred_at, event.conversation_id.encode(), value)


@dataclass(slots=True)
class _Run:
    """What is in `transcripts` of one replay of one recording."""

    id: str
    last_ms: int = -1
    rows: set[int] = field(default_factory=set)


def replay(
    settings: Settings,
    recordings: Sequence[Recording],
    *,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    resume: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _rows: None,
    clock: Clock = now_ms,
    clock_s: Callable[[], float] = time.monotonic,
) -> Summary:
    """Sends the rows of `recordings`, one file after another, at `pace`.

    All files are read and checked first: nothing is sent of recordings that cannot be read to the end; one that is
    changed while it is replayed is found at its end. Events are not validated; what the workers cannot use, they put
    into dead-letters. Sending is idempotent and in order per conversation. With `resume` only those rows are sent that
    the latest run of the same file has not brought into `transcripts`, under that run's id. `on_progress` is called
    with events done and rows, now and then. Ctrl-C (KeyboardInterrupt) ends it in good order; the summary tells.

    Raises RecordingError, BrokerUnreachableError, AccessError, UsageError (no topic), ReplayError.
    """
    name = settings.topic(TRANSCRIPTS)
    cluster = Cluster(settings)
    present = cluster.metadata().topics
    # Before the producer is made: without a right to write anywhere it fails in a way that confluent-kafka cannot tell.
    require_rights(cluster, "replay", {name: ["WRITE"]})
    if name not in present:
        raise UsageError(
            f"topic {name} does not exist at {settings.bootstrap_servers}: create the topics with "
            "`edgewise topics create`, or set EDGEWISE_TOPIC_PREFIX"
        )
    encode = codec(settings, TRANSCRIPTS).encode
    digests = [digest(recording.path) for recording in recordings]
    rows = sum(
        1 for recording, sha in zip(recordings, digests, strict=True) for _ in recording.events(sha, encode, clock)
    )
    runs = _latest_runs(cluster, set(digests)) if resume else {}
    before, interrupted, run_id = 0, False, str(uuid.uuid4())
    sender = _Sender(cluster, name, lambda delivered: on_progress(before + delivered, rows))
    try:
        with kept_interrupts():
            for recording, sha in zip(recordings, digests, strict=True):
                run = runs.get(sha, _Run(run_id))
                pacer = Pacer(pace, clock_s)
                unreadable = ""
                try:
                    for event in recording.events(sha, encode, clock):
                        if event.row in run.rows:
                            before += 1
                        else:
                            sender.wait(pacer, event.occurred_at)
                            sender.send(recording.path, sha, run.id, event)
                except RecordingError as error:  # it could be read to its end before
                    unreadable = f" ({error})"
                if unreadable or digest(recording.path) != sha:
                    sender.finish(_FLUSH_TIMEOUT_S)
                    raise RecordingError(
                        f"{recording.path} was changed while it was replayed{unreadable}: it may not be whole in "
                        f"{name}, which took {sender.delivered:,} events; replay a copy that stays as it is"
                    )
            sender.finish(_FLUSH_TIMEOUT_S)
    except KeyboardInterrupt:
        interrupted = True
        sender.finish(_INTERRUPTED_FLUSH_S, complete=False)
    return Summary(rows, before, sender.delivered, interrupted)


def _latest_runs(cluster: Cluster, digests: set[str]) -> dict[str, _Run]:
    """For each recording, the run that sent to `transcripts` last, and its rows there."""
    runs: dict[tuple[str, str], _Run] = {}
    for message in read_topic(cluster, TRANSCRIPTS):
        if redriven_from(message_headers(message)) is not None:
            continue  # the record stood there before, and that one tells when the run sent it
        headers = header_texts(message)
        sha, run_id, row = (headers.get(name, "") for name in (RECORDING_HEADER, RUN_HEADER, ROW_HEADER))
        if sha in digests and run_id and _ROW.fullmatch(row):  # others may write headers of that name
            run = runs.setdefault((sha, run_id), _Run(run_id))
            run.rows.add(int(row))
            run.last_ms = max(run.last_ms, message.timestamp()[1])
    latest: dict[str, _Run] = {}
    for (sha, _), run in runs.items():
        if sha not in latest or run.last_ms > latest[sha].last_ms:
            latest[sha] = run
    return latest


class _Sender:
    """The producer, and what became of what it was given."""

    def __init__(self, cluster: Cluster, topic: str, on_progress: Callable[[int], None]) -> None:
        self._settings = cluster.settings
        self._topic = topic
        self._on_progress = on_progress
        self.sent = 0
        self.delivered = 0
        self._refusal: str | None = None
        self._producer = cluster.producer({"linger.ms": 20})

    def wait(self, pacer: Pacer, occurred_at: int) -> None:
        """Waits until the next event is due, and sees to deliveries meanwhile."""
        due_s = pacer.due_s(occurred_at)
        while (wait_s := pacer.wait_s(due_s)) > 0:
            self._poll(min(wait_s, 0.2))  # not longer, for Ctrl-C and the progress bar

    def send(self, path: Path, sha: str, run_id: str, event: Event) -> None:
        """Hands `event` to the producer. Raises ReplayError when the broker did not take one before it."""
        headers: list[tuple[str, str | bytes | None]] = [
            (RECORDING_HEADER, sha),
            (RUN_HEADER, run_id),
            (ROW_HEADER, str(event.row)),
        ]
        on_delivery = partial(self._on_delivery, path, event.line)
        while True:
            try:
                self._producer.produce(self._topic, event.value, event.key, headers=headers, on_delivery=on_delivery)
                break
            except BufferError:
                self._poll(0.1)
            except KafkaException as error:
                raise ReplayError(f"{path}, line {event.line}: {self._reason(error.args[0])}") from None
        self.sent += 1
        if self.sent % _EVENTS_PER_POLL == 0:
            self._poll(0)

    def finish(self, timeout_s: float, *, complete: bool = True) -> None:
        """Waits for what is on its way. Raises ReplayError when the broker did not take it all, if it has to be."""
        self._producer.flush(timeout_s)
        if complete:
            self._on_progress(self.delivered)
            self._raise_refusal()
            if left := self.sent - self.delivered:
                raise ReplayError(f"the broker did not take {left} events within {timeout_s:g} s; go on with --resume")

    def _poll(self, timeout_s: float) -> None:
        self._producer.poll(timeout_s)
        self._raise_refusal()
        self._on_progress(self.delivered)

    def _on_delivery(self, path: Path, line: int, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.delivered += 1
        elif self._refusal is None:
            self._refusal = f"{path}, line {line}: the broker did not take it: {self._reason(error)}"

    def _reason(self, error: KafkaError) -> str:
        return explain_refusal(self._settings, error, f"WRITE on topic {self._topic}")

    def _raise_refusal(self) -> None:
        if self._refusal is not None:
            raise ReplayError(f"{self._refusal}; go on with --resume when that is mended")
