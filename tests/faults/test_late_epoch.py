"""Fault 7 without load: of two requests for a producer's epoch the first arrives last."""

import asyncio
import time
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.agents.agent import Agent, Output
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.worker.delivery import PRODUCERS, Delivery
from tests.faults.clusters import cluster
from tests.faults.network import Network
from tests.faults.waiting import PATIENCE_S

INIT_PRODUCER_ID = 22
HOST = 1


@pytest.mark.kafka
@pytest.mark.timeout(180)
def test_a_producer_that_is_fenced_by_its_own_late_request_is_made_anew(tmp_path: Path) -> None:
    """Its first request times out after 2 s and is made again; delivered, the broker takes it for a new instance's.

    Seen to fail: the worker ended, told of another one with its id.
    """
    with cluster(tmp_path, 1) as kafka:
        servers, prefix = kafka.network.bootstrap_servers(HOST), f"late-{uuid.uuid4().hex[:8]}."
        settings = Settings(bootstrap_servers=servers, topic_prefix=prefix)
        create(settings)
        committed = asyncio.run(_until_fenced(settings, kafka.network))
        assert len(list(read_topic(Cluster(settings), SENTIMENT))) == committed


async def _until_fenced(settings: Settings, network: Network) -> int:
    """How many transactions were committed until one was not, and by each producer once more."""
    agent = SimpleNamespace(name="edge", source=settings.topic(TRANSCRIPTS))
    delivery = Delivery(Cluster(settings), cast(Agent, agent))
    held = network.strand_next(INIT_PRODUCER_ID, HOST, 0)
    delivery.start()
    assert held.is_set()
    network.heal()
    outputs = [Output(settings.topic(SENTIMENT), b"key", b"value")]
    committed, deadline = 0, time.monotonic() + PATIENCE_S
    while await delivery.deliver(outputs, {}, b""):
        committed += 1
        assert time.monotonic() < deadline, "the late request fenced nobody"
    assert [await delivery.deliver(outputs, {}, b"") for _ in range(PRODUCERS)] == [True] * PRODUCERS
    await delivery.close()
    return committed + PRODUCERS
