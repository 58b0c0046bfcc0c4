"""Rules are data: those shipped hold, one's own go over them, and what is wrong in them is said."""

import re
from pathlib import Path

import pytest

from streams.monitoring.health_metrics import METRICS
from streams.monitoring.health_rules import HealthRuleError, bounds, duration_text, load_health_rules, parse_duration


def own(folder: Path, text: str) -> str:
    path = folder / "rules.toml"
    path.write_text(text)
    return str(path)


def test_the_articles_four_are_the_defaults() -> None:
    found = bounds(load_health_rules())
    four = "edge_share", "estimated_accuracy", "cost_per_event_usd", "latency_p95_ms"
    assert [found[name].bound for name in four] == [0.80, 0.85, 0.01, 150]
    assert found["agreement"].bound == 0.85


def test_the_rules_that_ship_watch_all_that_is_asked_for() -> None:
    rules = load_health_rules()
    assert {rule.metric for rule in rules} == {*METRICS} - {"vendor_agreement"}
    assert all(rule.why for rule in rules)


def test_ones_own_change_keys_add_rules_and_switch_them_off(tmp_path: Path) -> None:
    text = """
[edge_share_low]
at_least = 0.9
[no_data]
enabled = false
[vendor]
metric = "vendor_agreement"
at_least = 0.5
window = "2d"
severity = "info"
"""
    rules = {rule.name: rule for rule in load_health_rules(own(tmp_path, text))}
    changed = rules["edge_share_low"]
    assert (changed.bound, changed.resolve_bound, changed.for_) == (0.9, 0.9, 600_000)
    assert "no_data" not in rules
    assert rules["vendor"].window == 2 * 86_400_000
    assert len(rules) == len(load_health_rules())


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    text = "[edge_share_low]\nat_least = 0.9\n"
    assert load_health_rules(own(tmp_path, f"\ufeff{text}")) == load_health_rules(own(tmp_path, text))


def test_a_bound_of_the_other_side_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    text = "[edge_share_low]\nat_most = 0.99\n"
    [rule] = [each for each in load_health_rules(own(tmp_path, text)) if each.name == "edge_share_low"]
    assert (rule.at_least, rule.at_most, rule.misses(1.0), rule.misses(0.99)) == (None, 0.99, True, False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\nmetric = 'edge_shares'", "a: severity is missing"),
        ("[a]\nmetric = 'edge_shares'\nseverity = 'info'", "no metric 'edge_shares'; did you mean edge_share?"),
        ("[edge_share]\nwindw = '1m'", "edge_share: unknown key 'windw'; a rule has metric, at_least, at_most, "),
        ("[edge_share]\nat_least = 0.8\nat_most = 0.9", "edge_share: it needs one bound, at_least or at_most"),
        ("[edge_share]\nat_least = nan", "edge_share.at_least: "),
        ("[edge_share]\nat_least = '0.8'", "edge_share.at_least: "),
        ("[edge_share]\nresolve = 0.7", "edge_share: resolve is 0.7: it must lie on the good side of the bound, 0.8"),
        ("[latency]\nresolve = 151", "latency: resolve is 151: it must lie on the good side"),
        ("[edge_share]\nwindow = '1.5h'", "edge_share.window: '1.5h' is no duration"),
        ("[edge_share]\nwindow = 60", "edge_share.window: 60 is no duration"),
        ("[edge_share]\nwindow = '8d'", "edge_share.window: 8d is too long: 7d is the longest"),
        ("[edge_share]\nfor = '2d'", "edge_share.for: 2d is too long: 1d is the longest"),
        ("[edge_share]\nat_least = 85", "edge_share: a bound of edge_share is from 0 to 1: it is a share, not percent"),
        ("[edge_share]\nresolve = 82", "edge_share: a bound of edge_share is from 0 to 1: it is a share, not percent"),
        ("[cloud_failing]\nat_most = 1.5", "cloud_failing: a bound of degraded_share is from 0 to 1"),
        ("[drift_labels]\nat_most = -0.1", "drift_labels: a bound of drift_labels is from 0 to 1"),
        ("[disagreement]\nat_least = 1.0", "disagreement: at_least is 1: no number of events shows that all agree"),
        ("[edge_share]\nseverity = 'fatal'", "edge_share.severity: "),
        ("[edge_share]\nmin_events = -1", "edge_share.min_events: "),
        ("[no_data]\nmin_events = 10", "no_data: min_events means nothing for events"),
        ("[falling_behind]\nwindow = '1m'", "falling_behind: lag_records is of a moment and has no window"),
        ("[n]\nmetric = 'events'\nat_least = 1\nseverity = 'info'", "n: it needs a window"),
        ("[edge_share]\nname = 'x'", "edge_share: unknown key 'name'"),
        ("[Edge]\n", "no rule may be called 'Edge'"),
        ("[escalation]\n", "no rule may be called 'escalation'"),
        ("edge_share = 0.8", "edge_share is no table"),
        ("[edge_share\n", "are no TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = own(tmp_path, text)
    with pytest.raises(HealthRuleError) as raised:
        load_health_rules(path)
    assert f"the rules {path} " in str(raised.value)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(HealthRuleError, match=r"the rules /nowhere\.toml can't be read: No such file"):
        load_health_rules("/nowhere.toml")


@pytest.mark.parametrize("text", ["1s", "90s", "15m", "6h", "7d"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert parse_duration(duration_text(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "0m", "m", "-1m", "1w", "1 m", "1m ", "\uff19m", 5, None])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


def test_the_docs_show_the_rules(repository: Path) -> None:
    page = (repository / "docs" / "health.md").read_text("utf-8")
    row = r"^\| `(\w+)` \| `(\w+)` \| (under|over) ([\d.]+) \| at ([\d.]+) \| (.+?) \| (info|warning|critical) \|$"
    told = [
        (name, metric, side, float(bound), float(resolve), times, severity)
        for name, metric, side, bound, resolve, times, severity in re.findall(row, page, re.MULTILINE)
    ]
    shipped = []
    for rule in load_health_rules():
        window = duration_text(rule.window) if rule.window else ""
        long = duration_text(rule.for_) if rule.for_ else ""
        times = f"{window}, {long}" if window and long else window or f"for {long}"
        side = "under" if rule.at_least is not None else "over"
        shipped.append((rule.name, rule.metric, side, rule.bound, rule.resolve_bound, times, rule.severity))
    assert told == shipped
