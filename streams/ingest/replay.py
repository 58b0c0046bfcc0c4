"""Recorded transcripts into `transcripts`: paced, in order per conversation, and resumable after an interruption."""

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from recordings.fault import Fault, RecordingError
from schemas.dead_letter import redriven_from
from schemas.errors import EdgewiseError, UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.formats.turn import LeftOut
from streams.files.recording import can_be_read_twice, digest
from streams.files.vendor_file import LeftOutCounts
from streams.ingest.pace import Pace, Pacer
from streams.ingest.recording import Recording, Surveyed, number_in_all
from streams.ingest.sender import SendError, TranscriptSender, require_topics
from streams.kafka.client import Cluster
from streams.kafka.messages import header_texts, message_headers
from streams.kafka.reader import read_topic
from streams.system.clock import Clock, now_ms
from streams.system.signals import kept_interrupts

RECORDING_HEADER = "edgewise-recording"  # the digest of the file that an event is from
RUN_HEADER = "edgewise-run"  # the replay that sent it
ROW_HEADER = "edgewise-row"  # its row number in the file, from 1
LINE_HEADER = "edgewise-line"  # of a row that is no event: its line in the file, from 1; of the second there `7.2`
FAULT_HEADER = "edgewise-fault"  # and what is wrong with it
_ROW = re.compile("[0-9]{1,18}")
_LINE = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?")

# On Ctrl-C people wait for this long at most for what is on its way; with `resume` the rest is not lost.
_INTERRUPTED_FLUSH_S = 10.0


class ReplayError(EdgewiseError):
    """The broker did not take an event."""


class Summary(NamedTuple):
    """How a replay ended: `rows` to replay, `before` of them sent by the run that was resumed, `sent` by this one.

    `left_out` is what in vendors' files was no turn, `refused` how many rows no event could be made of.
    """

    rows: int
    before: int
    sent: int
    interrupted: bool
    left_out: LeftOutCounts = MappingProxyType({})
    refused: int = 0


@dataclass(slots=True)
class _Run:
    """What is in `transcripts` of one replay of one recording."""

    id: str
    last_ms: int = -1
    rows: set[int] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)  # of rows that are no events, and were sent as they stand


def replay(
    settings: Settings,
    recordings: Sequence[Recording],
    *,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    resume: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _rows: None,
    on_notice: Callable[[str], object] = lambda _line: None,
    clock: Clock = now_ms,
    clock_s: Callable[[], float] = time.monotonic,
) -> Summary:
    """Sends the rows of `recordings`, one file after another, at `pace`.

    All files are read and surveyed first: nothing is sent of recordings that cannot be read to the end, whose times are
    impossible or whose ids repeat, in one file or in several; one that is changed while it is replayed is found at its
    end. `on_notice` is told in lines what was found. Empty texts are sent; the workers put them into dead-letters, and
    so they do with rows that no event can be made of, where the recording says `dead-letter`: these are sent as they
    stand. Sending is idempotent and in order per conversation. With `resume` only those rows are sent that the latest
    run of the same file has not brought into `transcripts`, under that run's id. `on_progress` is called with events
    done and rows, now and then. Ctrl-C (KeyboardInterrupt) ends it in good order; the summary tells.

    Raises RecordingError, BrokerUnreachableError, AccessError, ReplayError. UsageError: there is no topic; or a file is
    standard input or a pipe, which cannot be read twice.
    """
    if not all(can_be_read_twice(recording.path) for recording in recordings):
        raise UsageError(
            "replay reads a file to its end before it sends anything, and so twice: save standard input, or what a "
            "pipe gives, to a file, or send JSON lines as they come with `edgewise produce -`"
        )
    name = settings.topic(TRANSCRIPTS)
    cluster = Cluster(settings)
    require_topics(cluster, "replay", {name: ["WRITE"]})
    encode = codec(settings, TRANSCRIPTS).encode
    surveyed = [recording.survey(encode, clock()) for recording in recordings]
    together = number_in_all(surveyed)
    left_out = sum((each.left_out for each in surveyed), Counter[LeftOut]())
    rows = sum(each.survey.rows for each in surveyed)
    for line in [*chain.from_iterable(each.notices(pace.factor) for each in surveyed), *together]:
        on_notice(line)
    runs = _latest_runs(cluster, {each.sha for each in surveyed}) if resume else {}
    tally, interrupted, run_id = _Tally(), False, str(uuid.uuid4())
    sender = TranscriptSender(cluster, lambda delivered: on_progress(tally.before + delivered, rows))
    try:
        with kept_interrupts():
            for each in surveyed:
                run = runs.get(each.sha, _Run(run_id))
                changed = _send(each, run, sender, Pacer(pace, clock_s), encode, tally)
                if changed is not None:
                    sender.finish()
                    raise RecordingError(
                        f"{each.recording.path} was changed while it was replayed{changed}: it may not be whole in "
                        f"{name}, which took {sender.delivered:,} events; replay a copy that stays as it is"
                    )
            sender.finish()
    except KeyboardInterrupt:
        interrupted = True
        sender.finish(_INTERRUPTED_FLUSH_S, complete=False)
    except SendError as error:
        raise ReplayError(f"{error}; go on with --resume when that is mended") from None
    refused = sum(each.faults.count for each in surveyed)
    return Summary(rows, tally.before, max(0, sender.delivered - tally.letters), interrupted, left_out, refused)


