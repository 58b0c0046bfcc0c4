"""Throughput of the line over the bare classifier's: what streaming, exactly-once delivery and the audit trail cost.

A run's events lie in `transcripts` before its workers start, as real processes. The rate is that of the steady state,
by the times of the audit events, so that nothing has to watch while it is measured; then the project's own oracle reads
all topics, and a run in which anything was lost or came twice is void. The bare classifier, each way through the line
and each broker take turns.

- *edge alone*: one edge worker that keeps everything: the price of streaming, delivery and audit.
- *whole line*: edge, cloud and monitor with the default policy, sharing this machine's cores with the broker. It is
  done when the last window of the monitor is.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.bare import texts_per_second
from benchmarks.brokers import installation, running
from benchmarks.command import alone
from benchmarks.figure import Figure, VoidError, figure, rate
from benchmarks.scale import Scale
from benchmarks.traffic import Encode, preload
from benchmarks.workers import REPOSITORY, counters, wait_until_done, working
from schemas.topics import MONITORING, ROUTING_EVENTS, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify

TITLE = "Throughput"

EDGE_ALONE = {"confidence_threshold": 0.0, "complexity_threshold": 2.0, "random_cloud_rate": 0.0}

# The bare classifier varies by less than 1 % from one 5 s to the next on an idle machine.
BARE_S = 5.0

# On two cores the whole line has more to do for each event than the edge alone: with fewer events it takes as long.
WHOLE_LINE_EVENTS = 0.5

# What a run of a small model is cut at: 400,000 events are 60 MB on each of three topics of the embedded broker.
MOST_EVENTS = 400_000

WHOLE_LINE = "whole line"


class Run(NamedTuple):
    """One run: events a second, and for each event the edge worker's seconds."""

    rate: float
    cloud_share: float
    cpu: float
    inference: float
    transactions: float


def measure(wanted: Scale) -> list[Figure]:
    """Raises VoidError: a run lost or repeated something, or was too short."""
    figures = []
    for broker in wanted.brokers:
        bare: list[float] = []
        alone: list[Run] = []
        whole: list[Run] = []
        with running(broker) as servers:
            for _ in range(wanted.repetitions):
                bare.append(texts_per_second(wanted.edge_model, min(BARE_S, wanted.run_s)))
                events = min(int(bare[-1] * wanted.run_s), MOST_EVENTS)
                alone.append(run_line(servers, wanted, ["edge"], events, EDGE_ALONE))
                whole.append(
                    run_line(servers, wanted, ["edge", "cloud", "monitor"], int(events * WHOLE_LINE_EVENTS), {})
                )
        figures += _figures(broker, bare, alone, whole)
    return figures


def whole_line_rate(figures: Sequence[Figure], broker: str) -> float | None:
    """The whole line's events a second on `broker`, where it was measured."""
    found = (each for each in figures if each.what == WHOLE_LINE and each.where == broker)
    return next((each.median for each in found), None)


def run_line(
    servers: str,
    wanted: Scale,
    agents: list[str],
    events: int,
    policy: dict[str, float],
    repository: Path = REPOSITORY,
    python: str = sys.executable,
    encode: Encode | None = None,
) -> Run:
    """One run of `agents`, by the code in `repository`, over `events` that lie in `transcripts` before they start.

    Raises VoidError: the run lost or repeated something, or was too short.
    """
    settings = installation(servers, edge_model=wanted.edge_model, cloud_model=wanted.cloud_model, **policy)
    preload(settings, events, encode)
    timeout_s = 60 + 20 * wanted.run_s
    with working(settings, agents, repository, python) as processes:
        before = counters(processes["edge"])
        wait_until_done(settings, settings.group("edge"), settings.topic(TRANSCRIPTS), processes, timeout_s)
        after = counters(processes["edge"])
        if "monitor" in agents:
            wait_until_drained(settings, timeout_s, agents=agents)
    _require_sound(settings, events, agents)
    spent = [(late - early) / events for early, late in zip(before, after, strict=True)]
    return Run(*_rate(settings, whole="monitor" in agents), *spent)


# What verify finds where an agent did not run.
_WITHOUT = {"totals": "monitor", "states": "conversation"}


def _require_sound(settings: Settings, events: int, agents: Collection[str]) -> None:
    verdict = verify(settings)
    faults = {
        name: fault.count
        for name, fault in verdict.faults.items()
        if fault.count and _WITHOUT.get(name, "edge") in agents
    }
    if faults or verdict.results != events or verdict.dead_letters:
        found = ", ".join(f"{count} {name}" for name, count in faults.items())
        raise VoidError(f"a run of {events:,} events has {verdict.results:,} results; {found or 'no fault'}")


def _rate(settings: Settings, *, whole: bool) -> tuple[float, float]:
    """Events a second, and the cloud's share of them.

    An event counts when the edge has decided it, which its audit event tells. All of a batch bear one time, so that
    what is counted begins between two batches: counted from within one, its rest would come for nothing.
    """
    decode = codec(settings, ROUTING_EVENTS).decode
    decided: list[int] = []
    from_cloud: list[int] = []
    for message in read_topic(Cluster(settings), ROUTING_EVENTS):
        event = decode(message.value())
        by_cloud = event.stage == "completed" and (event.route == "cloud" or event.degraded)
        (from_cloud if by_cloud else decided).append(event.recorded_at)
    begin = end = 0
    if whole:
        # All three work from here on, and the last window tells when the last of them was done.
        windows = [message.timestamp()[1] for message in read_topic(Cluster(settings), MONITORING)]
        working = max(min(windows), min(from_cloud, default=0))
        begin, end = min((time for time in decided if time >= working), default=working), max(windows)
    return rate(decided, begin, end), len(from_cloud) / len(decided)


def _figures(broker: str, bare: list[float], alone: list[Run], whole: list[Run]) -> list[Figure]:
    def over_bare(runs: list[Run]) -> list[float]:
        return [run.rate / texts for run, texts in zip(runs, bare, strict=True)]

    def microseconds(seconds: list[float]) -> list[float]:
        return [1e6 * each for each in seconds]

    figures = [
        figure("bare classifier", broker, "texts/s", bare),
        figure("edge alone", broker, "events/s", [run.rate for run in alone]),
        figure("edge alone / bare classifier", broker, "", over_bare(alone)),
        figure(WHOLE_LINE, broker, "events/s", [run.rate for run in whole]),
        figure("whole line / bare classifier", broker, "", over_bare(whole)),
        figure("whole line: share answered by the cloud", broker, "", [run.cloud_share for run in whole]),
        figure("bare classifier, an event", broker, "µs", microseconds([1 / texts for texts in bare])),
        figure("edge alone, an event", broker, "µs", microseconds([1 / run.rate for run in alone])),
        figure("· scoring", broker, "µs", microseconds([run.inference for run in alone])),
        figure("· transaction", broker, "µs", microseconds([run.transactions for run in alone])),
        figure(
            "· decoding, routing, encoding, fetching",
            broker,
            "µs",
            microseconds([1 / run.rate - run.inference - run.transactions for run in alone]),
        ),
    ]
    if all(run.cpu for run in alone):
        figures.append(
            figure("edge alone, processor time an event", broker, "µs", microseconds([r.cpu for r in alone]))
        )
    return figures


if __name__ == "__main__":
    alone(TITLE, __doc__, measure)
