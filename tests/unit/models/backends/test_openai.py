"""OpenAI's protocol: log-probabilities where there are any, numbers else, and what is no answer."""

import json
import logging
from decimal import Decimal
from typing import Any

import pytest

from models.backends.bill import Tariff
from models.backends.calibration import Calibration
from models.backends.circuit_breaker import FAILURES
from models.backends.service import short_name
from models.cloud import Failure
from models.model_name import is_same_model
from models.price_book import Price
from models.spending import Spending, Tokens
from tests.asked import MODEL, PAID, ask, completion, failure, most_usd, of, written_completion
from tests.http_server import answer, serve

NUMBERS = json.dumps({"negative": 0.1, "neutral": 0.2, "positive": 0.7})


def refused(param: str | None, message: str = "") -> Any:
    return answer({"error": {"code": "unsupported_parameter", "param": param, "message": message}}, 400)


def test_the_codes_log_probabilities_are_the_answer() -> None:
    with serve(answer(completion())) as server:
        answered = of(ask(server.url + "/v1", ["My bag is lost"]))
    assert answered.probabilities == pytest.approx((0.7, 0.2, 0.1))
    assert answered.model == f"{MODEL}@fp_1"
    assert answered.spent == PAID
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    body = request.body
    assert (body["model"], body["max_tokens"], body["temperature"]) == (MODEL, 1, 0)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert "My bag is lost" in body["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("fault", "changed", "gone"),
    [
        (refused("top_logprobs"), {"top_logprobs": 5}, ()),
        (refused("max_tokens"), {"max_completion_tokens": 1}, ("max_tokens",)),
        (refused("temperature"), {}, ("temperature",)),
        (refused(None, "Unsupported parameter: 'temperature'"), {}, ("temperature",)),
    ],
    ids=["fewer alternatives", "max_completion_tokens", "no temperature", "by its message"],
)
def test_a_refused_parameter_is_left_out_from_then_on(fault: Any, changed: dict[str, Any], gone: tuple[str]) -> None:
    with serve(fault, answer(completion())) as server:
        of(ask(server.url, ["x"], times=2))
    assert len(server.requests) == 3
    for request in server.requests[1:]:
        assert changed.items() <= request.body.items()
        assert not set(gone) & request.body.keys()


def test_a_customer_who_speaks_of_a_temperature_changes_nothing() -> None:
    quoting = answer({"error": {"message": "too long: the temperature in my flat is 12 degrees, logprobs"}}, 400)
    with serve(quoting, answer(completion())) as server:
        of(ask(server.url, ["x"], times=2))
    assert len(server.requests) == 2
    assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize(
    "first",
    [
        refused("logprobs"),
        answer(completion(choices=[{"message": {"content": "A"}, "finish_reason": "length"}])),
        answer({"error": {"message": "You are not allowed to request logprobs from this model", "param": None}}, 403),
        answer([{"error": {"code": 400, "message": "Logprobs is not enabled for models/gemini-2.5-flash"}}], 400),
        answer({"detail": [{"type": "extra_forbidden", "loc": ["body", "logprobs"]}]}, 422),
        answer(
            {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "logprobs"]}]}}, 422
        ),
    ],
    ids=["refused", "left out", "OpenAI's that reason", "Gemini", "FastAPI", "Mistral"],
)
def test_a_model_without_log_probabilities_writes_numbers(first: Any) -> None:
    with serve(first, answer(written_completion(NUMBERS))) as server:
        answered = of(ask(server.url, ["x"], times=2))
    assert answered.probabilities == pytest.approx((0.1, 0.2, 0.7))
    assert answered.model == f"{MODEL}@unknown"
    assert [("logprobs" in request.body) for request in server.requests] == [True, False, False]
    schema = server.requests[1].body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["negative", "neutral", "positive"]


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": None, "refusal": "I will not"}, "finish_reason": "stop"},
        {"message": {"content": ""}, "finish_reason": "content_filter"},
        {"message": {"content": ""}, "logprobs": {"content": []}, "finish_reason": "stop"},
    ],
    ids=["refusal", "filtered", "nothing"],
)
def test_a_text_that_is_declined_says_nothing_of_the_next(choice: Any) -> None:
    declined = answer(completion(choices=[choice]))
    with serve(*[declined] * FAILURES, answer(completion())) as server:
        answers = ask(server.url, ["x"], times=FAILURES + 1)
    assert of(answers).probabilities == pytest.approx((0.7, 0.2, 0.1))
    assert all(request.body["logprobs"] for request in server.requests)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -5, "completion_tokens": 1},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 100, "completion_tokens": "1"},
        {"prompt_tokens": 100},
        None,
    ],
)
def test_what_is_no_count_of_tokens_costs_the_most_that_it_can(usage: Any) -> None:
    with serve(answer(completion(usage=usage))) as server:
        spent = of(ask(server.url, ["x"])).spent
    assert spent.cost_usd == pytest.approx(most_usd(server.requests[0]), abs=1e-9)
    assert (spent.tokens, spent.basis) == (None, "assumed")


