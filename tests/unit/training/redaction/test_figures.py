import math

import pytest

from models.redaction import Span
from training.redaction.figures import Labelled, Share, measure

TEXT = "call jane doe on 555 0132 or 555 0199"
NAME, ONE, OTHER = Span(5, 13, "NAME"), Span(17, 25, "PHONE"), Span(29, 37, "PHONE")


def test_the_interval_is_wilsons() -> None:
    # Wilson's interval of 8 in 10, from statsmodels' proportion_confint(8, 10, method="wilson").
    assert Share(8, 10).interval == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert Share(0, 5).interval[0] == pytest.approx(0)
    assert Share(5, 5).interval[1] == pytest.approx(1)
    assert math.isnan(Share(0, 0).value)
    assert (str(Share(8, 10)), str(Share(0, 0))) == ("0.800 (0.490-0.943)", "-")


def test_a_span_is_found_when_all_its_letters_and_digits_are_redacted_as_whatever_kind() -> None:
    item = Labelled("a", TEXT, (NAME, ONE, OTHER))
    figures = measure([item], lambda _: [Span(5, 9, "NAME"), Span(17, 20, "ZIP"), Span(21, 25, "ZIP"), OTHER])
    assert figures.recall(["NAME"]) == Share(0, 1)  # "doe" is left
    assert figures.recall(["PHONE"]) == Share(2, 2)
    assert (figures.named["PHONE"], figures.found["PHONE"]) == (1, 2)
    assert figures.missed["NAME"] == [(TEXT, "jane doe")]


def test_a_redaction_is_right_if_it_touches_a_label_and_counts_only_where_its_kind_is_labelled() -> None:
    figures = measure(
        [Labelled("a", TEXT, (NAME, ONE))], lambda _: [Span(0, 6, "PHONE"), OTHER, Span(26, 28, "CVV"), ONE]
    )
    assert figures.precision(["PHONE"]) == Share(2, 3)
    assert figures.precision(["CVV"]) == Share(0, 0)
    assert figures.wrong["PHONE"] == [(TEXT, "555 0199")]


def test_a_conversation_leaks_once_however_often_it_does() -> None:
    turns = [
        Labelled("a", TEXT, (ONE,)),
        Labelled("a", TEXT, (ONE, OTHER)),
        Labelled("b", TEXT, (NAME,)),
        Labelled("c", TEXT, ()),
    ]
    figures = measure(turns, lambda _: [])
    assert (figures.leaking, figures.leaking_structured, figures.conversations) == ({"a", "b"}, {"a"}, {"a", "b", "c"})
