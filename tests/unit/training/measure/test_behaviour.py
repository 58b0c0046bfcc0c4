"""Scoring the behaviour suite: what is right, what is wrong and sure, and which model answers in a line."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from models.admission import Admission
from models.artifact import ArtifactError
from models.language_detection import detect
from models.router import Policy, policy
from schemas.records import Role
from tests.tiny_artifact import tiny_artifact
from training.data.suite import Item
from training.measure import behaviour
from training.measure.behaviour import Score, answers, summary
from training.measure.figures import Scores, wilson

SURE_NEGATIVE, SURE_POSITIVE = (0.9, 0.05, 0.05), (0.05, 0.05, 0.9)
UNSURE_NEGATIVE, SURE_NEUTRAL = (0.5, 0.3, 0.2), (0.1, 0.8, 0.1)


def rules(threshold: float = 0.6, random: float = 0.0) -> Policy:
    return policy("default", calibrated_threshold=threshold, random_cloud_rate=random)


def admission(*languages: str) -> Admission:
    """Of a line whose models read English and `languages`."""
    return Admission(get_args(Role), {"en"}, {"en", *languages}, "publish", detect)


def items(*rows: tuple[str, str, Sequence[str]], role: str = "customer") -> list[Item]:
    """Items of (kind, text, labels)."""
    return [
        Item.model_validate(
            {
                "id": f"{kind.replace('_', '-')}-{number}",
                "text": text,
                "labels": list(labels),
                "role": role,
                "channel": "chat",
                "form": "turn",
                "kind": kind,
            }
        )
        for number, (kind, text, labels) in enumerate(rows, 1)
    ]


def answering(table: Mapping[str, tuple[float, float, float]]) -> Score:
    """A classifier that knows its texts by heart."""

    def score(texts: Sequence[str], _: Sequence[Role]) -> Scores:
        return np.asarray([table[text] for text in texts], np.float32)

    return score


def test_right_is_any_of_the_labels_or_to_be_unsure_where_that_is_allowed() -> None:
    suite = items(
        ("wishes", "a", ["negative"]),
        ("wishes", "b", ["positive", "neutral"]),
        ("nothing", "c", ["unsure", "neutral"]),
        ("nothing", "d", ["unsure"]),
        ("nothing", "e", ["unsure"]),
        ("wishes", "f", ["neutral"]),
    )
    scores = {
        "a": SURE_NEGATIVE, "b": SURE_NEGATIVE, "c": SURE_NEUTRAL, "d": UNSURE_NEGATIVE, "e": SURE_NEUTRAL,
        "f": UNSURE_NEGATIVE,
    }  # fmt: skip
    found = answers(suite, rules(), admission(), answering(scores), None)
    assert list(found) == ["edge"]
    assert [outcome.right for outcome in found["edge"]] == [True, False, True, True, False, False]
    assert [outcome.wrong_and_sure for outcome in found["edge"]] == [False, True, False, False, True, False]


def test_a_confidence_at_the_threshold_is_sure_as_it_is_for_the_router() -> None:
    suite = items(("nothing", "a", ["unsure"]))
    exactly = float(np.float32(0.6))  # a little more than 0.6
    for threshold, right in ((exactly, False), (np.nextafter(exactly, 1), True)):
        found = answers(
            suite,
            rules(threshold),
            admission(),
            answering({"a": (0.6, 0.2, 0.2)}),
            answering({"a": SURE_NEGATIVE}),
        )
        assert found["edge"][0].right is right
        assert found["line"][0].route == ("cloud" if right else "edge")


def test_in_the_line_the_cloud_answers_what_the_router_defers() -> None:
    long = "unacceptable, I am angry and furious " * 12
    suite = items(("wishes", "sure", ["negative"]), ("wishes", "unsure", ["positive"]), ("wishes", long, ["positive"]))
    edge = {"sure": SURE_NEGATIVE, "unsure": UNSURE_NEGATIVE, long: SURE_NEGATIVE}
    found = answers(suite, rules(), admission(), answering(edge), answering(dict.fromkeys(edge, SURE_POSITIVE)))
    assert [outcome.answer for outcome in found["edge"]] == ["negative"] * 3
    assert [outcome.answer for outcome in found["cloud"]] == ["positive"] * 3
    assert [(outcome.answer, outcome.route) for outcome in found["line"]] == [
        ("negative", "edge"), ("positive", "cloud"), ("positive", "cloud")
    ]  # fmt: skip
    everything = rules(random=1.0)
    drawn = answers(suite[:1], everything, admission(), answering(edge), answering({"sure": SURE_POSITIVE}))
    assert drawn["line"][0].answer == "positive"


def test_in_the_line_what_neither_model_reads_is_the_edges_and_not_sure() -> None:
    german = "Mein Paket ist nie angekommen und niemand antwortet"
    suite = items(("other_languages", german, ["unsure"]))
    edge, cloud = answering({german: SURE_NEGATIVE}), answering({german: SURE_POSITIVE})
    found = answers(suite, rules(), admission(), edge, cloud)
    alone, in_line = found["edge"][0], found["line"][0]
    assert (alone.right, alone.sure, in_line.right, in_line.sure) == (False, True, True, False)
    assert (found["line"][0].answer, found["line"][0].route) == ("negative", "edge")
    asked = answers(suite, rules(), admission("de"), edge, cloud)["line"][0]
    assert (asked.answer, asked.route, asked.sure) == ("positive", "cloud", True)


def test_the_summary_counts_by_kind_and_by_role() -> None:
    suite = items(("wishes", "a", ["negative"]), ("wishes", "b", ["negative"]), ("wishes", "c", ["negative"])) + items(
        ("agent_turns", "d", ["neutral"]), role="agent"
    )
    scores = {"a": SURE_NEGATIVE, "b": SURE_POSITIVE, "c": UNSURE_NEGATIVE, "d": SURE_POSITIVE}
    found = summary(answers(suite, rules(), admission(), answering(scores), None)["edge"])
    assert found["kinds"]["wishes"] == {
        "items": 3, "right": 2, "accuracy": 0.6667, "accuracy_interval": [0.2077, 0.9385], "wrong_and_sure": 0.3333,
        "cloud": 0.0, "wrong": ["wishes-2"],
    }  # fmt: skip
    assert found["overall"]["accuracy"] == 0.5
    assert found["macro"] == pytest.approx((2 / 3 + 0) / 2, abs=1e-4)
    assert [(role, each["right"]) for role, each in found["roles"].items()] == [("customer", 2), ("agent", 0)]


def test_the_kind_with_the_fewest_right_is_named() -> None:
    suite = items(("wishes", "a", ["negative"]), ("wishes", "b", ["negative"]), ("sarcasm", "c", ["negative"]))
    scores = {"a": SURE_NEGATIVE, "b": SURE_POSITIVE, "c": SURE_POSITIVE}
    found = summary(answers(suite, rules(), admission(), answering(scores), None)["edge"])["lowest"]
    assert (found["kind"], found["accuracy"]) == ("sarcasm", 0.0)
    assert found["accuracy_interval"] == pytest.approx(wilson(0, 1), abs=1e-4)


def test_the_suites_calibration_error_is_of_the_items_that_have_a_label() -> None:
    suite = items(
        ("wishes", "a", ["negative"]),
        ("wishes", "b", ["positive", "negative"]),
        ("wishes", "c", ["positive"]),
        ("nothing", "d", ["unsure"]),
    )
    scores = {"a": SURE_NEGATIVE, "b": SURE_NEGATIVE, "c": SURE_NEGATIVE, "d": SURE_NEGATIVE}
    found = summary(answers(suite, rules(), admission(), answering(scores), None)["edge"])["overall"]
    assert found["ece"] == pytest.approx(0.9 - 2 / 3, abs=1e-4)
    assert found["ece_interval"][0] <= found["ece"] <= found["ece_interval"][1]
    unknown = summary(answers(suite[3:], rules(), admission(), answering(scores), None)["edge"])["overall"]
    assert "ece" not in unknown


def test_a_higher_threshold_sends_more_to_the_cloud_and_leaves_less_that_is_wrong_and_sure() -> None:
    suite = items(
        ("wishes", "a", ["positive"]),
        ("wishes", "b", ["negative"]),
        ("wishes", "c", ["positive"]),
        ("nothing", "d", ["unsure"]),
    )
    edge = {"a": (0.85, 0.1, 0.05), "b": (0.92, 0.04, 0.04), "c": UNSURE_NEGATIVE, "d": SURE_NEUTRAL}
    cloud = {"a": SURE_POSITIVE, "b": SURE_POSITIVE, "c": UNSURE_NEGATIVE, "d": SURE_NEUTRAL}
    found = answers(suite, rules(), admission(), answering(edge), answering(cloud))
    rows = {each["threshold"]: each for each in behaviour.at_thresholds(found["edge"], found["cloud"])}
    assert rows[0.5] == {"threshold": 0.5, "deferred": 0.0, "wrong_and_sure": 0.75, "right": 0.25}
    assert rows[0.6] == {"threshold": 0.6, "deferred": 0.25, "wrong_and_sure": 0.5, "right": 0.25}
    # The cloud has the first right; what it is unsure of is judged by the edge's own threshold.
    assert rows[0.9] == {"threshold": 0.9, "deferred": 0.75, "wrong_and_sure": 0.0, "right": 0.5}
    assert rows[0.98] == {"threshold": 0.98, "deferred": 1.0, "wrong_and_sure": 0.0, "right": 0.25}


@pytest.mark.parametrize(
    ("right", "count", "ends"),
    [(8, 10, (0.4902, 0.9433)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (81, 263, (0.2553, 0.3662))],
)
def test_wilson_intervals_are_those_that_are_published(right: int, count: int, ends: tuple[float, float]) -> None:
    # 81 of 263 is Newcombe 1998 (Statistics in Medicine 17, 857), table I, method 3; the rest follow from the formula.
    assert wilson(right, count) == pytest.approx(ends, abs=5e-5)


def test_artifacts_are_scored_by_the_workers_own_classifier(tmp_path: Path) -> None:
    edge = tiny_artifact(tmp_path, "edge", {"great": 1.0})
    cloud = tiny_artifact(tmp_path, "cloud", confidence_threshold=None)
    suite = items(("thanks_closing", "great", ["positive"]), ("thanks_closing", "awful", ["positive"]))
    report = behaviour.run(edge, cloud, suite)
    assert report["threshold"] == 0.6
    assert report["items"] == {each.id: each.digest for each in suite}
    assert {name: each["artifact"] for name, each in report["models"].items()} == {
        "edge": "edge@1.0.0", "cloud": "cloud@1.0.0", "line": "edge@1.0.0 and cloud@1.0.0"
    }  # fmt: skip
    for each in report["models"].values():
        assert each["kinds"]["thanks_closing"]["wrong"] == ["thanks-closing-2"]


def test_the_edge_alone_needs_no_cloud(tmp_path: Path) -> None:
    edge = tiny_artifact(tmp_path)
    suite = items(("thanks_closing", "great", ["positive"]))
    assert list(behaviour.run(edge, tmp_path / "none", suite, models=["edge"])["models"]) == ["edge"]
    run: Callable[[], object] = lambda: behaviour.run(edge, tmp_path / "none", suite, models=["line"])  # noqa: E731
    with pytest.raises(ArtifactError, match="none"):
        run()
