"""The cloud agent: the cloud's answer, or the edge's marked degraded."""

import asyncio
import dataclasses
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY

from models.allowance import Allowance
from models.cloud import Answer, Failure, Question
from models.spending import Spending, Tokens
from schemas.codec import Codec
from schemas.records import CloudRequest
from schemas.topics import BUDGET, CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT
from streams.agents.agent import KafkaRecord, Output
from streams.agents.budget import Budget
from streams.agents.cloud import CloudAgent
from streams.config.settings import Settings
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
    role="agent",
    channel="chat",
    source="files",
    last=True,
    text_chars=31,
    vendor_label="positive",
)


SPENT = Spending(0.002, Tokens(16, 1, 8), 3, "measured")


class Backend:
    """A cloud that answers `positive`, or fails."""

    batch = 64

    def __init__(self, failure: Failure | None = None) -> None:
        self.asked: list[tuple[Question, ...]] = []
        self.deadlines_s: list[float] = []
        self.failure = failure
        self.closed = False

    def most_nanodollars(self, texts: int, size_bytes: int, deadline_s: float) -> int:
        assert size_bytes >= texts * len(REQUEST.text)
        assert deadline_s == 0.25
        return texts * 10**9

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> Sequence[Answer | Failure]:
        self.asked.append(tuple(questions))
        self.deadlines_s.append(deadline_s)
        return [self.failure or Answer((0.1, 0.15, 0.75), "cloud@2.0.0", SPENT) for _ in questions]

    async def close(self) -> None:
        self.closed = True


def records(count: int) -> list[KafkaRecord]:
    value = REQUESTS.encode(REQUEST)
    return [consumer_record(value, topic="p.cloud-inference", offset=i) for i in range(count)]


def process(backend: Backend, batch: Sequence[KafkaRecord]) -> tuple[list[Output], list[Output], list[Output]]:
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
    assert (routing.cost_usd, routing.cloud_only_cost_usd) == (0.002, 0.0136)
    assert (routing.tokens_in, routing.tokens_out, routing.tokens_cached) == (16, 1, 8)
    assert (routing.calls, routing.cost_basis, routing.cloud_confidence) == (3, "measured", result.confidence)
    assert routing.end_to_end_ms == 75.0
    assert answer.key == audit.key == b"c1"


@pytest.mark.parametrize("failure", [None, Failure("cloud_error", "it hangs")], ids=["answered", "failed"])
def test_who_spoke_and_where_goes_along(failure: Failure | None) -> None:
    (answer,), (audit,), _ = process(Backend(failure), records(1))
    result, routing = RESULTS.decode(answer.value), AUDIT.decode(audit.value)
    for given in (result, routing):
        assert (given.role, given.channel, given.language) == ("agent", "chat", "en")
        assert (given.source, given.last) == ("files", True)
    assert (routing.text_chars, routing.vendor_label, routing.scored) == (31, "positive", True)


