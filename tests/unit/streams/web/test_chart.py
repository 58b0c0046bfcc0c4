"""A chart draws each value where it belongs, and breaks its line where there is none."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from streams.web.chart import svg
from streams.web.document import Chart, Series

NAMESPACE = re.compile(r"\{.*\}")


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(svg(chart, 1))  # noqa: S314 - made here


def chart(values: list[float | None], *, bars: bool = False, top: float | None = None) -> Chart:
    places = [f"<{at}>" for at in range(len(values))]
    intervals = [None if value is None else (value / 2, value) for value in values]
    return Chart("A & B", "<rises>", places, [Series("s", values, intervals)], "{:g}".format, bars=bars, top=top)


def test_a_line_is_broken_where_there_is_no_value() -> None:
    found = drawn(chart([1, 2, None, 4]))
    assert [len(str(each.get("points")).split()) for each in found.iter("polyline")] == [2, 1]
    assert len(found.findall("circle")) == 3
    assert len(found.findall("line[@class='s1 interval']")) == 3


def test_bars_stand_on_the_axis_and_are_as_high_as_their_values() -> None:
    bars = drawn(chart([5, None, 10, 0], bars=True)).findall("rect")
    assert [each.get("height") for each in bars] == ["100.0", "200.0", "0.0"]
    assert {float(str(each.get("y"))) + float(str(each.get("height"))) for each in bars} == {212.0}


@pytest.mark.parametrize(
    ("highest", "top"), [(0.0031, "0.005"), (3.2, "5"), (20, "20"), (21, "50"), (900, "1000"), (0, "1")]
)
def test_the_scale_ends_at_a_round_number(highest: float, top: str) -> None:
    texts = [each.text for each in drawn(chart([highest])).iter("text")]
    assert texts[4] == top


def test_a_given_end_holds_whatever_the_values() -> None:
    [circle] = drawn(chart([2.0], top=1.0)).findall("circle")
    assert circle.get("cy") == "12.0"


def test_of_many_places_a_few_are_named() -> None:
    names = [each.text for each in drawn(chart([1.0] * 60)).iter("text") if str(each.text).startswith("<")]
    assert names == [f"<{at}>" for at in range(0, 60, 10)]


def test_a_place_with_a_value_is_one_link_that_says_it() -> None:
    leading = replace(chart([1, None, 4]), leads_to=["/a?b&c", "/none", None])
    found = drawn(leading)
    [link] = found.findall("a")
    assert (link.get("href"), link.get("aria-label")) == ("/a?b&c", "<0>: s 1")
    [area] = link.findall("rect")
    assert (area.get("x"), area.get("width")) == ("76.0", "210.7")
    assert (found.get("role"), drawn(chart([1])).get("role")) == ("group", "img")


def test_no_place_is_a_chart_without_values() -> None:
    assert drawn(chart([])).findall("circle") == []
