"""A process with the edge agent for `benchmarks.transaction`, as `edgewise worker edge` runs it, but for two choices.

Arguments: `exactly-once` or `at-least-once`; `model` or `no-model`. Settings are read from the environment.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

import numpy as np
from confluent_kafka import TopicPartition
from numpy.typing import NDArray

from models.classifier import Classifier
from models.redaction import NoRedaction
from models.router import policy
from schemas.records import LABELS, Role
from streams.agents.agent import Agent, Output
from streams.agents.edge import EdgeAgent
from streams.config.loading import load_settings
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.worker import app
from streams.worker.build import build_agent
from streams.worker.delivery import Delivery, DeliveryError
from streams.worker.member import Member

FLUSH_TIMEOUT_S = 30.0


class Seen(Member):
    """A member that can be asked to commit by itself; there is one in this process."""

    here: "Seen"

    def __init__(self, cluster: Cluster, agent: Agent) -> None:
        super().__init__(cluster, agent)
        Seen.here = self

    def commit(self, ends: Mapping[int, int]) -> None:
        """Commits positions by partition, and waits for it."""
        offsets = [TopicPartition(self.topic, partition, end) for partition, end in ends.items()]
        self._consumer.commit(offsets=offsets, asynchronous=False)


class AtLeastOnce(Delivery):
    """What most stream processors do by default: publish, wait until all of it is there, commit the offsets.

    A crash between the two publishes a batch again. Member, engine and threads are those of the product.
    """

    def start(self) -> None:
        """Makes the producer."""
        self._producer = self.cluster.producer({"linger.ms": 0})

    async def deliver(self, outputs: Sequence[Output], ends: Mapping[int, int], token: bytes) -> bool:
        """Publishes, and then commits."""
        return await self._ended(self._thread.submit(partial(self._transact, outputs, ends, token)))

    def _transact(self, outputs: Sequence[Output], ends: Mapping[int, int], token: bytes) -> bool:
        for output in outputs:
            headers: list[tuple[str, str | bytes | None]] = [*output.headers]
            self._producer.produce(output.topic, output.value, output.key, headers=headers)
        if left := self._producer.flush(FLUSH_TIMEOUT_S):
            raise DeliveryError(f"{left} records were not delivered within {FLUSH_TIMEOUT_S:g} s")
        Seen.here.commit(ends)
        return True


class NoModel:
    """In a classifier's place: every text is positive, at once."""

    id = "none@0"
    languages = ("*",)

    def score(self, texts: Sequence[str], _: Sequence[Role]) -> NDArray[np.float32]:
        """The same probabilities for each of `texts`."""
        return np.tile(np.array([0.01, 0.01, 0.98], np.float32), (len(texts), 1))[:, : len(LABELS)]


async def _run(settings: Settings, model: bool) -> None:
    agent: Agent
    if model:
        agent = await build_agent(settings, "edge")
    else:
        routing = policy(
            "default",
            calibrated_threshold=None,
            confidence_threshold=settings.confidence_threshold,
            complexity_threshold=settings.complexity_threshold,
            random_cloud_rate=settings.random_cloud_rate,
        )
        agent = EdgeAgent(settings, cast(Classifier, NoModel()), routing, NoRedaction())
    await app.serve(settings, agent)


if __name__ == "__main__":
    guarantee, scoring = sys.argv[1:]
    if guarantee == "at-least-once":
        app.Delivery = AtLeastOnce  # type: ignore[attr-defined]
        app.Member = Seen  # type: ignore[attr-defined]
    asyncio.run(_run(load_settings(), scoring == "model"))
