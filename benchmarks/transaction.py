"""What exactly once costs: the edge agent with transactions beside the same agent without, on Kafka.

*Exactly once* is the product. *At least once* is the same agent with the same chunks, outputs and threads, but no
transaction: an idempotent producer publishes the outputs, and when all are there the offsets are committed plainly.
Both run with the edge model, and without: every text is positive at once. The agent is alone and keeps every event, so
that each event has one result and one audit event.

Once the broker is warm, the four take turns, in the other order every other time. A turn is a new process with topics
of its own. It works off events that wait already, by which its greatest rate is taken; then events are sent to it by
the clock, as `benchmarks.latency` does, at each rate that it can carry. A turn in which a result is missing or comes
twice is void.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.bare import texts_per_second
from benchmarks.brokers import installation, running
from benchmarks.command import alone
from benchmarks.figure import Figure, VoidError, figure, quantile, rate
from benchmarks.latency import QUANTILES, Probe
from benchmarks.line import EDGE_ALONE
from benchmarks.scale import Scale
from benchmarks.traffic import preload
from benchmarks.workers import Process, environment, started, wait_until_done
from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic

TITLE = "What exactly once costs, on Kafka"

RATES = (200.0, 1000.0, 5000.0)
TIMEOUT_S = 300.0

# An agent that has fallen so far behind does not carry the rate: what its events wait for is the queue.
BEHIND_MS = 1000.0

# The probe's clients connect to the partitions' leaders.
WARM_UP_S = 0.5

# Without a model an agent carries 20,000 events a second and more: some seconds of work.
EVENTS_WITHOUT_MODEL = 100_000
QUICK_EVENTS_WITHOUT_MODEL = 10_000

# A batch is up to four chunks, and some batches make a steady state: with the model a quick run has not enough events
# for batches of the default size.
QUICK_CHUNK_RECORDS = 50

# Eight windows, and a quick run is to take less than a minute.
QUICK_WINDOW_S = 1.0


class Variant(NamedTuple):
    """An agent that is compared."""

    guarantee: str
    model: bool

    @property
    def where(self) -> str:
        """What scores its events."""
        return "edge model" if self.model else "no model"


class Turn(NamedTuple):
    """What one turn gave: events a second, and milliseconds from due to seen by rate; none where it fell behind."""

    greatest: float
    latencies: dict[float, list[float]]


VARIANTS = tuple(
    Variant(guarantee, model) for model in (True, False) for guarantee in ("exactly once", "at least once")
)


def measure(wanted: Scale) -> list[Figure]:
    """Raises VoidError: a result is missing or came twice, or a worker ended."""
    turns: dict[Variant, list[Turn]] = {variant: [] for variant in VARIANTS}
    texts = texts_per_second(wanted.edge_model, 1.0)
    with running("kafka") as servers:
        _warm_up(servers, wanted)
        for repetition in range(wanted.repetitions):
            for variant in VARIANTS if repetition % 2 == 0 else reversed(VARIANTS):
                turns[variant].append(_turn(servers, wanted, variant, texts))
    with_model, without = ([each for each in VARIANTS if each.model == model] for model in (True, False))
    return [*_figures(turns, *with_model), *_figures(turns, *without)]


def _warm_up(servers: str, wanted: Scale) -> None:
    settings = installation(servers, edge_model=wanted.edge_model, **EDGE_ALONE)
    with _working(settings, VARIANTS[0]) as processes:
        probe = Probe(settings, processes)
        try:
            probe.window(RATES[0], wanted.warm_up_s)
        finally:
            probe.close()


def _turn(servers: str, wanted: Scale, variant: Variant, texts: float) -> Turn:
    chunks = {"chunk_records": QUICK_CHUNK_RECORDS} if wanted.quick else {}
    settings = installation(servers, edge_model=wanted.edge_model, **EDGE_ALONE, **chunks)
    events = int(texts * wanted.run_s)
    if not variant.model:
        events = QUICK_EVENTS_WITHOUT_MODEL if wanted.quick else EVENTS_WITHOUT_MODEL
    preload(settings, events)
    with _working(settings, variant) as processes:
        wait_until_done(settings, settings.group("edge"), settings.topic(TRANSCRIPTS), processes, TIMEOUT_S)
        greatest = _rate(settings, events)
        probe = Probe(settings, processes, first=events)
        try:
            probe.window(RATES[0], WARM_UP_S)
            seconds = QUICK_WINDOW_S if wanted.quick else wanted.window_s
            latencies = {each: _window(probe, each, seconds) for each in RATES if each <= greatest}
        finally:
            probe.close()
    return Turn(greatest, latencies)


@contextmanager
def _working(settings: Settings, variant: Variant) -> Iterator[dict[str, Process]]:
    scoring = "model" if variant.model else "no-model"
    guarantee = variant.guarantee.replace(" ", "-")
    command = [sys.executable, "-m", "benchmarks.transaction_worker", guarantee, scoring]
    with started({"edge": command}, environment(settings)) as processes:
        yield processes


def _rate(settings: Settings, events: int) -> float:
    """Events a second, by when each was scored: all of a batch at one time, so that batches are counted whole.

    Raises VoidError: an event has no result, or two.
    """
    decode = codec(settings, SENTIMENT).decode
    seen = bytearray(events)
    times = []
    for message in read_topic(Cluster(settings), SENTIMENT):
        result = decode(message.value())
        number = int(result.event_id)
        seen[number] = min(2, seen[number] + 1)
        times.append(result.scored_at)
    if seen.count(1) != events:
        raise VoidError(f"of {events:,} events {seen.count(0):,} have no result, {seen.count(2):,} have two")
    return rate(times)


def _window(probe: Probe, per_second: float, seconds: float) -> list[float]:
    by_route = probe.window(per_second, seconds)
    return [each for latencies in by_route.values() for each in latencies]


def _figures(turns: Mapping[Variant, Sequence[Turn]], once: Variant, least: Variant) -> Iterator[Figure]:
    for each in (once, least):
        yield figure(f"greatest rate, {each.guarantee}", each.where, "events/s", [t.greatest for t in turns[each]])
    ratios = [one.greatest / other.greatest for one, other in zip(turns[once], turns[least], strict=True)]
    yield figure(f"· {once.guarantee} / {least.guarantee}", once.where, "", ratios)
    for per_second in RATES:
        for q in QUANTILES:
            for each in (once, least):
                what = f"p{100 * q:.0f} at {per_second:,.0f} events/s, {each.guarantee}"
                yield figure(what, each.where, "ms", _quantiles(turns[each], per_second, q))


def _quantiles(turns: Sequence[Turn], per_second: float, q: float) -> list[float]:
    """The quantile of each turn; none unless every turn carried the rate."""
    taken = [turn.latencies.get(per_second, []) for turn in turns]
    if not all(each and max(each) < BEHIND_MS for each in taken):
        return []
    return [quantile(each, q) for each in taken]


if __name__ == "__main__":
    alone(TITLE, __doc__, measure)
