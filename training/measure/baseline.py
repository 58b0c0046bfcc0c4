"""Whether models fell behind what others did on the behaviour suite before: the recorded baseline."""

import json
import re
from collections.abc import Mapping, Sequence
from math import comb
from pathlib import Path
from typing import Any, Final

from schemas.errors import EdgewiseError, UsageError
from training.data.suite import SUITE
from training.measure.behaviour import MODELS, OVERALL

SHIPPED: Final = SUITE / "baseline.json"
"""What the shipped models answered."""

SIGNIFICANT: Final = 0.05
"""A kind falls when what it lost is less likely than this by chance. With the some 24 items of a kind that takes five
lost and none won, or seven lost and one won; a fall that is spread over kinds shows in `OVERALL`. Of so many kinds one
may fall by chance: the items that were lost tell."""


class FallError(EdgewiseError):
    """A kind of the behaviour suite is worse than in the baseline."""


def write(report: Mapping[str, Any], path: Path = SHIPPED) -> None:
    """Records `report`, as `behaviour.run` returns it, as the baseline in the file `path`."""
    text = json.dumps(report, indent=1, ensure_ascii=False)
    # Lists on one line each: a file shorter by half.
    path.write_text(re.sub(r"\[\n[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text) + "\n", "utf-8")


def read(path: Path = SHIPPED) -> dict[str, Any]:
    """The report in the file `path`; raises UsageError: it cannot be read, or is no report of the behaviour suite."""
    try:
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
        kinds = [kind for model in report["models"].values() for kind in model["kinds"].values()]
        if isinstance(report["items"], dict) and all(isinstance(kind["wrong"], list) for kind in kinds):
            return report
    except OSError as error:
        raise UsageError(f"cannot read the baseline {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UsageError(f"{path} is no baseline: `edgewise train behaviour --record` writes one")


def chance_of_loss(lost: int, won: int) -> float:
    """How likely so many `lost`, or more, are among items that changed, if each is as likely won: one-sided, exact.

    McNemar's test of paired answers (1947, Psychometrika 12, 153) by the binomial distribution.
    """
    changed = lost + won
    return sum(comb(changed, k) for k in range(lost, changed + 1)) / 2**changed


def falls(report: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where a model of `report` is worse than in `baseline`: `model`, `kind`, `items`, `lost`, `won`, `p`.

    Compared are items that are the same in both, text and labels; a kind falls when its `lost` are `SIGNIFICANT`.

    Raises UsageError: the two have no item in common.
    """
    common = {name for name, digest in report["items"].items() if baseline["items"].get(name) == digest}
    if not common:
        raise UsageError("the baseline has none of the suite's items as they are now: record it again")
    found = []
    for model in report["models"].keys() & baseline["models"].keys():
        now, then = (each["models"][model]["kinds"] for each in (report, baseline))
        kinds = {
            kind: _changes(set(now[kind]["wrong"]), set(then[kind]["wrong"]), common & _items(kind, report))
            for kind in now.keys() & then.keys()
        }
        kinds[OVERALL] = {name: sum(each[name] for each in kinds.values()) for name in ("items", "lost", "won")}
        for kind, changes in kinds.items():
            if (p := chance_of_loss(changes["lost"], changes["won"])) < SIGNIFICANT:
                found.append({"model": model, "kind": kind, **changes, "p": p})
    return sorted(found, key=lambda each: (MODELS.index(each["model"]), each["p"], each["kind"]))


def check(found: Sequence[Mapping[str, Any]]) -> None:
    """Does nothing without falls; raises FallError, which names them all."""
    if found:
        raise FallError("worse than the baseline on the behaviour suite: " + "; ".join(map(told, found)))


def told(fall: Mapping[str, Any]) -> str:
    """A fall in a few words."""
    return "{model}: {kind} lost {lost} of {items}, won {won} (p {p:.3f})".format_map(fall)


def _changes(now: set[str], then: set[str], compared: set[str]) -> dict[str, int]:
    return {"items": len(compared), "lost": len(compared & now - then), "won": len(compared & then - now)}


def _items(kind: str, report: Mapping[str, Any]) -> set[str]:
    # An id is its kind and a number.
    return {name for name in report["items"] if name.rpartition("-")[0] == kind.replace("_", "-")}
