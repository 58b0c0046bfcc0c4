"""What is a distribution over the labels, and what only looks like one."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.backends.probabilities import (
    LittleMassError,
    NoDistributionError,
    exact,
    of_codes,
    tempered,
    written,
)

CODES = ("A", "B", "C")
NAN, INF = float("nan"), float("inf")


def top(**probabilities: float) -> list[dict[str, Any]]:
    return [{"token": token, "logprob": math.log(p) if p else -9999.0} for token, p in probabilities.items()]


def test_spellings_of_a_code_are_added_and_the_rest_is_left_out() -> None:
    given_ = [("A", 0.4), (" A", 0.1), ("a", 0.05), ("A.", 0.05), ("B", 0.15), (" C\n", 0.05), ("This", 0.1)]
    p = of_codes([{"token": token, "logprob": math.log(value)} for token, value in given_], CODES)
    assert p == pytest.approx((0.75, 0.1875, 0.0625))


def test_a_code_that_is_not_listed_has_at_most_what_the_least_has() -> None:
    assert of_codes(top(A=0.8, B=0.12, x=0.02), CODES) == pytest.approx((0.8 / 0.94, 0.12 / 0.94, 0.02 / 0.94))
    assert of_codes(top(A=0.9, B=0.095), CODES) == pytest.approx((0.9, 0.095, 0.005))
    assert of_codes(top(A=1.0), CODES) == (1, 0, 0)
    assert of_codes(top(A=0.999999, B=0, C=0), CODES)[0] == pytest.approx(1, abs=1e-5)


def test_a_model_about_to_say_something_else_has_no_answer() -> None:
    with pytest.raises(LittleMassError):
        of_codes(top(This=0.55, A=0.3, B=0.1, C=0.05), CODES)
    assert of_codes(top(This=0.45, A=0.3, B=0.2, C=0.05), CODES)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        "A",
        [None],
        [{"token": "A"}],
        [{"token": 3, "logprob": -1.0}],
        [{"token": "A", "logprob": NAN}],
        [{"token": "A", "logprob": 2.0}],
        [{"token": "A", "logprob": "0"}],
        [{"token": "A", "logprob": True}],
        [{"token": "A", "logprob": 10**400}],
        [{"token": "A", "logprob": 0.0}, {"token": "B", "logprob": 0.0}, {"token": "C", "logprob": 0.0}, "x"],
    ],
)
def test_no_log_probabilities(sent: Any) -> None:
    with pytest.raises(NoDistributionError):
        of_codes(sent, CODES)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "0.1",
        [0.5, 0.5],
        [0.5, 0.5, 0.5],
        [2.0, -1.0, 0.0],
        [NAN, 0.5, 0.5],
        [INF, 0.0, 0.0],
        [0.2, 0.3, "0.5"],
        [True, 0.0, 0.0],
        [10**400, 0, 0],
        [70, 20, 10],
    ],
)
def test_no_distribution(sent: Any) -> None:
    with pytest.raises(NoDistributionError):
        exact(sent)
    with pytest.raises(NoDistributionError):
        written(
            sent if not isinstance(sent, list) else dict(zip(("negative", "neutral", "positive"), sent, strict=False))
        )


def test_what_a_model_writes_may_be_rounded_and_what_a_classifier_sends_may_not() -> None:
    assert written({"positive": 0.33, "negative": 0.33, "neutral": 0.33}) == pytest.approx((1 / 3,) * 3)
    assert written({"negative": 1, "neutral": 0, "positive": 0}) == (1, 0, 0)
    with pytest.raises(NoDistributionError):
        exact([0.33, 0.33, 0.33])
    assert exact([0.3333, 0.3333, 0.3333]) == pytest.approx((1 / 3,) * 3)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda p: sum(p) > 0.01), st.floats(0.05, 20))
def test_a_temperature_keeps_the_order_and_makes_a_distribution(p: list[float], temperature: float) -> None:
    total = sum(p)
    before = (p[0] / total, p[1] / total, p[2] / total)
    after = tempered(before, temperature)
    assert sum(after) == pytest.approx(1)
    assert after[before.index(max(before))] == max(after)
    assert tempered(before, 1.0) == pytest.approx(before, abs=1e-9)
    if temperature > 1:
        assert max(after) <= max(before) + 1e-9
