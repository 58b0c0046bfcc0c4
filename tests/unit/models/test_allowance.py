"""What may be spent on calls: the backends ask before each try, and stop in time."""

import asyncio
import json
from pathlib import Path

import pytest

from models.allowance import Lease
from models.artifact import load_artifact
from models.backends import http as http_module
from models.backends.bill import Tariff
from models.backends.onnx_process import OnnxProcessBackend
from models.backends.service import BYTES_IN_JSON, LONGEST_WRITING, REQUEST_BYTES
from models.cloud import Answer, Failure, Question
from tests.asked import PAID, ask, completion, failure, message, most_usd, service
from tests.http_server import answer, cut, echo_error, serve
from tests.tiny_artifact import tiny_artifact

GOOD = answer(completion())
QUERY = Tariff(0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "FIRST_BACKOFF_S", 0.001)


def test_a_lease_is_reserved_and_settled() -> None:
    lease = Lease(10)
    assert lease.reserve(6)
    assert not lease.reserve(5)
    lease.settle(6, 2)
    assert lease.left == 8
    assert lease.reserve(8)


def test_a_try_that_the_allowance_does_not_cover_is_not_made() -> None:
    with serve(GOOD) as server:
        failed = failure(ask(server.url, ["x"], allowance=Lease(1000)))
    assert failed.reason == "budget_exhausted"
    assert failed.detail == "the openai is not asked: the budget is spent"
    assert (failed.spent.cost_usd, failed.spent.calls) == (0, 0)
    assert not server.requests


def test_what_a_call_cost_is_settled_and_the_rest_of_what_was_reserved_is_free_again() -> None:
    lease = Lease(10**9)
    with serve(GOOD) as server:
        ask(server.url, ["x", "y"], allowance=lease)
    assert (lease.reserved, lease.spent) == (0, round(2e9 * PAID.cost_usd))


def test_calls_at_once_together_stay_within_the_allowance() -> None:
    lease = Lease(round(1e9 * 1.2))
    with serve(GOOD) as server:
        answers = ask(server.url, ["x"] * 8, tariff=QUERY, allowance=lease)
    assert len(server.requests) == 2
    assert [isinstance(each, Answer) for each in answers].count(True) == 2
    assert {each.reason for each in answers if isinstance(each, Failure)} == {"budget_exhausted"}
    assert (lease.reserved, lease.spent) == (0, 10**9)


def test_a_try_that_was_cut_off_counts_as_the_most_and_the_next_must_be_covered_too() -> None:
    lease = Lease(10**9)
    with serve(cut, GOOD) as server:
        ask(server.url, ["x"], allowance=lease)
        assert lease.spent == round(1e9 * (most_usd(server.requests[0]) + PAID.cost_usd))
    lease = Lease(round(1.5e9 * most_usd(server.requests[0])))
    with serve(cut, GOOD) as server:
        failed = failure(ask(server.url, ["x"], allowance=lease))
    assert len(server.requests) == 1
    assert failed.reason == "cloud_error", "it was asked, and cut off"


def test_a_refusal_costs_nothing() -> None:
    lease = Lease(10**9)
    with serve(echo_error(400)) as server:
        failure(ask(server.url, ["x"], allowance=lease))
    assert len(server.requests) == 1
    assert (lease.reserved, lease.spent) == (0, 0)


@pytest.mark.parametrize("text", ["", "x" * 500, "\x01" * 100, "grüße \U0001f600 " * 40, "call 555 0100 at 5"])
@pytest.mark.parametrize(
    ("kind", "body"), [("openai", completion()), ("openai", "silent"), ("anthropic", message({"negative": 1}))]
)
def test_what_is_claimed_for_a_text_covers_its_try(kind: str, body: object, text: str) -> None:
    silent = completion(choices=[{"message": {"content": "A"}, "finish_reason": "length"}])
    with serve(answer(silent if body == "silent" else body)) as server:
        ask(server.url, [text], kind)
    for request in server.requests:
        sent = len(json.dumps(request.body))
        assert sent <= REQUEST_BYTES + BYTES_IN_JSON * len(text.encode())
        assert request.body["max_tokens"] <= LONGEST_WRITING
    assert service(kind).texts_a_call == 1


def test_the_process_beside_the_worker_is_asked_as_far_as_the_allowance_goes(tmp_path: Path) -> None:
    artifact = load_artifact(str(tiny_artifact(tmp_path, "cloud", confidence_threshold=None)))
    lease = Lease(round(1e9 * 1.2))

    async def asked() -> list[Answer | Failure]:
        backend = OnnxProcessBackend(artifact, tariff=QUERY, allowance=lease)
        try:
            assert backend.most_nanodollars(3, 100, 1.0) == 1_500_000_000
            first = await backend.answer([Question("good"), Question("bad")], 60.0)
            return [*first, *await backend.answer([Question("meh")], 60.0)]
        finally:
            await backend.close()

    *answered, refused = asyncio.run(asked())
    assert all(isinstance(each, Answer) and each.spent.cost_usd == 0.5 for each in answered)
    assert isinstance(refused, Failure)
    assert refused.reason == "budget_exhausted"
    assert (lease.reserved, lease.spent) == (0, 10**9)
