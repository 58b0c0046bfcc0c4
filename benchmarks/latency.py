"""End-to-end latency: from when an event was due to be sent to when a read_committed consumer has its result.

The load is open-loop: events are due by the clock, however long the answers take, and a late send counts against the
line. The whole line runs (edge, cloud, monitor; default policy) beside the broker, the sender and the reader on this
machine. Rates take turns, once the broker is warm.
"""

import logging
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter, sleep

from benchmarks.brokers import installation, results_reader, running
from benchmarks.figure import Figure, VoidError, figure, quantile
from benchmarks.scale import Scale, parser, scale
from benchmarks.table import show
from benchmarks.traffic import Encode, events, send
from benchmarks.workers import Process, working
from schemas.errors import EdgewiseError
from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import watermarks

TITLE = "Latency, end to end"

QUIET_RATE = 200.0  # events/s: what the design's figures were taken at
HALF = "half the line's rate"
QUANTILES = (0.50, 0.95, 0.99)

# A result that has not come by then is lost, and the run void.
PATIENCE_S = 30.0


class Probe:
    """Sends events, numbered from `first` on, to running agents, and takes the results that come from now on."""

    def __init__(
        self, settings: Settings, processes: Mapping[str, Process], first: int = 0, encode: Encode | None = None
    ) -> None:
        self._processes = processes
        self._events = events(first)
        self._encode = encode or codec(settings, TRANSCRIPTS).encode
        self._decode = codec(settings, SENTIMENT).decode
        self._topic = settings.topic(TRANSCRIPTS)
        self._producer = Cluster(settings).producer({"linger.ms": 0})
        ends = (
            {partition: mark.high for partition, mark in watermarks(Cluster(settings), SENTIMENT).items()}
            if first
            else None
        )
        self._consumer = results_reader(settings, ends)

    def window(self, rate: float, seconds: float) -> dict[str, list[float]]:
        """Milliseconds from due to seen, by the route of the result; events are due at `rate` for `seconds`.

        Raises VoidError: a result is missing, came twice or belongs to no event.
        """
        sent = [next(self._events) for _ in range(int(rate * seconds))]
        values = [(self._encode(event), event.conversation_id.encode()) for event in sent]
        begin = perf_counter() + 0.1
        due = {event.event_id: begin + i / rate for i, event in enumerate(sent)}

        def run() -> None:
            for moment, (value, key) in zip(due.values(), values, strict=True):
                while (wait := moment - perf_counter()) > 0:
                    sleep(wait)
                send(self._producer, self._topic, value, key)
                self._producer.poll(0)

        sender = threading.Thread(target=run)
        sender.start()
        try:
            return self._results(due)
        finally:
            sender.join()

    def close(self) -> None:
        """Closes the consumer."""
        self._consumer.close()

    def _results(self, due: Mapping[str, float]) -> dict[str, list[float]]:
        latencies: dict[str, list[float]] = defaultdict(list)
        missing = dict(due)
        last = max(due.values())
        while missing:
            message = self._consumer.poll(0.1)
            now = perf_counter()
            if message is None or message.error() is not None:
                for process in self._processes.values():
                    process.check()
                if now > last + PATIENCE_S:
                    raise VoidError(f"{len(missing):,} of {len(due):,} results did not come within {PATIENCE_S:g} s")
                continue
            result = self._decode(message.value())
            moment = missing.pop(result.event_id, None)
            if moment is None:
                raise VoidError(f"the result of event {result.event_id} came twice")
            latencies[result.route].append(1000 * (now - moment))
        return latencies


def measure(wanted: Scale, line_rates: Mapping[str, float | None]) -> list[Figure]:
    """Latencies on each broker at 200 events/s and at half the line's rate, where `line_rates` has it.

    Raises VoidError: a result is missing or came twice.
    """
    figures = []
    for broker in wanted.brokers:
        rates = {f"{QUIET_RATE:.0f} events/s": QUIET_RATE}
        if line_rate := line_rates.get(broker):
            rates[HALF] = line_rate / 2
            figures.append(figure(HALF, broker, "events/s", [line_rate / 2]))
        with running(broker) as servers, _probe(servers, wanted) as probe:
            figures += _measure(probe, broker, wanted, rates)
    return figures


@contextmanager
def _probe(servers: str, wanted: Scale) -> Iterator[Probe]:
    settings = installation(servers, edge_model=wanted.edge_model, cloud_model=wanted.cloud_model)
    with working(settings, ["edge", "cloud", "monitor"]) as processes:
        probe = Probe(settings, processes)
        try:
            yield probe
        finally:
            probe.close()


def _measure(probe: Probe, broker: str, wanted: Scale, rates: Mapping[str, float]) -> list[Figure]:
    windows: dict[str, list[dict[str, list[float]]]] = {name: [] for name in rates}
    probe.window(QUIET_RATE, wanted.warm_up_s)
    for _ in range(wanted.repetitions):
        for name, rate in rates.items():
            windows[name].append(probe.window(rate, wanted.window_s))
    figures = []
    for name in rates:
        for whose, routes in (("", ("edge", "cloud")), (", edge's", ("edge",)), (", cloud's", ("cloud",))):
            taken = [[each for route in routes for each in window.get(route, [])] for window in windows[name]]
            if all(taken):
                figures += [
                    figure(f"p{100 * q:.0f} at {name}{whose}", broker, "ms", [quantile(each, q) for each in taken])
                    for q in QUANTILES
                ]
    return figures


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--line-rate", type=float, help="the line's events a second, at half of which to measure too")
    arguments = options.parse_args()
    chosen = scale(arguments)
    logging.basicConfig(level=logging.ERROR)
    try:
        show(TITLE, measure(chosen, dict.fromkeys(chosen.brokers, arguments.line_rate)))
    except EdgewiseError as error:
        sys.exit(f"{TITLE}: {error}")
