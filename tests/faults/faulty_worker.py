"""The real worker, through its own command line, that breaks where it is told to (`tests.faults.orders`).

python -m tests.faults.faulty_worker worker edge
"""

import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import confluent_kafka

from streams.agents.agent import Agent, KafkaRecord, Output
from streams.cli.main import main
from streams.config.settings import Settings
from streams.kafka import client
from streams.worker import app, member
from streams.worker import build as worker
from streams.worker.batch import Batch
from tests.faults.orders import FOLDER, order_file

# A broker takes a millisecond or a few to commit: about as often before as after it.
COMMITTING_S = 0.002

# How librdkafka's metadata begins; then come the generation, the group, and the member, which is nobody.
LAYOUT = b"CGMDv2:"

_ORDER = order_file(Path(os.environ[FOLDER]), sys.argv[-1], os.environ["EDGEWISE_WORKER_ID"])
_build_agent = worker.build_agent


def _told(point: str) -> str | None:
    """The deed that is to be done at `point`, if any."""
    try:
        deed, where, how = _ORDER.read_text().split()
    except FileNotFoundError:
        return None
    if where != point:
        return None
    if how == "once":
        _ORDER.unlink()
    return deed


def _do(deed: str | None, point: str) -> None:
    if deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif deed == "freeze":
        # Sent to the process, another thread would take it, and this one go on until that comes to run.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    elif deed == "raise":
        raise RuntimeError(f"a fault of the tests at the point {point!r}")


def reach(point: str) -> None:
    """Do what is to be done at `point`."""
    _do(_told(point), point)


class Trapped(list[KafkaRecord]):
    """A batch whose reader comes to points: its first record, one in the middle, its last."""

    def __iter__(self) -> Iterator[KafkaRecord]:
        points = {0: "first", len(self) // 2: "middle", len(self) - 1: "last"} if len(self) >= 3 else {}
        for place, record in enumerate(super().__iter__()):
            if place == 0:
                reach("any")
            if place in points:
                reach(points[place])
            yield record


class Producer(confluent_kafka.Producer):
    """The transactional producer, with points around its last two calls."""

    def send_offsets_to_transaction(self, *args: Any) -> None:
        if (deed := _told("produced")) is not None:
            self.flush()
            _do(deed, "produced")
        super().send_offsets_to_transaction(*args)
        reach("offsets")

    def commit_transaction(self, *args: Any) -> None:
        if (deed := _told("committing")) is not None:
            threading.Thread(target=super().commit_transaction, args=args, daemon=True).start()
            time.sleep(COMMITTING_S)
            _do(deed, "committing")
        super().commit_transaction(*args)
        reach("committed")


class Consumer(confluent_kafka.Consumer):
    """The consumer, with points in a rebalance that gives or takes partitions, and a group that may know it no more."""

    is_nobody = False

    def consumer_group_metadata(self) -> Any:
        metadata = super().consumer_group_metadata()
        if not self.is_nobody:
            return metadata
        self.is_nobody = False
        group = metadata[len(LAYOUT) + 4 :].partition(b"\0")[0]
        return LAYOUT + struct.pack("<i", -1) + group + b"\0\0\1"

    def subscribe(self, topics: list[str], **told: Any) -> None:  # type: ignore[override]
        def at(point: str, tell: Callable[..., None]) -> Callable[..., None]:
            def reached(consumer: confluent_kafka.Consumer, partitions: list[confluent_kafka.TopicPartition]) -> None:
                if partitions:
                    reach(point)
                tell(consumer, partitions)

            return reached

        points = {"on_assign": at("assigning", told["on_assign"]), "on_revoke": at("revoking", told["on_revoke"])}
        super().subscribe(topics, **{**told, **points})


class Member(member.Member):
    """The member, with a point between what it has fetched to be done and by which right."""

    def _batch(self, records: Sequence[KafkaRecord]) -> Batch | None:
        if (deed := _told("fetched")) is not None:
            _do(deed, "fetched")
            cast(Consumer, self._consumer).is_nobody = True
        return super()._batch(records)


async def build_agent(settings: Settings, name: str) -> Agent:
    """The real agent, given trapped batches."""
    agent = await _build_agent(settings, name)
    process = agent.process

    async def trapped(records: Sequence[KafkaRecord]) -> Sequence[Output]:
        return await process(Trapped(records))

    agent.process = trapped  # type: ignore[method-assign]
    return agent


if __name__ == "__main__":
    worker.build_agent = build_agent
    client.Producer = Producer  # type: ignore[attr-defined]
    client.Consumer = Consumer  # type: ignore[attr-defined]
    app.Member = Member  # type: ignore[attr-defined]
    main()
