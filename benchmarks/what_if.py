"""How long `edgewise whatif` takes for recorded decisions, beside plain reading of the same file.

    python -m benchmarks.what_if [EVENTS]

EVENTS are 1,000,000 by default. Both are measured one after the other, three times: reading each line with Python's own
`json`, and all that the command does: reading, eleven policies, and the best for so many dollars a day. The time is the
processor's: what else the machine does is left out.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.figure import figure
from benchmarks.table import show
from models.router import Policy
from schemas.records import RoutingEvent
from streams.monitoring.agreement import Curve
from streams.monitoring.best_policy import best_policy
from streams.monitoring.call_costs import Prices, call_costs
from streams.monitoring.what_if import WhatIf, recorded_a_day
from streams.operate.decisions import recorded_decisions

ROUNDS = 3
DAYS = 30
BASE = Policy("default", "1", 0.6, 0.75, 0.02)

EVENT = RoutingEvent(
    event_id="0a1b2c3d4e5f:000017",
    conversation_id="0a1b2c3d4e5f",
    turn=17,
    stage="completed",
    route="edge",
    reason="optimal_edge",
    degraded=False,
    complexity=0.41,
    length=0.33,
    syntax=0.61,
    uncertainty=0.12,
    emotion=0.0,
    edge_label="neutral",
    edge_confidence=0.9,
    cloud_label=None,
    cost_usd=0.001,
    cloud_only_cost_usd=0.0136,
    inference_ms=0.43,
    end_to_end_ms=123.0,
    pii=(),
    model="edge@2.0.0",
    router="default@1",
    occurred_at=1_764_000_000_000,
    recorded_at=1_764_000_000_000,
    role="customer",
    text_chars=76,
)


def main() -> None:
    """Prints the two times and their ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.jsonl"
        write(path, count)
        size = path.stat().st_size
        pairs = [(_seconds(lambda: _read(path)), _seconds(lambda: _command(path))) for _ in range(ROUNDS)]
    plain, whole = zip(*pairs, strict=True)
    show(
        f"{count:,} decisions, {size / 1e6:,.0f} MB of JSON lines, {ROUNDS} rounds",
        [
            figure("plain reading", "json.loads", "s", plain),
            figure("edgewise whatif", "reading and eleven policies", "s", whole),
            figure("whatif over plain reading", "", "", [two / one for one, two in pairs]),
        ],
    )


def write(path: Path, count: int) -> None:
    """Writes `count` decisions of `DAYS` days; confidence is spread evenly, one in 50 that the edge keeps is drawn."""
    random = np.random.default_rng(1)
    confidences, draws = random.random(count), random.random((2, count))
    with path.open("w", encoding="utf-8") as file:
        for at, confidence in enumerate(confidences.tolist()):
            fields = asdict(EVENT) | {
                "event_id": f"{at:012x}:000017",
                "edge_confidence": confidence,
                "recorded_at": EVENT.recorded_at + at * DAYS * 86_400_000 // count,
            }
            if confidence < BASE.confidence_threshold or draws[0, at] < BASE.random_cloud_rate:
                reason = "low_confidence" if confidence < BASE.confidence_threshold else "random_cloud"
                label = "neutral" if draws[1, at] < 0.6 + 0.4 * confidence else "negative"
                fields |= {"route": "cloud", "reason": reason, "cloud_label": label, "cost_usd": 0.0136}
                fields |= {"model": "cloud@2.1.0"}
            file.write(json.dumps(fields) + "\n")


def _read(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def _command(path: Path) -> None:
    decisions = recorded_decisions(str(path), None, None)
    what_if = WhatIf(decisions, 0.001, call_costs(decisions, Prices(), 0.0136), recorded_a_day(decisions))
    for threshold in Curve(decisions, BASE.complexity_threshold).thresholds(10):
        what_if.outcome(BASE.changed(confidence_threshold=threshold))
    what_if.outcome(BASE)
    dollars = what_if.outcome(BASE).usd_a_day / 2
    best_policy(what_if, BASE, at_most_usd_a_day=dollars, at_least_agreement=None)


def _seconds(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun


if __name__ == "__main__":
    main()
