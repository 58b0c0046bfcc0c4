"""The recorded baseline of the behaviour suite: what counts as a fall, and that the committed one is up to date."""

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import UsageError
from training.data.suite import load
from training.measure import baseline, behaviour
from training.measure.baseline import FallError, chance_of_loss, check, falls


def report(wrong: dict[str, list[int]], *, count: int = 24, changed: set[str] | None = None) -> dict[str, Any]:
    """A report of the edge on `count` items a kind, of which those numbers are wrong; `changed` ids have new texts."""
    ids = [f"{kind}-{number}" for kind in wrong for number in range(count)]
    return {
        "items": {name: "new" if name in (changed or set()) else "old" for name in ids},
        "models": {
            "edge": {
                "kinds": {
                    kind: {"wrong": [f"{kind}-{number}" for number in numbers]} for kind, numbers in wrong.items()
                }
            }
        },
    }


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [(0, 0, 1.0), (4, 0, 1 / 16), (5, 0, 1 / 32), (6, 1, 8 / 128), (7, 1, 9 / 256), (1, 5, 63 / 64)],
)
def test_the_chance_of_a_loss_is_the_binomial_tail(lost: int, won: int, p: float) -> None:
    assert chance_of_loss(lost, won) == pytest.approx(p)


@pytest.mark.parametrize(
    ("then", "now", "fell"),
    [
        ([], [0, 1, 2, 3], False),
        ([], [0, 1, 2, 3, 4], True),
        ([9], [0, 1, 2, 3, 4, 5], False),
        ([9], [0, 1, 2, 3, 4, 5, 6], True),
        ([0, 1, 2, 3, 4, 5], [], False),
        ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], False),
    ],
)
def test_a_kind_falls_when_what_it_lost_is_no_chance(then: list[int], now: list[int], fell: bool) -> None:
    found = falls(report({"asr": now, "wishes": []}), report({"asr": then, "wishes": []}))
    assert [each["kind"] for each in found] == (["asr", "overall"] if fell else [])


def test_a_fall_is_told_with_what_was_lost_and_won() -> None:
    (fall, _) = falls(report({"asr": [0, 1, 2, 3, 4]}), report({"asr": []}))
    assert fall == {"model": "edge", "kind": "asr", "items": 24, "lost": 5, "won": 0, "p": 1 / 32}
    check([])
    says = re.escape(
        "worse than the baseline on the behaviour suite: edge: asr lost 5 of 24, won 0 (p 0.031); edge: asr"
    )
    with pytest.raises(FallError, match=says):
        check([fall, fall])


def test_losses_that_are_spread_over_kinds_are_an_overall_fall() -> None:
    then: dict[str, list[int]] = {"asr": [], "mails": [], "wishes": []}
    (fall,) = falls(report({kind: [0, 1] for kind in then}), report(then))
    assert (fall["kind"], fall["lost"], fall["items"]) == ("overall", 6, 72)


def test_items_that_changed_and_kinds_that_are_new_are_not_compared() -> None:
    lost = [0, 1, 2, 3, 4]
    assert falls(report({"asr": lost}), report({"asr": []}))
    assert not falls(report({"asr": lost}, changed={"asr-0"}), report({"asr": []}))
    assert not falls(report({"asr": [], "mails": lost}), report({"asr": []}))
    with pytest.raises(UsageError, match="none of the suite's items as they are now"):
        falls(report({"asr": lost}), report({"wishes": []}))


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    made = report({"asr": [0, 1], "wishes": []})
    baseline.write(made, path)
    assert baseline.read(path) == made
    assert '"wrong": [ "asr-0", "asr-1" ]' in path.read_text("utf-8")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"models": {}}', '{"items": {}, "models": {"edge": {"kinds": {"a": {}}}}}']
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(UsageError, match="cannot read the baseline"):
        baseline.read(path)
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match="is no baseline"):
        baseline.read(path)


def test_the_committed_baseline_is_of_the_suite_and_the_models_as_they_are() -> None:
    recorded, items = baseline.read(), load()
    assert recorded["items"] == {item.id: item.digest for item in items}
    measured = behaviour.run("edge", "cloud", items, threads=2)
    assert {name: each["artifact"] for name, each in measured["models"].items()} == {
        name: each["artifact"] for name, each in recorded["models"].items()
    }
    assert falls(measured, recorded) == []
    # Another processor sums in another order: an answer on the edge of two labels may be the other one.
    for name, each in measured["models"].items():
        assert abs(each["overall"]["right"] - recorded["models"][name]["overall"]["right"]) <= 5
