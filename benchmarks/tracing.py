"""What traces cost the edge worker: `python -m benchmarks.tracing`.

The edge agent alone works off a backlog, four ways in turn, each time anew: events without a trace; events that bear a
`traceparent`, which is carried on; and with spans made, of one trace in a hundred and of all. Spans go to a receiver in
this process that throws them away. Processor time is the worker's, as Linux counts it, and a ratio is to the run
without traces of the same turn: on a busy machine it says more than a rate.
"""

import argparse
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

from benchmarks.brokers import installation, running
from benchmarks.figure import VoidError
from benchmarks.line import EDGE_ALONE
from benchmarks.machine import machine
from benchmarks.traffic import events, loader, send
from benchmarks.workers import cpu_seconds, wait_until_done, working
from schemas.errors import EdgewiseError
from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic

# Of how many of the events the trace is recorded, and whether spans are made of it.
WAYS = {
    "no trace": (0, False),
    "carried on": (1, False),
    "spans of 1 %": (100, True),
    "spans of all": (1, True),
}
EVENTS = 4_000
WARM_UP = 500
_TIMEOUT_S = 300.0


class Receiver(ThreadingHTTPServer):
    """Takes what comes, and counts its bytes."""

    daemon_threads = True
    taken = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        """Answers 200."""
        self.server.taken += len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


def main() -> None:
    """Prints a table, in Markdown."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    logging.basicConfig(level=logging.ERROR)
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    try:
        with running("kafka") as servers, _receiving() as receiver:
            for _ in range(rounds):
                for way in WAYS:
                    spent[way].append(_run(servers, receiver, way))
    except EdgewiseError as error:
        sys.exit(f"tracing: {error}")
    print("; ".join(f"{heading}: {words}" for heading, words in machine().items()), end="\n\n")
    print("| events | processor time of the edge worker, µs an event | times that without a trace | range |")
    print("|---|--:|--:|--:|")
    for way, seconds in spent.items():
        ratios = [each / plain for each, plain in zip(seconds, spent["no trace"], strict=True)]
        print(
            f"| {way} | {1e6 * median(seconds):,.0f} | {median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"
        )


def _run(servers: str, receiver: Receiver, way: str) -> float:
    """Seconds of the worker's processor an event. Raises VoidError."""
    every, spans = WAYS[way]
    more = {"otel_endpoint": f"http://127.0.0.1:{receiver.server_address[1]}"} if spans else {}
    settings = installation(servers, **EDGE_ALONE, **more)
    group, topic = settings.group("edge"), settings.topic(TRANSCRIPTS)
    before = receiver.taken
    _load(settings, 0, WARM_UP, every)
    with working(settings, ["edge"]) as processes:
        wait_until_done(settings, group, topic, processes, _TIMEOUT_S)
        begun = cpu_seconds(processes["edge"].popen.pid)
        _load(settings, WARM_UP, EVENTS, every)
        wait_until_done(settings, group, topic, processes, _TIMEOUT_S)
        seconds = cpu_seconds(processes["edge"].popen.pid) - begun
    if (receiver.taken > before) is not spans:
        raise VoidError(f"{way}: spans came where none were to be made, or none where they were")
    results = sum(1 for _ in read_topic(Cluster(settings), SENTIMENT))
    if results != WARM_UP + EVENTS:
        raise VoidError(f"{way}: {WARM_UP + EVENTS:,} events have {results:,} results")
    return seconds / EVENTS


def _load(settings: Settings, first: int, number: int, every: int) -> None:
    """Sends events of which one in `every` is of a trace that is recorded; at 0 none bears any trace."""
    encode, producer, topic = codec(settings, TRANSCRIPTS).encode, loader(settings), settings.topic(TRANSCRIPTS)
    for place, event in zip(range(first, first + number), events(first), strict=False):
        headers = []
        if every:
            flags = "01" if place % every == 0 else "00"
            headers = [("traceparent", f"00-{place + 1:032x}-{place + 1:016x}-{flags}".encode())]
        send(producer, topic, encode(event), event.conversation_id.encode(), headers)
    producer.flush()


@contextmanager
def _receiving() -> Iterator[Receiver]:
    server = Receiver(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
