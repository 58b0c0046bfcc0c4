"""How much accuracy is gained by asking a better model about the rows that the edge is least certain of."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.measure import bootstrap
from training.measure.figures import Floats, Scores

SHARES = tuple(step / 20 for step in range(21))
"""The shares of rows sent to the teacher at which a curve is drawn."""

GAP_SHARES = (0.10, 0.20)
"""The shares at which the recovered part of the gap is reported."""


def uncertain(edge: Scores, teacher: Scores, labels: Sequence[int], shares: Sequence[float], drawn: Floats) -> Floats:
    """The accuracy `[draws, shares]` when the rows with the lowest top probability go to the teacher.

    `drawn` `[draws, rows]` counts each row (1 each: the sample itself). A row on the edge of a share goes in part,
    so that a share of 0 is the edge alone and a share of 1 the teacher.
    """
    order = np.argsort(edge.max(axis=1), kind="stable")
    wanted = np.asarray(labels)[order]
    edge_right = (edge[order].argmax(axis=1) == wanted).astype(np.float64)
    gain = (teacher[order].argmax(axis=1) == wanted) - edge_right
    weight = drawn[:, order]
    before = np.cumsum(weight, axis=1) - weight
    rows = len(wanted)
    gained = [(np.clip(share * rows - before, 0, weight) @ gain) for share in shares]
    return np.asarray((weight @ edge_right)[:, None] + np.stack(gained, axis=1)) / rows


def oracle(edge: Scores, teacher: Scores, labels: Sequence[int], shares: Sequence[float]) -> Floats:
    """The accuracy `[shares]` of the best choice of rows: first those that only the teacher has right.

    Rows that only the edge has right go last; at a share of 1 they too are gone.
    """
    wanted = np.asarray(labels)
    edge_right, teacher_right = edge.argmax(axis=1) == wanted, teacher.argmax(axis=1) == wanted
    better, worse = int((teacher_right & ~edge_right).sum()), int((edge_right & ~teacher_right).sum())
    sent = np.asarray(shares) * len(wanted)
    gained = np.minimum(sent, better) - np.maximum(sent - (len(wanted) - worse), 0)
    return np.asarray((edge_right.sum() + gained) / len(wanted))


def curves(edge: Scores, teacher: Scores, labels: Sequence[int]) -> dict[str, Any]:
    """The curves of `evaluation.json` and, at `GAP_SHARES`, the part of the gap that is recovered.

    The gap is the teacher's accuracy less the edge's. Its recovered part is (accuracy at that share - edge's) over the
    gap, and may exceed 1: the teacher is wrong on rows that the edge has right. `share` is null when the teacher is
    no better, and an end of an interval is null when it is unbounded: in that many draws the teacher is no better.
    """
    rows = len(labels)
    ends = (0.0, 1.0)
    asked = (*SHARES, *GAP_SHARES)
    point = uncertain(edge, teacher, labels, asked, np.ones((1, rows)))[0]
    drawn = np.concatenate([uncertain(edge, teacher, labels, asked, block) for block in bootstrap.draws(rows)])
    first, last = (asked.index(end) for end in ends)
    recovered = {}
    for at, share in enumerate(GAP_SHARES, start=len(SHARES)):
        part = _part(point[None, at] - point[first], point[None, last] - point[first])[0]
        parts = _part(drawn[:, at] - drawn[:, first], drawn[:, last] - drawn[:, first])
        recovered[f"{share:.2f}"] = {
            "share": _finite(part),
            "interval": [_finite(end) for end in bootstrap.interval(parts)],
        }
    gap = point[last] - point[first]
    return {
        "share": list(SHARES),
        "uncertain": point[: len(SHARES)].tolist(),
        "uncertain_interval": [list(bootstrap.interval(drawn[:, at])) for at in range(len(SHARES))],
        "random": [float(point[first] + share * gap) for share in SHARES],
        "oracle": oracle(edge, teacher, labels, SHARES).tolist(),
        "gap": {"share": float(gap), "interval": list(bootstrap.interval(drawn[:, last] - drawn[:, first]))},
        "gap_recovered": recovered,
    }


def _part(gained: Floats, gap: Floats) -> Floats:
    # Without a gap there is no ratio: a gain counts as infinite, and a loss as minus infinite.
    safe = np.where(gap > 0, gap, 1.0)
    return np.asarray(np.where(gap > 0, gained / safe, np.where(gained >= 0, np.inf, -np.inf)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