@pytest.mark.parametrize("failure", [None, Failure("cloud_error", "it hangs")], ids=["answered", "failed"])
def test_the_answer_bears_the_trace_of_its_request(failure: Failure | None) -> None:
    context = (("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    plain, traced = records(2)
    answers, audits, _ = process(Backend(failure), [plain, dataclasses.replace(traced, headers=context)])
    assert [answer.headers for answer in answers] == [(), context]
    assert {audit.headers for audit in audits} == {()}


def test_a_cloud_that_fails_leaves_the_edges_answer_marked_degraded() -> None:
    (answer,), (audit,), _ = process(Backend(Failure("cloud_error", "it hangs")), records(1))
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


def test_what_a_failure_cost_is_on_the_bill_and_in_the_metrics() -> None:
    tokens, dollars = _metric("edgewise_cloud_tokens_total"), _metric("edgewise_cost_usd_total", agent="cloud")
    _, (audit,), _ = process(
        Backend(Failure("cloud_unavailable", "it stutters", Spending(0.003, Tokens(18, 1), 2))), records(1)
    )
    routing = AUDIT.decode(audit.value)
    assert (routing.route, routing.reason, routing.cost_usd) == ("edge", "cloud_unavailable", 0.003)
    assert _metric("edgewise_cloud_tokens_total") - tokens == 19
    assert _metric("edgewise_cost_usd_total", agent="cloud") - dollars == pytest.approx(0.003)
    process(Backend(), records(1))
    assert _metric("edgewise_cloud_tokens_total") - tokens == 19 + 17


def _metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_no_more_than_the_backend_takes_at_once_share_a_deadline() -> None:
    backend = Backend()
    sentiment, audit, _ = process(backend, records(130))
    assert [len(questions) for questions in backend.asked] == [64, 64, 2]
    assert backend.asked[0][0] == Question("is it?", "en", "agent")
    assert backend.deadlines_s == [0.25] * 3
    assert len(sentiment) == len(audit) == 130


@pytest.mark.parametrize(("batch", "chunk"), [(64, 16), (8, 2), (1, 1)])
def test_a_worker_fetches_as_many_as_the_backend_takes_at_once(batch: int, chunk: int) -> None:
    """`chunk_records` is a quarter of what `process` is given."""
    backend = Backend()
    backend.batch = batch
    assert CloudAgent(SETTINGS, backend).chunk_records == chunk


def test_poison_goes_to_dead_letters_without_asking_the_cloud() -> None:
    backend = Backend()
    sentiment, _, letters = process(backend, [consumer_record(b"\xc3\x01junk", topic="p.cloud-inference")])
    assert (len(sentiment), len(letters), backend.asked) == (0, 1, [])
    assert dict(letters[0].headers)["edgewise-agent"] == b"cloud"


def test_closing_the_agent_closes_its_backend() -> None:
    backend = Backend()
    asyncio.run(CloudAgent(SETTINGS, backend).close())
    assert backend.closed


class Paying(Backend):
    """Asks its allowance for a dollar a text."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__()
        self.allowance = allowance

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> Sequence[Answer | Failure]:
        given: list[Answer | Failure] = []
        for answer in await super().answer(questions, deadline_s):
            if self.allowance.reserve(10**9):
                self.allowance.settle(10**9, 10**9)
                given.append(answer)
            else:
                given.append(Failure("budget_exhausted", "spent"))
        return given


def test_calls_are_made_as_far_as_the_budget_goes_and_the_rest_keeps_the_edges_answer() -> None:
    settings = SETTINGS.model_copy(update={"budget_usd_per_hour": 2})
    written: list[tuple[bytes | None, bytes | None]] = []
    budget = Budget(settings, lambda _topic, _since: iter(written), lambda: NOW, "lease")
    agent = CloudAgent(settings, Paying(budget.lease), lambda: NOW, budget)
    batch = records(3)

    async def scenario() -> Sequence[Output]:
        (claim,) = await agent.prepare(batch)
        assert claim.topic == "p.budget"
        written.append((claim.key, claim.value))
        return await agent.process(batch)

    outputs = asyncio.run(scenario())
    results = [RESULTS.decode(output.value) for output in outputs if output.topic == "p.sentiment"]
    assert [result.reason for result in results] == ["low_confidence", "low_confidence", "budget_exhausted"]
    assert [result.degraded for result in results] == [False, False, True]
    (lease,) = [Codec(BUDGET).decode(output.value) for output in outputs if output.topic == "p.budget"]
    assert (lease.granted, lease.spent) == (2 * 10**9, 2 * 10**9)
    audits = [AUDIT.decode(output.value) for output in outputs if output.topic == "p.routing-events"]
    assert [audit.budget_used for audit in audits] == [1.0] * 3


def test_the_budget_hears_of_what_was_committed() -> None:
    """Seen to fail without it: what it gave out last would come again with every tick."""
    written: list[tuple[bytes | None, bytes | None]] = []
    budget = Budget(
        SETTINGS.model_copy(update={"budget_usd_per_hour": 2}),
        lambda _topic, _since: iter(written),
        lambda: NOW,
        "lease",
    )
    agent = CloudAgent(SETTINGS, Paying(budget.lease), lambda: NOW, budget)
    assert budget.claim(1)
    assert asyncio.run(agent.tick(NOW, [0]))
    agent.committed()
    assert asyncio.run(agent.tick(NOW, [0])) == []


def test_without_a_budget_nothing_is_claimed() -> None:
    agent = CloudAgent(SETTINGS, Backend(), lambda: NOW)
    assert agent.tick_s == 0
    assert not asyncio.run(agent.prepare(records(3)))
