"""The Open Inference Protocol, as Triton and MLServer speak it."""

from typing import Any

import pytest

from models.backends.bill import Tariff
from models.backends.v2 import V2
from models.cloud import Answer, Failure
from models.spending import Spending
from tests.asked import MODEL, ask, failure
from tests.http_server import Fault, Handler, Request, Server, answer, serve

ROWS = {"text a": [0.7, 0.2, 0.1], "text b": [0.1, 0.2, 0.7]}
TEXT = {"name": "text", "datatype": "BYTES", "shape": [-1, 1]}


def model(*, flat: bool = True, inputs: Any = (), columns: tuple[int, ...] = (0, 1, 2), **changed: Any) -> Fault:
    """A model that knows two texts; a description with `inputs`."""

    def fault(handler: Handler, request: Request) -> None:
        if request.method == "GET":
            answer({"name": MODEL, "inputs": list(inputs)})(handler, request)
            return
        rows = [[ROWS[text][column] for column in columns] for text in request.body["inputs"][0]["data"]]
        data: list[Any] = sum(rows, list[float]()) if flat else rows
        output = {"name": "probabilities", "datatype": "FP32", "shape": [len(rows), 3], "data": data}
        answer({"model_name": MODEL, "model_version": "3", "outputs": [output]} | changed)(handler, request)

    return fault


def inputs_of(server: Server) -> list[dict[str, Any]]:
    return [request.body["inputs"][0] for request in server.requests if request.method == "POST"]


@pytest.mark.parametrize("flat", [True, False])
def test_rows_come_back_flat_or_nested(flat: bool) -> None:
    with serve(model(flat=flat)) as server:
        first, second = ask(server.url, list(ROWS), "v2", tariff=Tariff(0.01))
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.probabilities == pytest.approx(ROWS["text a"])
    assert second.probabilities == pytest.approx(ROWS["text b"])
    assert first.model == f"{MODEL}@3"
    assert first.spent == Spending(0.01, calls=1)
    assert [request.path for request in server.requests] == [f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/infer"]


@pytest.mark.parametrize(
    ("inputs", "name", "shape"),
    [
        ([], "text", [2, 1]),
        ([TEXT], "text", [2, 1]),
        ([TEXT | {"name": "turns", "shape": [-1]}], "turns", [2]),
        ([TEXT | {"datatype": "FP32", "name": "weights"}, TEXT], "text", [2, 1]),
    ],
    ids=["MLServer", "Triton", "one axis", "two inputs"],
)
def test_the_model_s_description_says_how_it_is_asked(inputs: Any, name: str, shape: list[int]) -> None:
    with serve(model(inputs=inputs)) as server:
        ask(server.url, list(ROWS), "v2", times=2)
    assert [(each["name"], each["shape"]) for each in inputs_of(server)] == [(name, shape)] * 2
    assert sum(request.method == "GET" for request in server.requests) == 1


def test_a_model_without_such_an_input_is_not_asked() -> None:
    with serve(model(inputs=[TEXT | {"name": "a"}, TEXT | {"name": "b"}])) as server:
        failed = failure(ask(server.url, ["text a"], "v2"))
    assert "BYTES inputs a, b: check EDGEWISE_CLOUD_INPUT_NAME" in failed.detail
    assert not inputs_of(server)


def test_names_and_the_order_of_labels_can_be_given() -> None:
    asked = V2(
        MODEL,
        texts_a_call=1,
        labels=("positive", "neutral", "negative"),
        input_name="b",
        output_name="probabilities",
    )
    with serve(model(inputs=[TEXT | {"name": "a"}, TEXT | {"name": "b"}], columns=(2, 1, 0))) as server:
        answers = ask(server.url, list(ROWS), asked)
    assert [each.probabilities for each in answers if isinstance(each, Answer)] == list(
        map(pytest.approx, ROWS.values())
    )
    assert [len(each["data"]) for each in inputs_of(server)] == [1, 1]
    assert server.requests[-1].body["outputs"] == [{"name": "probabilities"}]


def output(data: Any) -> list[dict[str, Any]]:
    return [{"name": "probabilities", "data": data}]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"outputs": output([2.5, -1.0, 0.3])}, "no probability"),
        ({"outputs": output([0.5, 0.5])}, "1 rows of three"),
        ({"outputs": output([0.5, 0.25, 0.25]) * 2}, "1 rows of three"),
        ({"outputs": []}, "1 rows of three"),
        ({"outputs": None}, "1 rows of three"),
        ({"outputs": output([[[[[0.1, 0.2, 0.7]]]]])}, "1 rows of three"),
        ({"outputs": output({"0": 1})}, "1 rows of three"),
        ({"outputs": [{"name": ["p"], "data": [0.5, 0.5]}]}, "1 rows of three"),
        ({"model_name": "other"}, "another model"),
    ],
    ids=["logits", "two", "ambiguous", "empty", "null", "deep", "object", "names", "model"],
)
def test_what_comes_back_is_judged_and_has_been_paid_for(changed: dict[str, Any], words: str) -> None:
    with serve(model(**changed)) as server:
        failed = failure(ask(server.url, ["text a"], "v2", tariff=Tariff(0.01)))
    assert words in failed.detail
    assert failed == Failure("cloud_error", failed.detail, Spending(0.01, calls=1))


def test_calls_that_fail_leave_the_others_their_answers() -> None:
    def second_fails(handler: Handler, request: Request) -> None:
        if request.method == "POST" and request.body["inputs"][0]["data"] == ["text b"]:
            answer({"error": "inference request batch-size must be <= 1"}, 400)(handler, request)
        else:
            model()(handler, request)

    with serve(second_fails) as server:
        first, second = ask(server.url, list(ROWS), V2(MODEL, texts_a_call=1))
    assert isinstance(first, Answer)
    assert isinstance(second, Failure)
    assert "HTTP 400" in second.detail
