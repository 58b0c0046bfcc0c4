"""Exactly once to the door, for long: webhooks and their repetitions, servers killed (-9), Kafka killed and restarted.

    python -m tests.faults.door_run --webhooks 100000 --servers 2 --kills 5 --restarts 1

Prints what was sent, what it was answered, and how often each event is in `transcripts`. Exit code 0 only when that is
once for every one.
"""

import argparse
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path

from rich.console import Console

from streams.config.settings import Settings
from streams.operate.topics import create
from tests.door import start
from tests.faults.doors import counted, door_settings, kill
from tests.faults.webhooks import Webhooks
from tests.kafka.kafka_server import kafka_cluster

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.door_run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--webhooks", type=int, default=100_000)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--restarts", type=int, default=1, help="how often Kafka is killed and started again")
    parser.add_argument("--threads", type=int, default=16, help="how many webhooks are under way at once")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    number = arguments.webhooks
    moments = sorted(
        (rng.randrange(number // 20, number * 19 // 20), what)
        for what in ["server"] * arguments.kills + ["kafka"] * arguments.restarts
    )
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name, kafka_cluster(Path(name) / "kafka") as [broker]:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers, topic_prefix=f"door-{uuid.uuid4().hex[:8]}.")
        create(settings)
        each = [door_settings(settings, Path(name), place) for place in range(arguments.servers)]
        doors = [start(of) for of in each]
        try:
            with Webhooks(number, threads=arguments.threads, seed=arguments.seed) as vendor:
                vendor.urls = [door.url for door in doors]
                for after, what in moments:
                    vendor.wait_for(after)
                    console.print(f"{time.monotonic() - begun_s:6.0f} s, {after:,} answered: a {what} is killed")
                    if what == "kafka":
                        broker.kill()
                        broker.start()
                    else:
                        victim = rng.randrange(arguments.servers)
                        kill(doors[victim])
                        doors[victim] = start(each[victim])
                        vendor.urls = [door.url for door in doors]
                vendor.wait_for(number)
        finally:
            for door in doors:
                kill(door)
        ids = {vendor.event_id(place) for place in range(number)}
        times = counted(settings, ids)
    once = sum(times[event_id] == 1 for event_id in ids)
    statuses = ", ".join(f"{count:,} x {status or 'no answer'}" for status, count in sorted(vendor.statuses.items()))
    console.print(f"{number:,} webhooks in {vendor.sent:,} requests ({statuses}), {time.monotonic() - begun_s:.0f} s")
    console.print(
        f"{arguments.servers} servers, {arguments.kills} kills of one, Kafka killed {arguments.restarts} times"
    )
    console.print(
        f"in transcripts: {once:,} once, {sum(n > 1 for n in times.values()):,} twice, {number - len(times):,} never"
    )
    return 0 if once == number else 1


if __name__ == "__main__":
    sys.exit(main())
