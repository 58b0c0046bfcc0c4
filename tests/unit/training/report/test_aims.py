"""What was aimed at, beside what was reached."""

from pathlib import Path
from typing import Any

import pytest

from training.report import aims, summary
from training.report.aims import Aim, AimsError


def judged(value: object, **fields: Any) -> dict[str, Any]:
    return aims.judge(Aim(what="it", path=("a", "b"), **fields), {"a": value})


@pytest.mark.parametrize(
    ("figures", "bound", "reached", "within"),
    [
        ({"b": 0.85, "b_interval": [0.83, 0.87]}, {"at_least": 0.84}, True, False),
        ({"b": 0.84, "b_interval": [0.82, 0.86]}, {"at_least": 0.84}, True, False),
        ({"b": 0.83, "b_interval": [0.81, 0.85]}, {"at_least": 0.84}, False, True),
        ({"b": 0.80, "b_interval": [0.78, 0.82]}, {"at_least": 0.84}, False, False),
        ({"b": 0.03, "interval": [0.01, 0.04]}, {"at_most": 0.02}, False, True),
        ({"b": 0.01}, {"at_most": 0.02}, True, None),
        ({"b": 0.9, "interval": [0.7, None]}, {"at_least": 1.0}, False, True),
        ({"b": {"value": 9.0, "spread": [7.5, 8.5]}}, {"at_most": 8.0}, False, True),
        ({"b": [0.80, 0.85, 0.90]}, {"at_least": 0.84}, True, False),
        ({"b": [0.70, 0.75, 0.80]}, {"at_least": 0.84}, False, False),
        ({}, {"at_least": 0.84}, None, None),
        (None, {"at_least": 0.84}, None, None),
    ],
)
def test_an_aim_is_reached_by_the_measured_value_alone(
    figures: object, bound: dict[str, float], reached: bool | None, within: bool | None
) -> None:
    found = judged(figures, **bound)
    assert (found["reached"], found["within"]) == (reached, within)


def test_a_size_is_judged_in_the_aims_unit() -> None:
    found = judged({"b": 1_990_000}, at_most=2.0, scale=1e-6, unit="MB", digits=2)
    assert (found["measured"], found["reached"]) == (pytest.approx(1.99), True)


def test_an_aim_missed_by_little_is_not_shown_as_its_bound() -> None:
    row = judged({"b": 0.84496}, at_least=0.845)
    assert "| at least 0.84500 | 0.84496 | no |" in summary.aims({"aims": [row]})


def test_the_page_says_of_each_aim_whether_it_was_reached() -> None:
    rows = [
        judged({"b": 0.85}, at_least=0.84),
        judged({"b": 0.83, "interval": [0.8, 0.86]}, at_least=0.84),
        judged({"b": 0.83}, at_least=0.84),
        judged({}, at_least=0.84),
    ]
    assert summary.aims({"aims": rows}).splitlines()[2:] == [
        "| it | at least 0.840 | 0.850 | yes |",
        "| it | at least 0.840 | 0.830 (0.800 to 0.860) | no, but within the interval |",
        "| it | at least 0.840 | 0.830 | no |",
        "| it | at least 0.840 | – | no figure |",
    ]


def test_each_of_the_shipped_aims_finds_its_figure(collected: dict[str, Any]) -> None:
    assert [aim["what"] for aim in collected["aims"] if aim["measured"] is None] == []
    assert len(collected["aims"]) == 24


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[[aim]]\nwhat = "it"\npath = ["a"]', "either at_least or at_most"),
        ('[[aim]]\nwhat = "it"\npath = ["a"]\nat_least = 1\nat_most = 2', "either at_least or at_most"),
        ('[[aim]]\nwhat = "it"\npath = ["a"]\natleast = 1', "atleast"),
        ("[[aims]]", r"no \[\[aim\]\]"),
        ("aim", "not TOML"),
    ],
)
def test_a_wrong_table_of_aims_is_refused(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "aims.toml").write_text(content)
    with pytest.raises(AimsError, match=says):
        aims.read(tmp_path / "aims.toml")


def test_aims_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AimsError, match="cannot read the aims"):
        aims.read(tmp_path / "aims.toml")
