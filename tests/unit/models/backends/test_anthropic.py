"""Anthropic's protocol: numbers that the model hands to a tool."""

from typing import Any

import pytest

from models.cloud import Failure
from models.spending import Spending, Tokens
from tests.asked import MODEL, PAID, ask, failure, message, most_usd, of
from tests.http_server import answer, serve

NUMBERS = {"negative": 0.8, "neutral": 0.15, "positive": 0.05}


def test_the_tool_s_input_is_the_answer() -> None:
    with serve(answer(message(NUMBERS))) as server:
        answered = of(ask(server.url + "/v1", ["My bag is lost"], "anthropic"))
    assert answered.probabilities == pytest.approx((0.8, 0.15, 0.05))
    assert answered.model == f"{MODEL}@unknown"
    assert answered.spent == Spending(PAID.cost_usd, Tokens(100, 1, 50), 1, "measured"), (
        "what was read from the cache is read, too"
    )
    (request,) = server.requests
    assert request.path == "/v1/messages"
    assert request.body["tool_choice"] == {"type": "tool", "name": request.body["tools"][0]["name"]}
    assert "My bag is lost" in request.body["messages"][-1]["content"]


def test_a_model_that_takes_no_temperature_is_asked_without() -> None:
    error = {"type": "invalid_request_error", "message": "temperature is not supported by this model"}
    with serve(answer({"type": "error", "error": error}, 400), answer(message(NUMBERS))) as server:
        of(ask(server.url, ["x"], "anthropic", times=2))
    assert ["temperature" in request.body for request in server.requests] == [True, False, False]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (message(NUMBERS, model="other"), "another model"),
        (message(NUMBERS, stop_reason="refusal"), "declined"),
        (message(NUMBERS, stop_reason="max_tokens"), "was not done"),
        (message({"negative": 0.8}), "no probability"),
        (message(NUMBERS, content=[{"type": "text", "text": "negative"}]), "no JSON object"),
        (message(NUMBERS, content=None), "no JSON object"),
    ],
    ids=["model", "refusal", "cut", "one number", "text", "nothing"],
)
def test_what_comes_back_is_judged_and_has_been_paid_for(body: dict[str, Any], words: str) -> None:
    with serve(answer(body)) as server:
        failed = failure(ask(server.url, ["x"], "anthropic"))
    assert words in failed.detail
    assert failed == Failure("cloud_error", failed.detail, failed.spent)
    assert failed.spent.cost_usd == PAID.cost_usd


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 50}])
def test_what_is_no_count_of_tokens_costs_the_most_that_it_can(usage: dict[str, int]) -> None:
    with serve(answer(message(NUMBERS, usage=usage))) as server:
        spent = of(ask(server.url, ["x"], "anthropic")).spent
    assert spent.cost_usd == pytest.approx(most_usd(server.requests[0]), abs=1e-9)
    assert (spent.tokens, spent.basis) == (None, "assumed")


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
    ],
)
def test_a_used_up_account_opens_the_circuit_at_once(message: str) -> None:
    with serve(answer({"error": {"type": "invalid_request_error", "message": message}}, 400)) as server:
        failed = failure(ask(server.url, ["x"], "anthropic", times=2))
    assert failed.reason == "cloud_unavailable"
    assert "no money or quota left" in failed.detail
    assert len(server.requests) == 1


def test_an_overloaded_service_is_tried_again() -> None:
    overloaded = answer({"type": "error", "error": {"type": "overloaded_error"}}, 529)
    with serve(overloaded, answer(message(NUMBERS))) as server:
        of(ask(server.url, ["x"], "anthropic"))
    assert len(server.requests) == 2
