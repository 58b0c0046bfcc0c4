"""The escalation model's fit, its figures, and the folder that is written."""

import json
import random
import re
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.escalation import ScoredTurn, load_escalation_model
from schemas.errors import UsageError
from training.escalation.calls import Call, last_label, mean_so_far, read
from training.escalation.figures import alarms, auc, auc_gain
from training.escalation.fit import fit, logistic_regression, out_of_fold
from training.escalation.train import train

BAD = "This is terrible, the worst service ever, I am furious and want my money back."
GOOD = "Wonderful, thank you so much, you were a great help!"


def call(label: str, *scores: int) -> Call:
    names = {-1: "negative", 0: "neutral", 1: "positive"}
    return Call(
        tuple(ScoredTurn("customer", score) for score in scores),
        tuple(names[(score > 300) - (score < -300)] for score in scores),  # type: ignore[misc]
        label,  # type: ignore[arg-type]
        "",
    )


def made_up(count: int, seed: int = 3) -> list[Call]:
    """Calls of eight turns, the negative ones with more bad turns."""
    rng = random.Random(seed)

    def one(label: str) -> Call:
        share = 0.5 if label == "negative" else 0.2
        return call(
            label, *(rng.randint(-1000, -400) if rng.random() < share else rng.randint(-100, 800) for _ in range(8))
        )

    return [one(label) for label in rng.choices(["negative", "neutral"], k=count)]


def test_a_regression_finds_the_weights_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(-(0.5 + values @ np.array([1.5, -1.0]))))
    intercept, found = logistic_regression(values, (rng.random(20_000) < chance).astype(np.float64))
    assert intercept == pytest.approx(0.5, abs=0.1)
    assert found == pytest.approx(np.array([1.5, -1.0]), abs=0.1)


def test_a_penalty_draws_the_weights_of_separable_rows_to_zero() -> None:
    values, wanted = np.array([[-1.0], [1.0]] * 5), np.array([0.0, 1.0] * 5)
    weights = [logistic_regression(values, wanted, penalty)[1][0] for penalty in (0.1, 1.0, 10.0)]
    assert weights == sorted(weights, reverse=True)
    assert 0 < weights[-1] < 1


def test_what_would_lower_the_risk_as_it_grows_is_left_out() -> None:
    # The worst turn says who is negative; total displeasure is drawn the other way.
    calls = [call("negative", -900) if i % 2 else call("neutral", *[-300] * 8) for i in range(200)]
    assert "displeasure" not in fit(calls).weights
    assert fit(calls).weights["worst_turn"].coefficient > 0


def test_a_call_is_cut_after_a_share_of_its_turns() -> None:
    whole = call("negative", 1, 2, 3, 4)
    assert [len(whole.until(share).turns) for share in (0.01, 0.25, 0.5, 1.0)] == [1, 1, 2, 4]
    assert whole.until(0.5).labels == whole.labels[:2]


def test_risks_out_of_fold_tell_calls_apart_better_the_more_of_them_was_heard() -> None:
    calls = made_up(160)
    negative = np.array([each.label == "negative" for each in calls])
    areas = [auc(risks, negative)[0] for risks in out_of_fold(calls).values()]
    assert areas[0] < areas[-1]
    assert areas[-1] > 0.75


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    risks, negative = np.array([0.1, 0.4, 0.4, 0.9, 0.2]), np.array([False, True, False, True, True])
    bad, good = risks[negative], risks[~negative]
    pairs = [1.0 if b > g else 0.5 if b == g else 0.0 for b, g in product(bad, good)]
    area, (low, high) = auc(risks, negative)
    assert area == pytest.approx(sum(pairs) / len(pairs))
    assert low <= area <= high


def test_a_gain_is_the_difference_of_two_areas() -> None:
    rng = np.random.default_rng(2)
    negative = rng.random(300) < 0.4
    good, poor = negative + rng.normal(size=300), rng.normal(size=300)
    gain, (low, high) = auc_gain(good, poor, negative)
    assert gain == pytest.approx(auc(good, negative)[0] - auc(poor, negative)[0])
    assert 0 < low < gain < high


