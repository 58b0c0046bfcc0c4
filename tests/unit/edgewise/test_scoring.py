"""`edgewise.load`: what a text gives, what several give, and what is refused."""

import math
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgewise
from edgewise.scoring import Result
from streams.config.settings import Settings
from streams.files.recording import Row
from streams.files.score import build_scorer, score_rows


class Series:
    """What matters of a pandas Series: iterating it gives its values, in order, and it has an index."""

    index = (7, 3, 5)

    def __init__(self, values: list[object]) -> None:
        self.values = values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


class Frame(Series):
    columns = ("text",)


class Missing:
    """As pandas.NA: what it is compared with, the answer is neither true nor false."""

    def __eq__(self, _: object) -> Any:
        return self

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


def test_a_text_gives_a_result_and_several_a_list_in_their_order() -> None:
    edge = edgewise.load("edge")
    awful, great = edge("awful"), edge("great")
    assert isinstance(awful, Result)
    assert (awful.label, great.label) == ("negative", "positive")
    assert (awful.route, awful.reason, awful.model) == ("edge", None, "edge@1.0.0")
    assert awful.negative + awful.neutral + awful.positive == pytest.approx(1, abs=1e-5)
    assert awful.confidence == awful.negative > 0.9
    for several in (["awful", "great"], ("awful", "great"), Series(["awful", "great"]), np.array(["awful", "great"])):
        assert edge(several) == [awful, great]
    assert edge(text for text in ("great", "awful")) == [great, awful]
    assert edge([]) == []


def test_the_line_says_who_answered_and_why(models: Settings) -> None:
    line = edgewise.load("line")
    kept, deferred = line(["awful", "meh"])
    assert (kept.route, kept.reason, kept.model) == ("edge", "optimal_edge", "edge@1.0.0")
    assert (deferred.route, deferred.reason, deferred.model) == ("cloud", "low_confidence", "cloud@3.0.0")
    assert deferred == replace(edgewise.load("cloud")("meh"), reason="low_confidence")
    assert repr(line) == "<edgewise model edge@1.0.0 + cloud@3.0.0>"
    # Results are those of `edgewise score`.
    rows = [Row(number, number, {}, text) for number, text in enumerate(["awful", "meh"], 1)]
    scored = score_rows(rows, build_scorer(models, "line"), max_text_chars=100, recording="", columns={})
    for result, row in zip((kept, deferred), scored, strict=True):
        expected = {
            "label" if name == "sentiment" else name: value for name, value in row.items() if "cost" not in name
        }
        assert {name: value for name, value in asdict(result).items() if name != "model"} == expected


def test_who_speaks_is_told_for_all_or_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the roles dropped: a bot's text was scored."""
    monkeypatch.setenv("EDGEWISE_SCORED_ROLES", "customer,unknown")
    line = edgewise.load("line")
    assert [result.reason for result in line(["awful", "awful"], ["customer", "bot"])] == ["optimal_edge", "not_scored"]
    assert [result.label for result in line(Series(["awful", "great"]), roles="bot")] == [None, None]
    assert line("awful", "customer") == line("awful") == line(["awful"], roles=["unknown"])[0]
    refused: list[tuple[Any, str]] = [
        ("boss", r"the role at position 0 \(from 0\) is not one of unknown, customer, agent, bot, system"),
        (["bot", None], r"position 1 \(from 0\)"),
        (["bot"], "1 roles for 2 texts"),
        (7, "roles are of type int"),
    ]
    for roles, wrong in refused:
        with pytest.raises(edgewise.UsageError, match=wrong):
            line(["awful", "great"], roles)


def test_the_random_sample_is_drawn_by_the_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_RANDOM_CLOUD_RATE", "0.5")
    line = edgewise.load("line")
    texts = [f"awful {letter}" for letter in "abcdefghijklmnopqrst"]
    together = line(texts)
    assert {result.reason for result in together} == {"optimal_edge", "random_cloud"}
    assert [line(text) for text in texts] == together
    assert line(texts[::-1]) == together[::-1]


def test_what_a_rule_answers_says_so_as_a_workers_result_does(
    models: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for way in ("edge", "cloud", "line", models.edge_model):
        assert edgewise.load(way)("5/5 stars").model == "rules@2"
        assert edgewise.load(way)("5/5 stars", "agent").model != "rules@2"
    monkeypatch.setenv("EDGEWISE_RANDOM_CLOUD_RATE", "1")
    deferred = edgewise.load("line")("5/5 stars")
    assert (deferred.route, deferred.model) == ("cloud", "rules@2")


def test_a_folder_is_a_model(models: Settings) -> None:
    for folder in (models.cloud_model, Path(models.cloud_model), os.path.relpath(models.cloud_model)):
        result = edgewise.load(folder)("meh")
        assert (result.label, result.route, result.reason, result.model) == ("negative", None, None, "cloud@3.0.0")


def test_a_folder_called_like_a_shipped_model_is_that_folder(models: Settings, tmp_path: Path) -> None:
    Path(models.cloud_model).rename(tmp_path / "edge")
    assert edgewise.load("./edge")("meh").model == "cloud@3.0.0"


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(edgewise.UsageError, match="there is no model 'lien': give line, edge, cloud, or the folder"):
        edgewise.load("lien")
    with pytest.raises(edgewise.UsageError, match=r"cannot read the model's manifest .*manifest\.json"):
        edgewise.load(tmp_path)


def test_a_wrong_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_CONFIDENCE_THRESHOLD", "2")
    with pytest.raises(edgewise.EdgewiseError, match="setting confidence_threshold"):
        edgewise.load("line")


def test_a_text_without_content_is_not_scored_and_keeps_its_place() -> None:
    first, empty, last = edgewise.load("line")(["awful", " \n", "great"])
    assert (first.label, last.label) == ("negative", "positive")
    assert (empty.label, empty.route, empty.reason, empty.model) == (None, None, "empty_text", None)
    assert all(math.isnan(number) for number in (empty.confidence, empty.negative, empty.neutral, empty.positive))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "None is not a text"),
        (math.nan, "NaN is not a text"),
        (5, "of type int is not a text"),
        (b"awful", "of type bytes is not a text"),
        ({"text": "awful"}, "of type dict is not a text"),
        (["awful", None], "position 1 (from 0) is None, not a str"),
        (Series(["awful", "great", math.nan]), "position 2 (from 0) is NaN, not a str"),
        (["awful", Missing()], "position 1 (from 0) is of type Missing, not a str"),
        (np.array([["awful"]]), "position 0 (from 0) is of type ndarray, not a str"),
        ([["awful"]], "position 0 (from 0) is of type list, not a str"),
        (Frame(["text"]), 'give one of its columns, such as frame["text"]'),
    ],
)
def test_what_is_no_text_is_refused_by_name(given: Any, says: str) -> None:
    with pytest.raises(edgewise.UsageError) as raised:
        edgewise.load("edge")(given)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "awful" not in str(raised.value)
