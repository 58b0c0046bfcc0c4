"""The report's sections say the period's figures, and the JSON has them exactly."""

import json
from dataclasses import replace

from streams.monitoring.at_risk import AtRisk
from streams.monitoring.people import PeopleLabels
from streams.monitoring.period import DAY_MS, Period
from streams.system.json_text import json_text
from streams.web.document import Document, Table
from streams.web.report import Report, report_json
from streams.web.report_document import report_document
from streams.web.written import usd
from tests.reports import FIRST_DAY, NOW, month, report, state
from tests.traffic import alerts
from tests.unit.streams.monitoring.test_people import label


def tables(document: Document) -> dict[str, Table]:
    parts = [*document.lead, *(part for section in document.sections for part in section.parts)]
    return {part.caption: part for part in parts if isinstance(part, Table)}


def said(document: Document, section: str) -> str:
    return " ".join(
        part for each in document.sections if each.title == section for part in each.parts if isinstance(part, str)
    )


def test_the_tables_say_the_totals() -> None:
    found, total = tables(report_document(report())), month().total()
    glance = {row[0]: row[1] for row in found["At a glance"].rows}
    assert glance["cost, USD"] == usd(total.cost_nanos)
    assert glance["events scored"] == f"{total.events:,}"
    assert glance["conversations at risk"] == "2"
    assert len(found["Cost by day"].rows) == 29  # on one of the thirty days there was nothing
    assert found["Cost by day"].rows[0][0] == "2026-11-29"
    assert [row[0] for row in found["Cost by month"].rows] == ["2026-10", "2026-11"]
    assert [row[0] for row in found["Labels published, by channel"].rows] != []
    events = sum(int(row[-1].replace(",", "")) for row in found["Labels published, by role"].rows)
    assert events == total.events
    for table in found.values():
        assert {len(row) for row in table.rows} == {len(table.header)}


def test_what_is_measured_and_what_is_expected_is_said() -> None:
    document, total = report_document(report()), month().total()
    cost = said(document, "Cost")
    assert f"{usd(total.measured_cost_nanos)} of {usd(total.cost_nanos)} USD" in cost
    assert "Forecast for 2026-11: " in cost
    assert "on the same weekday on average in the last 28 whole days" in cost
    assert "Of the tightest budget 9" in cost
    assert "models cloud@1.0.0, edge@1.0.0; policies default@1" in said(document, "Models and policies")
    made = report()
    assert made.forecast is not None
    partial = replace(made, forecast=made.forecast._replace(is_of_whole_month=False, by_weekday=False))
    assert "What was spent before 2026-10-31T00:00:00Z is not in it" in said(report_document(partial), "Cost")
    none = said(report_document(replace(made, forecast=None)), "Cost")
    assert "no forecast for 2026-11" in none


def test_conversations_at_risk_stand_in_order_and_without_what_was_said() -> None:
    found = tables(report_document(report(state("call-1", 0.8))))["All of them"]
    assert [row[:3] for row in found.rows] == [
        ("call-17", "0.91", "ended"),
        ("call-1", "0.80", "open"),
        ("call-18", "0.75", "open"),
    ]
    many = report(*(state(f"c{at}", 0.8) for at in range(9)))
    assert len(tables(report_document(many))["The 5 of the highest risk"].rows) == 5


def test_alerts_are_told_by_rule_with_what_of_their_length_lies_in_the_period() -> None:
    """Seen to fail with lengths that begin before the period, and with those that are still firing left out."""
    since = report().period.since_ms
    firing, resolved = alerts(NOW)
    firing = replace(firing, rule="no_data", started_at=NOW - 120_000)
    before = replace(resolved, rule="latency", started_at=since - 3_600_000, resolved_at=since + 60_000)
    resolved = replace(before, started_at=since + 3_600_000, resolved_at=since + 3_600_000 + 7_200_000)
    found = replace(report(), alerts=(before, resolved, firing))
    told = tables(report_document(found))
    assert [(row[0], *row[2:]) for row in told["Alerts by rule"].rows] == [
        ("latency", "2", "2 h 1 min", "2 h", "–"),
        ("no_data", "1", "2 min", "2 min", "1"),
    ]
    assert [row[0] for row in told["The alerts, the latest first"].rows] == ["no_data", "latency", "latency"]
    assert [each["seconds_in_period"] for each in report_json(found)["alerts"]] == [60, 7200, 120]
    assert "No alert was firing" in str(report_document(report()).sections)


def test_names_beyond_a_page_are_added_up() -> None:
    made = report()
    made.period.days[next(iter(made.period.days))].models.update({f"m{at}": 1 for at in range(40)})
    rows = tables(report_document(made))["Events by the model that answered"].rows
    assert rows[-1][:2] == ("12 more", "12")
    assert len(rows) == 31


def test_what_is_missing_is_said() -> None:
    made = report()
    assert "could not be read" not in str(report_document(made).lead)
    made.period.unreadable = 3
    assert "3 windows could not be read and are missing" in str(report_document(made).lead)


def test_a_period_without_windows_has_the_conversations_alone() -> None:
    empty = Report(Period(0), AtRisk(0.7, 5), None, NOW)
    document = report_document(empty)
    assert "No window of monitoring starts at 1970-01-01T00:00:00Z or later" in str(document.lead[0])
    assert [section.title for section in document.sections] == ["Conversations at risk"]
    assert report_json(empty)["first_window_at"] is None


def test_json_is_exact_and_its_days_add_up() -> None:
    told, total = json.loads(json_text(report_json(report()))), month().total()
    assert told["total"]["cost_nanodollars"] == total.cost_nanos
    for part in ("days", "months"):
        assert sum(each["cost_nanodollars"] for each in told[part]) == total.cost_nanos
        assert (
            sum(each["role_labels"].get("agent/negative", 0) for each in told[part])
            == (total.role_labels["agent/negative"])
        )
    agreement = told["total"]["agreement"]
    assert (
        agreement["interval"][0] < agreement["share"] == total.sampled_agreed / total.sampled < agreement["interval"][1]
    )
    assert told["forecast"]["month_usd"] > told["forecast"]["spent_usd"]
    assert told["conversations"]["by_status"] == {"open": 2, "ended": 1}
    assert told["conversations"]["highest_risk"][0]["conversation_id"] == "call-17"
    assert told["in_force"]["policies"].keys() == {"default@1"}


def test_accuracy_by_peoples_labels_is_told_where_there_are_any() -> None:
    none = report()
    assert "accuracy by people's labels" not in {row[0] for row in tables(report_document(none))["At a glance"].rows}
    assert json.loads(json_text(report_json(none)))["accuracy"]["by_people"] is None
    people, since = PeopleLabels(), FIRST_DAY * DAY_MS
    for event_id, answer, at in (("e1", "neutral", NOW), ("e2", "positive", since), ("e3", "neutral", since - 1)):
        people.add(label(event_id, "neutral", answer, answered_at=at, role="customer"))
    made = replace(none, people=people)
    found = tables(report_document(made))
    glance = {row[0]: row[1] for row in found["At a glance"].rows}
    assert glance["accuracy by people's labels"] == "50.0% (1.3% to 98.7%)"
    rows = {row[0]: row[1:] for row in found["Accuracy by people's labels"].rows}
    assert rows["role customer"] == ("50.0%", "1.3% to 98.7%", "1", "2")
    told = json.loads(json_text(report_json(made)))["accuracy"]
    assert (told["by_people"]["agreed"], told["by_people"]["compared"]) == (1, 2)
    assert told["by_route"]["edge"]["share"] == 0.5
