"""How long a reader waits when one of two edge workers is killed under load, and is not started again."""

import sys
import time
from pathlib import Path
from random import Random

from benchmarks.brokers import installation, results_reader
from benchmarks.figure import VoidError
from benchmarks.line import EDGE_ALONE
from benchmarks.scale import Scale
from benchmarks.traffic import Encode, events, loader, send
from benchmarks.workers import working
from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.config.codecs import codec

RATE = 400.0
BEFORE_S, AFTER_S = 8.0, 4.0
PATIENCE_S = 90.0


def longest_wait(
    servers: str, wanted: Scale, repository: Path, python: str = sys.executable, encode: Encode | None = None
) -> float:
    """Seconds from an event's sending to its result's being seen, the longest of all events.

    Raises VoidError: a worker ended by itself, or a result does not come.
    """
    settings = installation(servers, edge_model=wanted.edge_model, **EDGE_ALONE)
    other = settings.model_copy(update={"worker_id": "other"})
    encode, decode = encode or codec(settings, TRANSCRIPTS).encode, codec(settings, SENTIMENT).decode
    producer, consumer = loader(settings), results_reader(settings)
    sent: dict[str, float] = {}
    longest, source = 0.0, events()
    topic, kill_s = settings.topic(TRANSCRIPTS), BEFORE_S + Random().random()
    with (
        working(settings, ["edge"], repository, python) as first,
        working(other, ["edge"], repository, python) as second,
    ):
        begun = time.monotonic()
        ends_s = float("inf")
        killed = False
        due, waiting = begun, True
        while waiting:
            now = time.monotonic()
            while due < min(now, ends_s):
                event = next(source)
                sent[event.event_id] = now
                send(producer, topic, encode(event), event.conversation_id.encode())
                due += 1 / RATE
            producer.poll(0)
            for message in consumer.consume(500, 0.01):
                if message.error() is None:
                    longest_of = time.monotonic() - sent.pop(decode(message.value()).event_id)
                    # The first ones wait for the workers to come up.
                    longest = max(longest, longest_of) if killed else 0.0
            if not killed and now > begun + kill_s and len(sent) < RATE / 4:
                first["edge"].popen.kill()
                killed, ends_s = True, now + AFTER_S
            second["edge"].check()
            waiting = bool(sent) or due < ends_s
            if now > begun + PATIENCE_S:
                raise VoidError(f"{len(sent):,} results did not come within {PATIENCE_S:g} s")
    consumer.close()
    return longest
