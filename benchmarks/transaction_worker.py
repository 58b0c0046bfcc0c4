"""A process with the edge agent for `benchmarks.transaction`, as `edgewise worker edge` runs it, but for two choices.

Arguments: `exactly-once` or `at-least-once`; `model` or `no-model`. Settings are read from the environment.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from faust.types import TP, StreamT
from numpy.typing import NDArray

from models.classifier import Classifier
from models.redaction import NoRedaction
from models.router import policy
from schemas.records import LABELS
from streams.agents.agent import Agent, Output
from streams.agents.edge import EdgeAgent
from streams.config.loading import load_settings
from streams.config.settings import Settings
from streams.worker import app
from streams.worker.build import build_agent
from streams.worker.delivery import PRODUCER_OPTIONS, Delivery, DeliveryError
from streams.worker.transport import Chunk, Consumer

FLUSH_TIMEOUT_S = 30.0


class AtLeastOnce(Delivery):
    """What most stream processors do by default: publish, wait until all of it is there, commit the offsets.

    A crash between the two publishes a batch again. Chunks, chain and threads are those of the product.
    """

    def start(self) -> None:
        """Makes the producer."""
        self._producer = self.cluster.producer(PRODUCER_OPTIONS)

    async def run(self, stream: StreamT[Chunk], consumer: Callable[[], Consumer]) -> None:
        """Consumes `stream` until the worker stops."""
        self._loop, self._consumer = asyncio.get_running_loop(), consumer
        await super().run(stream, consumer)

    def _transact(self, outputs: Sequence[Output], ends: dict[TP, int], metadata: bytes) -> bool:
        for output in outputs:
            self._produce(self._producer, output)
        if left := self._producer.flush(FLUSH_TIMEOUT_S):
            raise DeliveryError(f"{left} records were not delivered within {FLUSH_TIMEOUT_S:g} s")
        committing = self._consumer()._thread.commit(ends)  # noqa: SLF001 - Faust's own commit is off
        return asyncio.run_coroutine_threadsafe(committing, self._loop).result()


class NoModel:
    """In a classifier's place: every text is positive, at once."""

    id = "none@0"
    languages = ("*",)

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
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
    asyncio.run(_run(load_settings(), scoring == "model"))
