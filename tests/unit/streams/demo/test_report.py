import io
import json
from typing import Any

import pytest
from rich.console import Console

from streams.demo.answers import Answered
from streams.demo.processes import Health
from streams.demo.report import Accuracy, Report, report_json, report_lines
from streams.demo.view import Rate, State, figures, picture, plain, told
from streams.monitoring.window import Window
from streams.verify.verdict import Verdict
from tests.events import routing_event


def window() -> Window:
    """Nine events on the edge at 20 ms, one in the cloud at 400 ms."""
    made = Window(0, 60_000, 0)
    made.add([routing_event(pii=("NAME",) if at < 2 else ()) for at in range(9)])
    made.add([routing_event(stage="decided", route="cloud", reason="low_confidence", cloud_only_cost_usd=0.0)])
    cloud = {"route": "cloud", "reason": "low_confidence", "cloud_label": "neutral", "pii": ("NAME", "CARD")}
    made.add([routing_event(cost_usd=0.0136, end_to_end_ms=400.0, **cloud)])
    return made


def report(**changes: Any) -> Report:
    given: dict[str, Any] = {
        "verdict": Verdict(events=10, results=10, routing_events=11, windows=1),
        "total": window(),
        "accuracy": Accuracy(8, 0.75, 0.875, 0.8),
        "redacted": 3,
        "seconds": 12.5,
    }
    return Report(**(given | changes))


def test_the_report_for_machines() -> None:
    written = json.loads(json.dumps(report_json(report())))
    expected = {
        "verified": True,
        "events": 10,
        "lost": 0,
        "duplicated": 0,
        "out_of_order": 0,
        "edge_share": 0.9,
        "redacted_share": 0.3,
        "redacted_kinds": {"NAME": 3, "CARD": 1},
        "accuracy": {"edge": 0.75, "cloud": 0.875, "line": 0.8},
        "cost_usd": 0.0236,  # ten times the edge's price, and once the cloud's
        "cloud_only_cost_usd": 0.136,
        "seconds": 12.5,
    }
    assert {key: written[key] for key in expected} == expected
    assert written["latency_ms"] == {
        "p50": pytest.approx(20, rel=0.01),
        "p95": pytest.approx(20, rel=0.01),
        "p99": pytest.approx(20, rel=0.01),
    }


def test_the_report_for_people() -> None:
    text = "\n".join(report_lines(report()))
    assert "10 events in 12 s" in text
    assert "answered on the edge      90.0%" in text
    assert "personal data             in 30.0% of the texts: NAME 3, CARD 1" in text
    assert "20 / 20 / 20 ms" in text
    assert "$0.02; with the cloud alone $0.14: 82.6% saved" in text
    assert "80.0% of 8 labelled events as published" in text
    assert "the cloud model alone   87.5%" in text
    assert text.endswith("verified: nothing lost, nothing twice, in order, audited, and the totals agree")


def test_what_was_measured_of_the_bill_is_told_and_what_no_budget_paid_for() -> None:
    assert "measured" not in "\n".join(report_lines(report()))
    total = Window(0, 60_000, 0)
    paid = {"cost_usd": 0.000042, "cost_basis": "measured", "tokens_in": 400, "tokens_out": 1, "tokens_cached": 256}
    total.add(
        [
            routing_event(route="cloud", cloud_label="neutral", **paid),
            routing_event(reason="budget_exhausted", degraded=True),
        ]
    )
    told = report(total=total)
    text = "\n".join(report_lines(told))
    assert "of this measured        $0.000042; the rest is assumed" in text
    assert "400 read, 256 of them from its cache; 1 written" in text
    assert "the budget is spent     1 events kept the edge's answer" in text
    written = report_json(told)
    assert written["measured_cost_usd"] == 0.000042
    assert written["tokens"] == {"in": 400, "out": 1, "cached": 256}


def test_the_cost_is_told_by_who_spoke() -> None:
    total = Window(0, 60_000, 0)
    total.add([routing_event(role=role, cost_usd=0.01) for role in ("customer", "agent", "customer")])
    made = report(total=total)
    assert "    by who spoke            customer $0.02, agent $0.01" in report_lines(made)
    assert report_json(made)["roles"] == {
        "agent": {"events": 1, "cost_usd": 0.01},
        "customer": {"events": 2, "cost_usd": 0.02},
    }
    assert not [line for line in report_lines(report()) if "who spoke" in line], "one role alone is the whole bill"


def test_a_report_without_events_or_labels() -> None:
    empty = report(verdict=Verdict(), total=Window(0, 0, 0), accuracy=Accuracy(0, None, None, None))
    assert report_json(empty)["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert "- / - / - ms" in "\n".join(report_lines(empty))


def state(*processes: Health) -> State:
    return State("replaying", 7.0, 20, window(), processes)


def test_a_state_as_a_line() -> None:
    line = plain(
        state(Health("edge", 1, None, 90.0), Health("cloud", 2, -9, None), Health("replay a.csv", 3, 0, None)), 60.0
    )
    assert line == (
        "  7 s  replaying, 10 of 20 events, 60/s, edge share 90.0%, latency p50/p95/p99 20/20/20 ms, "
        "cost $0.02, cloud only $0.14: 83% saved, edge running, cloud DIED (-9)"
    )


def test_a_state_before_the_first_event() -> None:
    assert plain(State("starting", 0.0, 20, Window(0, 0, -1), ()), 0.0) == "  0 s  starting"
    assert figures(Window(0, 0, -1)) == []


def test_what_goes_by_is_shown_with_its_label_and_is_no_command_to_a_terminal() -> None:
    """Seen to fail with the text as it is."""
    answers = [
        Answered("customer", "My bag is\x1b[2J lost\n" + "x" * 100, "negative", "cloud", 0.9),
        Answered("agent", "Thanks!", "positive", "edge", 0.9),
    ]
    assert told(answers[1]) == "positive edge  agent    Thanks!"
    line = told(answers[0])
    assert line.startswith("negative cloud customer My bag is [2J lost xxx")
    assert line.endswith("x…")
    assert line.isprintable()
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(picture(state()._replace(answers=answers), 60.0))
    shown = console.export_text()
    assert "\x1b" not in shown
    for part in ("negative", "cloud", "My bag is", "positive", "Thanks!"):
        assert part in shown


def test_a_state_as_a_picture() -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(picture(state(Health("edge", 17, None, 90.0), Health("cloud", 18, 1, None)), 60.0))
    shown = console.export_text()
    for part in ("10 of 20", "60/s", "90.0%", "20/20/20 ms", "running", "pid 17", "90 MB", "DIED (1)", "replaying"):
        assert part in shown


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    assert rate.update(0.0, 0) == 0
    assert rate.update(1.0, 10) == 10
    assert [rate.update(float(second), 10 + (second - 1) * 60) for second in range(2, 20)][-1] == 60
