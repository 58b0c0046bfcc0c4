"""text-embeddings-inference, by the answers that its OpenAPI description has."""

from typing import Any

import pytest

from models.backends.tei import Tei
from models.cloud import Answer
from models.spending import Spending, Tokens
from tests.asked import ask, failure, of
from tests.http_server import Fault, Handler, Request, answer, serve

SHA = "0123456789abcdef0123456789abcdef01234567"
INFO = {
    "model_id": "acme/sentiment",
    "model_sha": SHA,
    "model_type": {"classifier": {"id2label": {"0": "LABEL_0"}}},
    "max_client_batch_size": 2,
}
NAMES = ("negative", "neutral", "positive")


def server_of(names: tuple[str, ...] = NAMES, info: Any = INFO, rows: Any = None) -> Fault:
    def fault(handler: Handler, request: Request) -> None:
        if request.path == "/info":
            answer(info)(handler, request)
            return
        row: list[dict[str, Any]] = [
            {"label": label, "score": score} for label, score in zip(names, (0.2, 0.1, 0.7), strict=True)
        ]
        row.sort(key=lambda entry: -float(entry["score"]))
        found = [row] * len(request.body["inputs"]) if rows is None else rows
        answer(found, x_compute_tokens="42")(handler, request)

    return fault


@pytest.mark.parametrize("names", [NAMES, ("Negative", "NEUTRAL", "positive"), ("LABEL_0", "LABEL_1", "LABEL_2")])
def test_labels_are_put_in_order(names: tuple[str, ...]) -> None:
    with serve(server_of(names)) as server:
        answered = of(ask(server.url, ["x"], "tei"))
    assert answered.probabilities == pytest.approx((0.2, 0.1, 0.7))
    assert answered.model == f"sentiment@{SHA}"
    assert answered.spent == Spending(42 * 2e-6, Tokens(42), calls=1, basis="measured")


def test_numbered_labels_stand_in_the_order_that_is_set() -> None:
    order = Tei("acme/sentiment", texts_a_call=4, labels=("positive", "negative", "neutral"))
    with serve(server_of(("LABEL_0", "LABEL_1", "LABEL_2"))) as server:
        assert of(ask(server.url, ["x"], order)).probabilities == pytest.approx((0.1, 0.7, 0.2))


def test_a_batch_is_a_list_of_lists_no_larger_than_the_server_takes() -> None:
    with serve(server_of()) as server:
        answers = ask(server.url, ["a", "b", "c"], "tei")
    assert all(isinstance(each, Answer) for each in answers)
    assert [request.body["inputs"] for request in server.requests if request.body] == [[["a"], ["b"]], [["c"]]]
    assert sum(each.spent.tokens.read for each in answers if each.spent.tokens) == 84


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (server_of(info=INFO | {"model_type": {"embedding": {}}}), "serves no classifier"),
        (server_of(info=[]), "serves no classifier"),
        (server_of(info=INFO | {"model_id": "acme/other"}), "another model"),
        (server_of(("joy", "anger", "fear")), "other labels"),
        (server_of(rows=[]), "1 rows"),
        (server_of(rows=["x"]), "other labels"),
        (server_of(rows=[[{"label": label, "score": 1.5} for label in NAMES]]), "add up"),
    ],
    ids=["embedding", "list", "other", "labels", "no rows", "text", "scores"],
)
def test_what_comes_back_is_judged(fault: Fault, words: str) -> None:
    with serve(fault) as server:
        assert words in failure(ask(server.url, ["x"], Tei("acme/sentiment", texts_a_call=4))).detail


def test_an_overloaded_server_is_tried_again() -> None:
    def busy_once(handler: Handler, request: Request) -> None:
        overloaded = answer({"error": "Model is overloaded", "error_type": "Overloaded"}, 429)
        first = request.path == "/predict" and sum(each.path == "/predict" for each in handler.server.requests) == 1
        (overloaded if first else server_of())(handler, request)

    with serve(busy_once) as server:
        of(ask(server.url, ["x"], "tei"))
    assert len(server.requests) == 3
