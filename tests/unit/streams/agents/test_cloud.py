"""The cloud agent: the cloud's answer, or the edge's marked degraded."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.cloud import CloudError
from schemas.codec import Codec
from schemas.records import CloudRequest
from schemas.topics import CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT
from streams.agents.cloud import BATCH, CloudAgent
from streams.config.settings import Settings
from streams.worker.delivery import Output
from streams.worker.transport import Record
from tests.events import consumer_record

NOW = 1_700_000_010_000
SETTINGS = Settings(topic_prefix="p.", cloud_price_usd=0.0136, cloud_deadline_ms=250)

REQUESTS = Codec(CLOUD_INFERENCE)
RESULTS = Codec(SENTIMENT)
AUDIT = Codec(ROUTING_EVENTS)

REQUEST = CloudRequest(
    event_id="e1",
    conversation_id="c1",
    turn=4,
    text="is it?",
    occurred_at=1_700_000_000_000,
    language="en",
    ingested_at=NOW - 75,
    requested_at=NOW - 70,
    reason="low_confidence",
    complexity=0.4,
    length=0.1,
    syntax=0.2,
    uncertainty=0.9,
    emotion=0.0,
    edge_negative=0.2,
    edge_neutral=0.45,
    edge_positive=0.35,
    edge_model="edge@1.0.0",
    router="default@1",
)


class Backend:
    """A cloud that answers `positive`, or fails."""

    id = "cloud@2.0.0"

    def __init__(self, error: CloudError | None = None) -> None:
        self.calls: list[tuple[int, float]] = []
        self.error = error
        self.closed = False

    async def score(self, texts: Sequence[str], timeout_s: float) -> NDArray[np.float32]:
        self.calls.append((len(texts), timeout_s))
        if self.error is not None:
            raise self.error
        return np.tile(np.array([0.1, 0.15, 0.75], np.float32), (len(texts), 1))

    async def close(self) -> None:
        self.closed = True


def records(count: int) -> list[Record]:
    value = REQUESTS.encode(REQUEST)
    return [consumer_record(value, topic="p.cloud-inference", offset=i) for i in range(count)]


def process(backend: Backend, batch: Sequence[Record]) -> tuple[list[Output], list[Output], list[Output]]:
    outputs = asyncio.run(CloudAgent(SETTINGS, backend, clock=lambda: NOW).process(batch))
    sentiment, audit, letters = (
        [output for output in outputs if output.topic == f"p.{topic}"]
        for topic in ("sentiment", "routing-events", "dead-letters")
    )
    assert len(sentiment) + len(audit) + len(letters) == len(outputs)
    return sentiment, audit, letters


def test_the_clouds_answer_is_published_and_paid_for() -> None:
    (answer,), (audit,), _ = process(Backend(), records(1))
    result, routing = RESULTS.decode(answer.value), AUDIT.decode(audit.value)
    assert (result.label, result.route, result.reason, result.degraded) == (
        "positive",
        "cloud",
        "low_confidence",
        False,
    )
    assert result.model == "cloud@2.0.0"
    assert result.confidence == pytest.approx(0.75)
    assert (routing.stage, routing.route, routing.cloud_label, routing.edge_label) == (
        "completed",
        "cloud",
        "positive",
        "neutral",
    )
    assert (routing.cost_usd, routing.cloud_only_cost_usd) == (0.0136, 0.0136)
    assert routing.end_to_end_ms == 75.0
    assert answer.key == audit.key == b"c1"


def test_a_cloud_that_fails_leaves_the_edges_answer_marked_degraded() -> None:
    (answer,), (audit,), _ = process(Backend(CloudError("it hangs")), records(1))
    result, routing = RESULTS.decode(answer.value), AUDIT.decode(audit.value)
    assert (result.label, result.route, result.reason, result.degraded) == ("neutral", "edge", "cloud_error", True)
    assert (result.negative, result.neutral, result.positive) == pytest.approx((0.2, 0.45, 0.35))
    assert result.model == "edge@1.0.0"
    assert (routing.route, routing.reason, routing.degraded, routing.cloud_label) == (
        "edge",
        "cloud_error",
        True,
        None,
    )
    assert (routing.cost_usd, routing.cloud_only_cost_usd) == (0.0, 0.0136)


def test_the_cloud_is_asked_in_small_batches_each_within_the_deadline() -> None:
    backend = Backend()
    sentiment, audit, _ = process(backend, records(2 * BATCH + 1))
    assert backend.calls == [(BATCH, 0.25), (BATCH, 0.25), (1, 0.25)]
    assert len(sentiment) == len(audit) == 2 * BATCH + 1


def test_a_batch_waits_for_the_deadline_once_however_many_calls_fail() -> None:
    """The first call of the batch fails for as long as it may; the rest is not asked.

    Seen to fail with each call given the whole deadline: a batch of four calls then took four.
    """

    class Hanging(Backend):
        async def score(self, texts: Sequence[str], timeout_s: float) -> NDArray[np.float32]:
            await asyncio.sleep(timeout_s)
            return await super().score(texts, timeout_s)

    backend = Hanging(CloudError("it hangs"))
    sentiment, audit, _ = process(backend, records(3 * BATCH))
    assert backend.calls == [(BATCH, 0.25)]
    assert len(sentiment) == len(audit) == 3 * BATCH
    assert {RESULTS.decode(answer.value).reason for answer in sentiment} == {"cloud_error"}


def test_after_a_call_that_fails_at_once_the_next_is_made() -> None:
    """Seen to fail with a batch given up at its first failure."""
    backend = Backend(CloudError("it died"))
    process(backend, records(2 * BATCH))
    (_, first_s), (_, second_s) = backend.calls
    assert 0 < second_s < first_s == 0.25


def test_poison_goes_to_dead_letters_without_asking_the_cloud() -> None:
    backend = Backend()
    sentiment, _, letters = process(backend, [consumer_record(b"\xc3\x01junk", topic="p.cloud-inference")])
    assert (len(sentiment), len(letters), backend.calls) == (0, 1, [])
    assert dict(letters[0].headers)["edgewise-agent"] == b"cloud"


def test_closing_the_agent_closes_its_backend() -> None:
    backend = Backend()
    asyncio.run(CloudAgent(SETTINGS, backend).close())
    assert backend.closed