def test_a_try_that_gave_no_answer_is_on_the_bill_of_the_one_that_did() -> None:
    silent = completion(choices=[{"message": {"content": "A"}, "finish_reason": "length"}])
    with serve(answer(silent), answer(written_completion(NUMBERS))) as server:
        answered = of(ask(server.url, ["x"]))
    assert answered.spent == Spending(2 * PAID.cost_usd, Tokens(200, 2, 0), 2, "measured")


def test_an_answer_that_is_refused_has_been_paid_for() -> None:
    with serve(answer(completion((0.2, 0.1, 0.1)))) as server:
        failed = failure(ask(server.url, ["x"]))
    assert failed == Failure("cloud_error", failed.detail, PAID)
    assert "below 0.5" in failed.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (completion(model="other"), "another model"),
        (completion(model=MODEL + "-mini"), "another model"),
        (completion(model=None), "did not say which model"),
        (completion(choices=[]), "without a choice"),
        (completion(choices="A"), "without a choice"),
    ],
    ids=["other", "mini", "none", "no choice", "text"],
)
def test_what_comes_back_is_judged(body: dict[str, Any], words: str) -> None:
    with serve(answer(body)) as server:
        assert words in failure(ask(server.url, ["x"])).detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (written_completion("I think it is negative"), "no JSON object"),
        (written_completion("[0.1, 0.2, 0.7]"), "no JSON object"),
        (written_completion("{}"), "no probability"),
        (written_completion('{"negative": 1, "neutral": 1, "positive": 1}'), "add up"),
        (written_completion(None), "no JSON object"),
        (written_completion(NUMBERS, finish_reason="length"), "was not done after"),
        (written_completion("", finish_reason="content_filter"), "declined"),
        (written_completion(NUMBERS, message={"refusal": "I will not", "content": NUMBERS}), "declined"),
    ],
    ids=["words", "list", "empty", "sum", "null", "cut", "filtered", "refusal"],
)
def test_what_a_model_writes_is_judged(body: dict[str, Any], words: str) -> None:
    with serve(refused("logprobs"), answer(body)) as server:
        assert words in failure(ask(server.url, ["x"])).detail


def test_a_proxy_s_own_price_wins_and_without_any_price_a_query_costs_what_is_assumed() -> None:
    with serve(answer(completion(), x_litellm_response_cost="0.000123")) as server:
        assert of(ask(server.url, ["x"])).spent == Spending(0.000123, Tokens(100, 1, 0), 1, "measured")
    with serve(answer(completion())) as server:
        assert of(ask(server.url, ["x"], tariff=Tariff(0.01))).spent == Spending(0.01, Tokens(100, 1), 1)


def test_tokens_of_the_cache_have_a_price_of_their_own() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 90}}
    price = Price(model=MODEL, input=Decimal(2), output=Decimal(10), cached=Decimal("0.5"))
    with serve(answer(completion(usage=usage))) as server:
        cost = of(ask(server.url, ["x"], tariff=Tariff(0.01, price))).spent
    assert cost == Spending(10 * 2e-6 + 90 * 0.5e-6 + 10e-6, Tokens(100, 1, 90), 1, "measured")


@pytest.mark.parametrize(
    ("asked", "served", "same"),
    [
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "gpt-4o-mini-2024-07-18", False),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001", True),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022", True),
        ("openai/gpt-4o-mini", "gpt-4o-mini", True),
        ("small.gguf", "/models/small.gguf", True),
        ("small.gguf", "C:\\models\\small.gguf", True),
        ("llama3", "llama3:latest", True),
        ("llama3", "llama31", False),
        ("llama-3", "llama-3-70", False),
        ("gemini-1.5-flash", "gemini-1.5-flash-002", True),
    ],
)
def test_the_same_model_by_another_name(asked: str, served: str, same: bool) -> None:
    assert is_same_model(asked, served) == same


def test_a_model_s_name_in_an_event_has_no_path() -> None:
    assert short_name("/home/sam/models/a b\n.gguf") == "a_b_.gguf"


def test_a_calibration_is_applied_and_another_fingerprint_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    made = {"texts": 99, "accuracy": 0.5, "loss_before": 1.0, "loss_after": 0.9, "made": "2026-11-29"}
    calibration = Calibration(format=1, model=MODEL, fingerprint="fp_1", temperature=2.0, **made)  # type: ignore[arg-type]
    caplog.set_level(logging.WARNING)
    with serve(answer(completion((0.64, 0.32, 0.04)))) as server:
        p = of(ask(server.url, ["x"], calibration=calibration)).probabilities
    roots = [0.8, 0.32**0.5, 0.2]
    assert p == pytest.approx([root / sum(roots) for root in roots])
    assert not caplog.records
    with serve(answer(completion(system_fingerprint="fp_2"))) as server:
        of(ask(server.url, ["x"], calibration=calibration, times=3))
    assert len(caplog.records) == 1
    assert f"answers as {MODEL}@fp_2, and its calibration was made for {MODEL}@fp_1" in caplog.text