@dataclass(slots=True)
class _Tally:
    """Events that were sent before, and rows that were sent now and are no events."""

    before: int = 0
    letters: int = 0


def _send(
    each: Surveyed,
    run: _Run,
    sender: TranscriptSender,
    pacer: Pacer,
    encode: Callable[[TranscriptEvent], bytes],
    tally: _Tally,
) -> str | None:
    """Sends a recording's events. None, or where it is not what it was when it was surveyed, how that shows."""
    path, own = each.recording.path, ((RECORDING_HEADER, each.sha), (RUN_HEADER, run.id))
    faults: list[Fault] = []
    seen: Counter[int] = Counter()
    try:
        for row, event, timed, _ in each.events(faults.append, encode):
            tally.letters += _send_faults(sender, each, faults, seen, run, own)
            if row.number in run.rows:
                tally.before += 1
                continue
            due_s = pacer.due_s(event.occurred_at if timed else None)
            while (wait_s := pacer.wait_s(due_s)) > 0:
                sender.poll(min(wait_s, 0.2))  # not longer, for Ctrl-C and the progress bar
            headers = (*own, (ROW_HEADER, str(row.number)))
            sender.send(event, place=f"{path}, line {row.line}", headers=headers)
        tally.letters += _send_faults(sender, each, faults, seen, run, own)
    except RecordingError as error:  # it could be read to its end before
        return f" ({error})"
    return None if digest(path) == each.sha else ""


def _send_faults(
    sender: TranscriptSender,
    each: Surveyed,
    faults: list[Fault],
    seen: Counter[int],
    run: _Run,
    own: Sequence[tuple[str, str]],
) -> int:
    """Sends rows that are no events, where they are to become dead letters, as they stand; returns how many.

    `seen` is how many there were of each line before.
    """
    sent = 0
    for fault in faults if each.recording.on_error == "dead-letter" else ():
        seen[fault.line] += 1
        line = f"{fault.line}" if seen[fault.line] == 1 else f"{fault.line}.{seen[fault.line]}"
        if line in run.lines:
            continue
        sender.send_bytes(
            fault.content.encode(errors="surrogateescape"),
            place=f"{each.recording.path}, line {fault.line}",
            headers=(*own, (LINE_HEADER, line), (FAULT_HEADER, fault.what)),
        )
        sent += 1
    faults.clear()
    return sent


def _latest_runs(cluster: Cluster, digests: set[str]) -> dict[str, _Run]:
    """For each recording, the run that sent to `transcripts` last, and its rows there."""
    runs: dict[tuple[str, str], _Run] = {}
    for message in read_topic(cluster, TRANSCRIPTS):
        if redriven_from(message_headers(message)) is not None:
            continue  # the record stood there before, and that one tells when the run sent it
        headers = header_texts(message)
        sha, run_id = headers.get(RECORDING_HEADER, ""), headers.get(RUN_HEADER, "")
        row, line = headers.get(ROW_HEADER, ""), headers.get(LINE_HEADER, "")
        # Others may write such headers.
        if sha in digests and run_id and (_ROW.fullmatch(row) or _LINE.fullmatch(line)):
            run = runs.setdefault((sha, run_id), _Run(run_id))
            if _ROW.fullmatch(row):
                run.rows.add(int(row))
            else:
                run.lines.add(line)
            run.last_ms = max(run.last_ms, message.timestamp()[1])
    latest: dict[str, _Run] = {}
    for (sha, _), run in runs.items():
        if sha not in latest or run.last_ms > latest[sha].last_ms:
            latest[sha] = run
    return latest
