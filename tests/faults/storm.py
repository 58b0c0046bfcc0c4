"""Millions of events through two workers that are killed, frozen and terminated at random, as is the broker.

    python -m tests.faults.storm --events 5000000 --seeds 5

The workers are the real ones with an agent that copies, so that delivery is all that is tried, and tried often. All
events lie there before; when the last is done, each must have been copied once, and those of a key in their order.
"""

import argparse
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Producer

from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.lag import group_lag
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from tests.faults.clusters import HEAP
from tests.faults.line import SLOTS, Line
from tests.kafka.kafka_server import KafkaServer, kafka_cluster

EVENTS, SEEDS = 5_000_000, 5
KEYS = 997
PATIENCE_S = 300.0

# What is done next, and how often; a restart of the broker stops all for seconds, the others a part.
DEEDS = {"kill": 5, "freeze": 3, "terminate": 3, "broker": 1}

# Shorter and longer than a session (6 s).
FROZEN_S = (1.0, 10.0)
PAUSE_S = (1.0, 6.0)


class Storm(NamedTuple):
    """What was done to a line, and what became of its events."""

    seed: int
    events: int
    deeds: dict[str, int]
    lost: int
    duplicated: int
    out_of_order: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, in order."""
        return not (self.lost or self.duplicated or self.out_of_order)


def storm(server: KafkaServer, folder: Path, *, seed: int, events: int) -> Storm:
    """One storm on a broker. Raises RuntimeError, LagError: the line did not come to its end."""
    settings = Settings(bootstrap_servers=server.bootstrap_servers, topic_prefix=f"storm-{seed}.")
    create(settings)
    _fill(settings, events)
    deeds: Counter[str] = Counter()
    rng = random.Random(seed)
    begun = time.monotonic()
    module = "tests.faults.copying_worker"
    folder.mkdir()
    with Line(settings, folder, agents=("edge",), restarts=True, module=module) as line:
        for slot in SLOTS:
            line.wait_until_up("edge", slot)
        least, moved = events, time.monotonic()
        while left := _left(settings):
            if left < least:
                least, moved = left, time.monotonic()
            elif time.monotonic() > moved + PATIENCE_S:
                raise RuntimeError(f"seed {seed}: nobody works on {left:,} events: {line.exits[-3:]}")
            time.sleep(rng.uniform(*PAUSE_S))
            deed = rng.choices(list(DEEDS), list(DEEDS.values()))[0]
            _do(deed, line, server, rng)
            deeds[deed] += 1
    return Storm(seed, events, dict(deeds), *_judge(settings, events), time.monotonic() - begun)


def _fill(settings: Settings, events: int) -> None:
    producer: Producer = Cluster(settings).producer()
    topic = settings.topic(TRANSCRIPTS)
    for number in range(events):
        while True:
            try:
                producer.produce(topic, b"%d" % number, b"%d" % (number % KEYS))
            except BufferError:
                producer.poll(0.5)
            else:
                break
    if producer.flush(120):
        raise RuntimeError("the broker did not take the events")


def _left(settings: Settings) -> int:
    return sum(group_lag(Cluster(settings), "edge", TRANSCRIPTS).values())


def _do(deed: str, line: Line, server: KafkaServer, rng: random.Random) -> None:
    slot = rng.choice(SLOTS)
    if deed == "broker":
        server.kill()
        server.start()
        return
    ups = line.ups("edge", slot)
    if deed == "freeze":
        line.send_signal("edge", slot, signal.SIGSTOP)
        time.sleep(rng.uniform(*FROZEN_S))
        line.send_signal("edge", slot, signal.SIGCONT)
        return
    if deed == "kill":
        line.kill("edge", slot)
    elif code := line.stop("edge", slot):
        raise RuntimeError(f"told to stop, a worker ended with {code}: {line.log('edge', slot)[-500:]}")
    line.start("edge", slot)
    line.wait_until_up("edge", slot, ups + 1)


def _judge(settings: Settings, events: int) -> tuple[int, int, int]:
    """How many events were lost, copied more than once, and copied before an earlier one of their key."""
    seen = bytearray(events)
    last = [-1] * KEYS
    disordered = 0
    for message in read_topic(Cluster(settings), SENTIMENT):
        number = int(message.value() or b"")
        seen[number] = min(seen[number] + 1, 255)
        disordered += number < last[number % KEYS]
        last[number % KEYS] = number
    return seen.count(0), sum(times - 1 for times in seen if times > 1), disordered


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.storm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=EVENTS, help="in each storm")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many storms")
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    return 0 if storms(range(arguments.first_seed, arguments.first_seed + arguments.seeds), arguments.events) else 1


def storms(seeds: range, events: int) -> bool:
    """Plays a storm for each seed, and prints what became of it; whether all hold."""
    held = True
    with tempfile.TemporaryDirectory() as name, kafka_cluster(Path(name) / "kafka", heap=HEAP) as [server]:
        for seed in seeds:
            found = storm(server, Path(name) / str(seed), seed=seed, events=events)
            print(found, flush=True)  # noqa: T201
            held &= found.holds
    return held


if __name__ == "__main__":
    sys.exit(main())
