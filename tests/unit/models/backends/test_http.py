"""Faults of a service, played by a real server: what is tried again, what is not, what it costs, and what is said."""

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.backends import http as http_module
from models.backends.circuit_breaker import FAILURES
from models.backends.http import TRIES, Caller, Endpoint
from models.backends.service import HttpBackend
from models.cloud import Answer, Failure, Question
from models.spending import Spending
from tests.asked import KEY, PAID, TARIFF, ask, completion, failure, message, most_usd, of, service
from tests.http_server import Fault, Handler, Request, answer, cut, drip, echo_error, flood, hang, raw, serve
from tests.kafka.certificates import Authority

GOOD = answer(completion())
MARKER = "Zebra Quagga 1"
NO_MODEL = "Invalid model name passed in model=x. Call `/v1/models` to view available models for your key."


def litellm(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    """An error of a LiteLLM proxy (1.108.7)."""
    return {"error": {"message": message, "type": kind, "param": None, "code": "400"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are what the code says, only shorter."""
    monkeypatch.setattr(http_module, "FIRST_BACKOFF_S", 0.001)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_can_pass_is_tried_again(status: int) -> None:
    with serve(answer({}, status), GOOD) as server:
        assert of(ask(server.url, ["x"])).probabilities == pytest.approx((0.7, 0.2, 0.1))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answer({}, 401), "HTTP 401: check EDGEWISE_CLOUD_API_KEY"),
        (answer({"error": {"code": "model_not_found"}}, 404), "HTTP 404, model_not_found: check EDGEWISE_CLOUD_URL"),
        (answer({"error": {"code": "model_not_found"}}, 403), "HTTP 403, model_not_found: check EDGEWISE_CLOUD_URL"),
        (answer({"error": {"message": "Insufficient Balance"}}, 402), "HTTP 402: its account has no money"),
        (answer({"error": {"code": "insufficient_quota"}}, 429), "its account has no money or quota left"),
        (answer({"error": {"type": "insufficient_quota"}}, 429, Retry_After="0"), "no money or quota left"),
        (answer({"error": "failed to parse the request JSON buffer: Missing a name"}, 500), "HTTP 500"),
        (answer({}, 503, x_should_retry="false"), "HTTP 503"),
        (answer({}, 302, Location="http://127.0.0.1:1/"), "a redirect, which is not followed"),
        (answer({}, 501), "HTTP 501"),
        # As a LiteLLM proxy says it.
        (
            answer(litellm("No connected db.", "no_db_connection"), 400),
            "no_db_connection: check EDGEWISE_CLOUD_API_KEY",
        ),
        (
            answer(litellm("Budget has been exceeded!", "budget_exceeded"), 422),
            "HTTP 422, budget_exceeded: its account",
        ),
        (
            answer(litellm(f"/chat/completions: {NO_MODEL}"), 400),
            "HTTP 400, invalid_request_error: check EDGEWISE_CLOUD_URL",
        ),
        (answer({"error": {"code": "context_length_exceeded"}}, 400), "HTTP 400, context_length_exceeded"),
    ],
)
def test_what_cannot_pass_is_asked_once(fault: Fault, words: str) -> None:
    with serve(fault, GOOD) as server:
        failed = failure(ask(server.url, ["x"]))
    assert failed.reason == "cloud_error"
    assert words in failed.detail
    assert (failed.spent.cost_usd, failed.spent.calls) == (0, 1)
    assert len(server.requests) == 1


def test_tries_have_an_end() -> None:
    with serve(answer({}, 500)) as server:
        assert "HTTP 500" in failure(ask(server.url, ["x"])).detail
    assert len(server.requests) == TRIES


def test_a_redirect_takes_neither_text_nor_key_elsewhere() -> None:
    with serve(GOOD) as other, serve(answer({}, 307, Location=other.url)) as server:
        failure(ask(server.url, ["x"]))
    assert not other.requests
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("fault", [hang, drip])
def test_a_hang_ends_with_the_deadline_and_counts_as_paid(fault: Fault) -> None:
    with serve(fault) as server:
        failed = failure(ask(server.url, ["x"], deadline_s=1.0))
    assert failed == Failure("cloud_error", "the openai did not answer within the deadline", failed.spent)
    assert failed.spent._replace(cost_usd=0) == Spending(calls=1)
    assert failed.spent.cost_usd == pytest.approx(most_usd(server.requests[0]))
    assert len(server.requests) == 1


def test_a_slow_answer_within_the_deadline_is_taken() -> None:
    def slow(handler: Handler, request: Request) -> None:
        handler.server.over.wait(0.2)
        GOOD(handler, request)

    with serve(slow) as server:
        of(ask(server.url, ["x"]))


def test_a_cut_connection_is_tried_again_and_both_tries_are_on_the_bill() -> None:
    with serve(cut, GOOD) as server:
        answered = of(ask(server.url, ["x"]))
    assert answered.spent.cost_usd == pytest.approx(most_usd(server.requests[0]) + PAID.cost_usd)
    assert (answered.spent.basis, answered.spent.calls) == ("assumed", 2)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [408, 502, 504])
def test_what_a_gateway_does_not_know_may_have_been_paid(status: int) -> None:
    with serve(answer({}, status), GOOD) as server:
        answered = of(ask(server.url, ["x"]))
    assert answered.spent.cost_usd == pytest.approx(most_usd(server.requests[0]) + PAID.cost_usd)
    assert (answered.spent.basis, answered.spent.calls) == ("assumed", 2)


@pytest.mark.parametrize(
    "fault",
    [raw(b"<html>"), raw(b""), raw(b"\xff\xfe"), raw(b"[" * 100_000), answer(None), answer([]), flood],
    ids=["html", "nothing", "no UTF-8", "deep", "null", "list", "flood"],
)
def test_garbage_is_no_answer_and_is_not_paid_for_again(fault: Fault) -> None:
    with serve(fault, GOOD) as server:
        failed = failure(ask(server.url, ["x"]))
    assert failed.reason == "cloud_error"
    assert failed.spent.cost_usd == pytest.approx(most_usd(server.requests[0])), "nobody says what it cost: the most"
    assert len(server.requests) == 1


def test_nobody_there() -> None:
    with serve(GOOD) as server:
        url = server.url
    failed = failure(ask(url, ["x"]))
    assert "cannot be reached (" in failed.detail
    assert failed.spent == Spending()


def test_retry_after_is_honoured_and_given_up_at_once_beyond_the_deadline() -> None:
    with serve(answer({}, 429, Retry_After="0.05"), GOOD) as server:
        of(ask(server.url, ["x"]))
    assert len(server.requests) == 2
    with serve(lambda handler, _: handler.send(429, b"{}", {"llm_provider-retry-after": "3600"}), GOOD) as server:
        assert "HTTP 429" in failure(ask(server.url, ["x"])).detail
    assert len(server.requests) == 1
    with serve(answer({}, 429, Retry_After="3600"), GOOD) as server:
        # Were it waited for, or tried all the same, the second round would reach the server too.
        failed = failure(ask(server.url, ["x"], times=2))
    assert failed == Failure("cloud_unavailable", failed.detail, failed.spent)
    assert failed.spent.cost_usd == 0
    assert "its rate limit leaves no time" in failed.detail
    assert len(server.requests) == 1


def test_a_storm_of_429_ends_within_the_tries_and_opens_no_circuit() -> None:
    with serve(*[answer({}, 429)] * (TRIES * 12), GOOD) as server:
        answers = ask(server.url, ["x"] * 12, times=2)
    assert all(isinstance(each, Answer) for each in answers), "the storm is over, and the service is asked"
    assert len(server.requests) == TRIES * 12 + 12


def test_headers_slow_calls_down_before_the_server_does() -> None:
    last = answer(completion(), x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="1h")
    with serve(last, GOOD) as server:
        failed = failure(ask(server.url, ["x"], times=2))
    assert failed.reason == "cloud_unavailable"
    assert len(server.requests) == 1


def test_calls_at_once_are_many_and_bounded() -> None:
    barrier = threading.Barrier(4)

    def held(handler: Handler, request: Request) -> None:
        handler.server.in_flight.enter()
        barrier.wait(10)  # four at a time, or it breaks
        handler.server.in_flight.leave()
        GOOD(handler, request)

    with serve(held) as server:
        answers = ask(server.url, [f"text {number}" for number in range(12)], concurrency=4)
        assert all(isinstance(each, Answer) for each in answers)
        assert server.in_flight.most == 4


def test_what_waits_for_others_until_the_deadline_was_not_asked_and_costs_nothing() -> None:
    with serve(hang) as server:
        answers = ask(server.url, ["x", "y"], concurrency=1, deadline_s=1.0)
    assert [each.spent.cost_usd for each in answers] == [pytest.approx(most_usd(server.requests[0])), 0]
    assert isinstance(answers[1], Failure)
    assert "was not asked within the deadline" in answers[1].detail
    assert answers[1].reason == "cloud_unavailable"
    assert len(server.requests) == 1


def test_a_service_that_keeps_failing_is_left_alone() -> None:
    with serve(answer({}, 500)) as server:
        failed = failure(ask(server.url, ["x"], times=20))
    assert failed.reason == "cloud_unavailable"
    assert failed.detail == "the openai is not asked for a while: the openai answered HTTP 500"
    assert len(server.requests) == FAILURES


def test_garbage_opens_the_circuit_too() -> None:
    with serve(answer({"model": "judge-1", "choices": []})) as server:
        assert failure(ask(server.url, ["x"], times=20)).reason == "cloud_unavailable"
    assert len(server.requests) == FAILURES


def test_a_wrong_key_opens_the_circuit_at_once() -> None:
    with serve(answer({}, 401)) as server:
        assert "EDGEWISE_CLOUD_API_KEY" in failure(ask(server.url, ["x"], times=5)).detail
    assert len(server.requests) == 1


def test_a_refusal_that_quotes_a_customer_is_of_this_text_alone() -> None:
    with serve(answer(litellm(f"cannot read '{NO_MODEL}'"), 400)) as server:
        failed = failure(ask(server.url, ["x"]))
    assert failed.detail.endswith("refused the request (HTTP 400, invalid_request_error)")


def test_texts_that_are_refused_leave_the_circuit_closed() -> None:
    with serve(*[answer({}, 400)] * (3 * FAILURES), GOOD) as server:
        of(ask(server.url, ["x"], times=3 * FAILURES + 1))
    assert len(server.requests) == 3 * FAILURES + 1


def test_a_probe_closes_the_circuit() -> None:
    async def scenario() -> list[Answer | Failure]:
        caller = Caller(Endpoint("it", server.url), jitter=random.Random(1))
        now = 0.0
        caller.breaker._clock_s = lambda: now
        backend = HttpBackend(service("openai"), caller, TARIFF)
        answers = []
        for _ in range(3):
            answers += await backend.answer([Question("x")], 10)
        now += 1
        answers += await backend.answer([Question("x")], 10)
        await backend.close()
        return answers

    with serve(*[answer({}, 500)] * FAILURES, GOOD) as server:
        answers = asyncio.run(scenario())
    assert [isinstance(each, Answer) for each in answers] == [False, False, False, True]
    assert len(server.requests) == FAILURES + 1


def test_certificates(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    right = authority.issue("right", "127.0.0.1")
    with serve(GOOD, certificate=right) as server:
        of(ask(server.url, ["x"], ca_file=str(authority.file)))
    wrong = {
        "stranger": (right, stranger.file),
        "another host": (authority.issue("elsewhere", "elsewhere.test"), authority.file),
        "expired": (authority.issue("old", "127.0.0.1", expired=True), authority.file),
    }
    for certificate, ca_file in wrong.values():
        with serve(GOOD, certificate=certificate) as server:
            failed = failure(ask(server.url, ["x"], ca_file=str(ca_file)))
        assert "has a certificate that is not accepted" in failed.detail
        assert "EDGEWISE_CLOUD_CA_FILE" in failed.detail
        assert not server.requests


def test_a_client_s_certificate_is_shown_to_a_service_that_asks_for_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    server_file, client = authority.issue("service", "127.0.0.1"), authority.issue("worker")
    with serve(GOOD, certificate=server_file, client_ca=authority.file) as server:
        of(ask(server.url, ["x"], ca_file=str(authority.file), certificate_file=str(client)))
        assert len(server.requests) == 1
        failure(ask(server.url, ["x"], ca_file=str(authority.file)))
        assert len(server.requests) == 1


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    client = Authority(tmp_path, "authority").issue("worker", password="hush")
    with pytest.raises(OSError, match=r"BAD_DECRYPT|bad decrypt|PEM|password"):
        ask("https://127.0.0.1:1", ["x"], certificate_file=str(client))


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(GOOD) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        of(ask("http://service.test/v1", ["x"]))
    assert proxy.requests[0].path == "http://service.test/v1/chat/completions"


def quoting(make: Callable[[str], Any]) -> Fault:
    """An answer that has the request in it."""
    return lambda handler, request: answer(make(f"{MARKER} {request.body}"))(handler, request)


LEAKS: dict[str, Fault] = {
    **{str(status): echo_error(status) for status in (200, 400, 401, 404, 413, 422, 424, 429, 500, 501, 503)},
    "later": echo_error(429, Retry_After="3600"),
    "redirect": echo_error(302, Location=f"http://127.0.0.1:1/{MARKER.replace(' ', '-')}"),
    "string": quoting(str),
    "label": quoting(lambda text: [[{"label": text, "score": 1}]]),
    "model": quoting(lambda text: completion(model=text)),
    "fingerprint": quoting(lambda text: completion(system_fingerprint=text)),
    "message": quoting(lambda text: message(text, stop_reason=text)),
    "outputs": quoting(lambda text: {"model_name": text, "outputs": text}),
    "hang": hang,
    "cut": cut,
    "no JSON": raw(f"{MARKER} is no JSON".encode()),
    "flood": flood,
}


def after_information(fault: Fault) -> Fault:
    """Answers what a backend asks of its server first, and plays `fault` when it asks for scores."""
    information = answer({"model_id": "m", "model_type": {"classifier": {}}, "inputs": []})
    return lambda handler, request: (information if request.method == "GET" else fault)(handler, request)


@pytest.mark.parametrize("kind", ["openai", "anthropic", "v2", "tei"])
@pytest.mark.parametrize("leak", LEAKS)
def test_no_text_and_no_key_is_in_an_error_or_a_log(kind: str, leak: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(after_information(LEAKS[leak])) as server:
        answers = ask(server.url, [f"{MARKER} is my number"], kind, deadline_s=0.5)
    seen = "".join([*map(str, answers), caplog.text, *(str(vars(record)) for record in caplog.records)])
    assert answers
    assert "Zebra" not in seen
    assert "Quagga" not in seen
    assert KEY not in seen


def test_an_endpoint_does_not_show_its_key() -> None:
    assert KEY not in repr(Endpoint("it", "http://x", {"Authorization": KEY}))


def test_a_lone_surrogate_is_sent_as_a_question_mark() -> None:
    with serve(GOOD) as server:
        of(ask(server.url, ["a\ud800b"]))
    assert "a?b" in server.requests[0].body["messages"][-1]["content"]


@pytest.mark.parametrize("kind", ["openai", "anthropic", "v2", "tei"])
def test_what_is_personal_does_not_leave(kind: str) -> None:
    """Whoever asks, and whatever the edge was set to: this is the one door."""
    text = "this is great, my card is 4111 1111 1111 1111 and my e-mail jane.doe@example.com"
    with serve(after_information(answer({}, 400))) as server:
        ask(server.url, [text], kind)
    sent = "".join(str(request.body) for request in server.requests)
    assert "this is great" in sent
    assert "4111" not in sent
    assert "jane.doe" not in sent
