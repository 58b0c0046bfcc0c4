"""JSON lines into `transcripts`, each as it comes: what another program writes into a pipe."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Final, Literal

from models.text_validation import validate_text
from recordings.fault import STDIN, Fault, RecordingError, named
from schemas.codec import DecodeError, EncodeError
from schemas.errors import EdgewiseError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from schemas.validation import validate_event
from streams.config.settings import Settings
from streams.files.faults import Faults
from streams.ingest.json_events import BodyError, json_value, read_events
from streams.ingest.sender import SendError, TranscriptSender, require_topics
from streams.kafka.client import Cluster
from streams.system.clock import Clock, now_ms
from streams.system.signals import kept_interrupts

OnError = Literal["stop", "skip", "dead-letter"]

LONGEST_LINE: Final = 1_000_000
"""Bytes of a line: Kafka takes no larger record."""

# On Ctrl-C people wait for this long at most for what is on its way.
_INTERRUPTED_FLUSH_S: Final = 10.0


class ProduceError(EdgewiseError):
    """The broker did not take an event."""


@dataclass(slots=True)
class Produced:
    """How it ended: events that Kafka has, lines that are none, and whether it was interrupted."""

    events: int = 0
    letters: int = 0  # of the lines that are no events, those sent for the workers to put into dead-letters
    interrupted: bool = False
    faults: Faults = field(default_factory=lambda: Faults(STDIN))


def produce(settings: Settings, lines: IO[bytes], on_error: OnError, clock: Clock = now_ms) -> Produced:
    """Sends the event of each line of `lines`, which is as `POST /v1/events` takes one; blank lines are left out.

    A line that is no event ends it, is skipped, or is sent as it stands, for the workers to put into dead-letters; one
    that is too long ends it then, too. What was read before that is sent in any case. Ctrl-C (KeyboardInterrupt) ends
    it in good order.

    Raises RecordingError: a line is no event. UsageError: no topic. ProduceError, BrokerUnreachableError, AccessError.
    """
    name = settings.topic(TRANSCRIPTS)
    cluster = Cluster(settings)
    require_topics(cluster, "produce", {name: ["WRITE"]})
    produced = Produced()
    sender = TranscriptSender(cluster)
    try:
        with kept_interrupts():
            for number, line in _lines(lines):
                place = f"{named(STDIN)}, line {number}"
                try:
                    sender.send(_event(line, settings, clock()), place=place)
                except (BodyError, DecodeError, EncodeError) as error:
                    produced.faults.add(Fault(number, str(error), ""))
                    if on_error == "stop" or (on_error == "dead-letter" and len(line) > LONGEST_LINE):
                        sender.finish()
                        raise RecordingError(
                            f"{place}: {error}; the {sender.delivered:,} events before it are in {name}"
                        ) from None
                    if on_error == "dead-letter":
                        sender.send_bytes(line.rstrip(b"\r\n"), place=place)
                        produced.letters += 1
                # What was taken from a pipe is gone: a refusal ends it at the next line, not at the hundredth.
                sender.poll(0)
            sender.finish()
    except KeyboardInterrupt:
        produced.interrupted = True
        sender.finish(_INTERRUPTED_FLUSH_S, complete=False)
    except SendError as error:
        raise ProduceError(f"{error}; {sender.delivered:,} before it are in {name}") from None
    produced.events = max(0, sender.delivered - produced.letters)
    return produced


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers; of one that is too long the beginning."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(io.DEFAULT_BUFFER_SIZE)) and not rest.endswith(b"\n"):
                pass
        if line.strip():
            yield number, line


def _event(line: bytes, settings: Settings, now: int) -> TranscriptEvent:
    if len(line) > LONGEST_LINE:
        raise BodyError(f"longer than {LONGEST_LINE:,} bytes, which is the most that Kafka takes")
    value = json_value(line)
    if not isinstance(value, dict) or set(value) == {"events"}:  # which stands for several
        raise BodyError("not an object, an event a line")
    [event] = read_events(value, None, now, source="stdin")
    validate_event(event, now_ms=now)
    validate_text(event.text, max_chars=settings.max_text_chars)
    return event
