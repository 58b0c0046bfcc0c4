"""Recorded transcripts into `transcripts`: paced, in order per conversation, and resumable after an interruption."""

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from recordings.fault import RecordingError
from schemas.codec import EncodeError
from schemas.dead_letter import redriven_from
from schemas.errors import EdgewiseError, UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.formats.turn import LeftOut
from streams.files.recorded_event import recorded_events
from streams.files.recording import Row, digest
from streams.files.rows import Input, read_rows
from streams.files.vendor_file import LeftOutCounts
from streams.ingest.pace import Pace, Pacer
from streams.ingest.sender import SendError, TranscriptSender
from streams.kafka.client import Cluster
from streams.kafka.messages import header_texts, message_headers
from streams.kafka.reader import read_topic
from streams.kafka.rights import require_rights
from streams.system.clock import Clock, now_ms
from streams.system.signals import kept_interrupts

RECORDING_HEADER = "edgewise-recording"  # the digest of the file that an event is from
RUN_HEADER = "edgewise-run"  # the replay that sent it
ROW_HEADER = "edgewise-row"  # its row number in the file, from 1
_ROW = re.compile("[0-9]{1,18}")

# On Ctrl-C people wait for this long at most for what is on its way; with `resume` the rest is not lost.
_INTERRUPTED_FLUSH_S = 10.0


class ReplayError(EdgewiseError):
    """The broker did not take an event."""


class Summary(NamedTuple):
    """How a replay ended: `rows` to replay, `before` of them sent by the run that was resumed, `sent` by this one.

    `left_out` is what in vendors' files was no turn.
    """

    rows: int
    before: int
    sent: int
    interrupted: bool
    left_out: LeftOutCounts = MappingProxyType({})


class Recording(NamedTuple):
    """A file to replay, and how it is read; the roles of `given.vendor` are of recordings too."""

    path: Path
    given: Input = Input()

    def events(
        self,
        sha: str,
        clock: Clock,
        on_left_out: Callable[[LeftOutCounts], object] = lambda _: None,
    ) -> Iterator[tuple[Row, TranscriptEvent]]:
        """The file's rows with their events; `sha` is its digest. Raises RecordingError."""
        given = replace(self.given, vendor=replace(self.given.vendor, timed=True))
        rows = read_rows(self.path, given, on_left_out=on_left_out)
        yield from recorded_events(rows, self.path, sha, given.columns, clock, given.vendor.roles)

    def check(
        self, sha: str, encode: Callable[[TranscriptEvent], bytes], clock: Clock, left_out: Counter[LeftOut]
    ) -> int:
        """How many events the file has. What is no turn is added to `left_out`.

        Raises RecordingError, also for what Avro cannot hold.
        """
        events = 0
        for row, event in self.events(sha, clock, left_out.update):
            try:
                encode(event)
            except EncodeError as error:
                raise RecordingError(f"{self.path}, line {row.line}: {error}") from None
            events += 1
        return events


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
    left_out: Counter[LeftOut] = Counter()
    rows = sum(
        recording.check(sha, encode, clock, left_out) for recording, sha in zip(recordings, digests, strict=True)
    )
    runs = _latest_runs(cluster, set(digests)) if resume else {}
    before, interrupted, run_id = 0, False, str(uuid.uuid4())
    sender = TranscriptSender(cluster, lambda delivered: on_progress(before + delivered, rows))
    try:
        with kept_interrupts():
            for recording, sha in zip(recordings, digests, strict=True):
                run = runs.get(sha, _Run(run_id))
                pacer = Pacer(pace, clock_s)
                unreadable = ""
                try:
                    for row, event in recording.events(sha, clock):
                        if row.number in run.rows:
                            before += 1
                            continue
                        due_s = pacer.due_s(event.occurred_at)
                        while (wait_s := pacer.wait_s(due_s)) > 0:
                            sender.poll(min(wait_s, 0.2))  # not longer, for Ctrl-C and the progress bar
                        headers = ((RECORDING_HEADER, sha), (RUN_HEADER, run.id), (ROW_HEADER, str(row.number)))
                        sender.send(event, place=f"{recording.path}, line {row.line}", headers=headers)
                except RecordingError as error:  # it could be read to its end before
                    unreadable = f" ({error})"
                if unreadable or digest(recording.path) != sha:
                    sender.finish()
                    raise RecordingError(
                        f"{recording.path} was changed while it was replayed{unreadable}: it may not be whole in "
                        f"{name}, which took {sender.delivered:,} events; replay a copy that stays as it is"
                    )
            sender.finish()
    except KeyboardInterrupt:
        interrupted = True
        sender.finish(_INTERRUPTED_FLUSH_S, complete=False)
    except SendError as error:
        raise ReplayError(f"{error}; go on with --resume when that is mended") from None
    return Summary(rows, before, sender.delivered, interrupted, left_out)


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