def test_alarms() -> None:
    negative = np.array([True, True, False, False])
    assert alarms(np.array([0.9, 0.2, 0.8, 0.1]), negative, 0.8) == (0.5, 0.5, 0.5)
    assert alarms(np.array([0.1, 0.2, 0.1, 0.1]), negative, 0.8) == (0.0, None, 0.0)


def test_plain_ways_to_rank_a_call() -> None:
    said = Call((*call("x", -800, 200).turns, ScoredTurn("agent", -900)), ("negative", "neutral", "negative"), None, "")
    assert mean_so_far(said) == pytest.approx(0.3)
    assert last_label(said) == 0.0
    assert last_label(said.until(0.34)) == 1.0


def lines(path: Path, counts: dict[str, int]) -> Path:
    texts = {"negative": [BAD, BAD], "neutral": [GOOD, "My number is 42."]}
    calls = [
        {
            "label": label,
            "complexity": "less",
            "turns": [{"speaker": "customer", "text": text} for text in texts[label]],
        }
        for label, count in counts.items()
        for _ in range(count)
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in calls))
    return path


def test_a_folder_is_written_that_a_worker_loads(tmp_path: Path) -> None:
    data = lines(tmp_path / "calls.jsonl", {"negative": 55, "neutral": 60})
    card = train([data], [data], "edge", tmp_path / "own")
    model = load_escalation_model(str(tmp_path / "own"))
    train([lines(tmp_path / "more.jsonl", {"negative": 70, "neutral": 60})], (), "edge", tmp_path / "more" / "own")
    other = load_escalation_model(str(tmp_path / "more" / "own"))
    assert model.id != other.id
    assert all(re.fullmatch(r"own@0\.0\.0\+[0-9a-f]{8}", each.id) for each in (model, other))
    assert model.assess([ScoredTurn("customer", -900)]).value > 0.5 > model.assess([ScoredTurn("customer", 900)]).value
    assert card == (tmp_path / "own" / "CARD.md").read_text("utf-8")
    assert "55 of them negative" in card
    assert "nan" not in (tmp_path / "own" / "risk.json").read_text("utf-8").lower()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("no json", ":1: not a call"),
        ('{"label": "negative"}', ":1: not a call"),
        ('{"turns": [{"speaker": "nobody", "text": "x"}]}', ":1: a speaker is one of"),
        ('{"label": "bad", "turns": [{"speaker": "agent", "text": "x"}]}', ":1: a label is one of"),
        ('{"label": "negative", "turns": []}', ":1: the call has no turns"),
    ],
)
def test_a_line_that_is_no_call_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UsageError, match=says):
        train([path], (), "edge", tmp_path / "own")


def test_too_few_calls_are_refused(tmp_path: Path) -> None:
    data = lines(tmp_path / "calls.jsonl", {"negative": 49, "neutral": 60})
    with pytest.raises(UsageError, match="49 of 109 labelled calls are negative"):
        train([data], (), "edge", tmp_path / "own")
    with pytest.raises(UsageError, match="cannot read the calls"):
        train([tmp_path / "none"], (), "edge", tmp_path / "own")


def test_a_file_is_split_at_line_ends_alone_and_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    turns = [{"speaker": "customer", "text": "one\u2028two\x85three"}]
    rows = [json.dumps({"label": label, "turns": turns}, ensure_ascii=False) for label in ("negative", "neutral")]
    path.write_text("\r\n".join([*rows, ""]), "utf-8-sig")
    asked: list[str] = []

    def score(texts: list[str], _: object) -> np.ndarray:
        asked.extend(texts)
        return np.full((len(texts), 3), 1 / 3)

    found = read(path, SimpleNamespace(score=score))  # type: ignore[arg-type]
    assert [call.label for call in found] == ["negative", "neutral"]
    assert asked == ["one\u2028two\x85three"] * 2


@pytest.mark.parametrize("name", ["my model v2", "-own", "ü", "a" * 101])
def test_a_folder_that_is_no_name_is_refused_before_anything_is_read_or_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name!r} is not a name: it is letters, digits"):
        train([tmp_path / "none"], (), "edge", tmp_path / name)
    assert not list(tmp_path.iterdir())
