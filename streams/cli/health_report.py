"""What `edgewise health` prints."""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.records import Alert
from streams.cli.drift_report import no_reference_fits
from streams.cli.people_report import accuracy_dict, accuracy_lines
from streams.cli.table import aligned
from streams.cli.user import printable
from streams.monitoring.advice import SETTING, Advice
from streams.monitoring.health import Figure, Health
from streams.monitoring.health_metrics import number_text
from streams.monitoring.share import CONFIDENCE
from streams.monitoring.what_if import Outcome
from streams.system.clock import iso

_VARIABLE = f"EDGEWISE_{SETTING.upper()}"
_COLUMNS = ("figure", "value", "interval", "bound", "standing", "trend", "an hour", "p")


def as_dict(
    health: Health, alerts: Sequence[Alert], advice: Sequence[Advice] | None, now: Outcome | None
) -> dict[str, Any]:
    """As JSON has it; `alerts` are those that are firing, `advice` is None where none was asked for.

    `now` is what the policy in force makes of decisions.
    """
    return {
        "score": health.score,
        "word": health.word,
        "since": iso(health.start_ms) if health.events else None,
        "until": iso(health.end_ms) if health.events else None,
        "events": health.events,
        "figures": {each.metric.name: _figure(each) for each in health.figures},
        "accuracy_by_people": None if health.people is None else accuracy_dict(health.people),
        "not_in_drift_reference": [*health.strangers],
        "alerts": [
            {
                "rule": alert.rule,
                "severity": alert.severity,
                "since": iso(alert.started_at),
                "silenced": alert.silenced,
                "summary": alert.summary,
            }
            for alert in alerts
        ],
        "now": None if now is None else _outcome(now),
        "recommendations": None if advice is None else [_advice(each) for each in advice],
    }


def as_text(health: Health, alerts: Sequence[Alert], advice: Sequence[Advice] | None, now: Outcome | None) -> str:
    """The score, the figures in a table, what they are, the alerts that are firing, and the recommendations."""
    if health.score is None:
        return "\n".join(["health: unknown: no event was scored in this time", *_alerts(alerts)])
    lines = [
        f"health: {health.score} of 100, {health.word}",
        f"{health.events:,} events from {iso(health.start_ms)} to {iso(health.end_ms)}",
        "",
        *aligned(_COLUMNS, *map(_row, health.figures)),
        "",
        *_notes(health),
        *_by_people(health),
        *_alerts(alerts),
    ]
    for each in advice or []:
        lines += ["", *_recommended(each, now)]
    if advice is not None and not advice:
        why = "nothing that a threshold moves misses its bound" if now else "all decisions have the same time"
        lines += ["", f"recommendations: none: {why}"]
    return "\n".join(lines)


def _figure(figure: Figure) -> dict[str, Any]:
    found = figure.trend
    return {
        "value": _rounded(figure.value),
        "interval": None if figure.interval is None else [_rounded(limit) for limit in figure.interval],
        "counted_on": None if figure.counted is None else figure.counted.trials,
        "at_least": None if figure.rule is None else figure.rule.at_least,
        "at_most": None if figure.rule is None else figure.rule.at_most,
        "standing": figure.standing,
        "share_of_bound": _rounded(figure.share),
        "course": figure.course,
        "trend": None
        if found is None
        else {"slope_per_hour": _rounded(found.slope), "p": _rounded(found.p), "points": found.points},
    }


def _rounded(value: float | None) -> float | None:
    """To six digits, which is more than any of the figures has: 0.875, not 0.8749999999999999."""
    return None if value is None else float(f"{value:.6g}")


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        SETTING: outcome.policy.confidence_threshold,
        "edge_share": outcome.edge_share,
        "usd_per_day": outcome.usd_a_day,
        "kept_agreement": outcome.agreement,
        "kept_agreement_interval": outcome.interval,
    }


def _advice(advice: Advice) -> dict[str, Any]:
    return {
        "figure": advice.figure.metric.name,
        "setting": None if advice.then is None else _VARIABLE,
        "then": None if advice.then is None else _outcome(advice.then),
        "why_not": advice.why or None,
    }


def _row(figure: Figure) -> tuple[str, ...]:
    found, limits = figure.trend, figure.interval
    rule = figure.rule if figure.standing != "not judged" else None
    return (
        figure.metric.title,
        _number(figure.value),
        "" if limits is None else f"{limits[0]:.4f}-{limits[1]:.4f}",
        "" if rule is None else f"{'>=' if rule.at_least is not None else '<='} {rule.bound:g}",
        figure.standing,
        figure.course,
        "" if found is None else f"{found.slope:+.2g}",
        "" if found is None else f"{found.p:.2g}",
    )


def _notes(health: Health) -> Iterator[str]:
    yield f"intervals have confidence {CONFIDENCE:g}; of what was counted they are exact (Clopper-Pearson)"
    of = {each.metric.name: each for each in health.figures}
    if (sample := of["agreement"].counted) is not None:
        yield (
            f"agreement: how many of {sample.trials:,} answers that the edge would have kept, drawn at random, the "
            "cloud labels the same; it is with the cloud, not with people"
        )
    if of["estimated_accuracy"].value is not None:
        yield (
            "estimated accuracy: the mean confidence in what was published; it is right where the calibration of the "
            "models holds for this traffic, and does not see that what people mean by a text has changed"
        )
    if "accuracy" in of:
        yield (
            "accuracy: by the labels that people gave events of this time; it stands for the line where these were "
            "drawn at random"
        )
    if health.strangers:
        yield no_reference_fits(health.strangers)


def _by_people(health: Health) -> Iterator[str]:
    if health.people is not None:
        yield ""
        yield from accuracy_lines(health.people)


def _alerts(alerts: Sequence[Alert]) -> Iterator[str]:
    if alerts:
        yield ""
    for alert in alerts:
        how = f"{alert.severity}, silenced" if alert.silenced else alert.severity
        yield f"alert {alert.rule} ({how}) since {iso(alert.started_at)}: {printable(alert.summary)}"


def _recommended(advice: Advice, now: Outcome | None) -> Iterator[str]:
    then = advice.then
    if then is None:
        yield f"{advice.figure.metric.title}: no setting is recommended: {advice.why}"
        return
    set_to = f"{_VARIABLE}={then.policy.confidence_threshold:g}"
    yield f"{advice.figure.metric.title}: {set_to} would, by recorded decisions:"
    before = [] if now is None else [("", "edge share", "$ a day", "kept agree", "interval"), _told("now", now)]
    yield from (f"  {line}" for line in aligned(*before, _told("then", then)))


def _told(name: str, outcome: Outcome) -> tuple[str, ...]:
    agreement = "unknown" if outcome.agreement is None else f"{outcome.agreement:.4f}"
    limits = f"{outcome.interval[0]:.4f}-{outcome.interval[1]:.4f}"
    return name, f"{outcome.edge_share:.1%}", f"{outcome.usd_a_day:,.2f}", agreement, limits


def _number(value: float | None) -> str:
    return "unknown" if value is None else number_text(value)
