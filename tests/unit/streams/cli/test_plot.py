"""Plots: every point and interval is where its numbers say."""

from xml.etree import ElementTree as ET

from streams.cli.plot import Axes, Mark, svg_plot, text_plot

MARKS = [Mark(0.0, 0.9, 0.8, 0.95), Mark(0.5, 0.95, 0.9, 1.0), Mark(1.0, 1.0, 1.0, 1.0)]
AXES = Axes("agree <&> more", "to the cloud", MARKS)


def test_text_has_the_ends_of_both_axes_and_each_point() -> None:
    title, *lines = text_plot(AXES).splitlines()
    assert title == "agree <&> more"
    assert lines[0].split("|")[0].strip() == "1.000"
    assert lines[13].split("|")[0].strip() == "0.800"
    assert lines[-1].split() == ["0.0%", "to", "the", "cloud", "100.0%"]
    grid = [line.split("|", 1)[1] if "|" in line else "" for line in lines[:14]]
    assert [row.find("o") for row in grid if "o" in row] == [55, 28, 0]
    assert [row[:1] for row in grid].count("|") == 10  # from 0.8 to 0.95 of 14 rows, but for the point itself
    assert max(len(line) for line in lines) <= 80


def test_svg_is_well_formed_and_its_line_goes_through_the_points() -> None:
    root = ET.fromstring(svg_plot(AXES))  # noqa: S314 - made here
    [line] = [each for each in root if each.tag.endswith("polyline")]
    points = [tuple(map(float, each.split(","))) for each in line.attrib["points"].split()]
    assert [x for x, _ in points] == [70.0, 345.0, 620.0]
    assert points[0][1] > points[1][1] > points[2][1] == 40.0
    assert [each.text for each in root if each.tag.endswith("title")] == ["agree <&> more"]


def test_a_single_point_can_be_drawn() -> None:
    one = Axes("one", "x", [Mark(0.5, 1.0, 1.0, 1.0)])
    assert "o" in text_plot(one)
    ET.fromstring(svg_plot(one))  # noqa: S314
