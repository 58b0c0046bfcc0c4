"""What `edgewise health` prints."""

from collections.abc import Iterator, Sequence
from typing import Any

from streams.cli.table import aligned
from streams.monitoring.advice import SETTING, Advice
from streams.monitoring.health import CONFIDENCE, Figure, Health
from streams.monitoring.what_if import Outcome
from streams.system.clock import iso

_VARIABLE = f"EDGEWISE_{SETTING.upper()}"
_COLUMNS = ("figure", "value", "interval", "bound", "standing", "trend", "an hour", "p")


def as_dict(health: Health, advice: Sequence[Advice] | None, now: Outcome | None) -> dict[str, Any]:
    """As JSON has it; `advice` is None where none was asked for, `now` what the policy in force makes of decisions."""
    return {
        "score": health.score,
        "word": health.word,
        "since": iso(health.start_ms) if health.events else None,
        "until": iso(health.end_ms) if health.events else None,
        "events": health.events,
        "figures": {each.rule.name: _figure(each) for each in health.figures},
        "now": None if now is None else _outcome(now),
        "recommendations": None if advice is None else [_advice(each) for each in advice],
    }


def as_text(health: Health, advice: Sequence[Advice] | None, now: Outcome | None) -> str:
    """The score, the figures in a table, what they are, and the recommendations."""
    if health.score is None:
        return "health: unknown: no event was scored in this time"
    lines = [
        f"health: {health.score} of 100, {health.word}",
        f"{health.events:,} events from {iso(health.start_ms)} to {iso(health.end_ms)}",
        "",
        *aligned(_COLUMNS, *map(_row, health.figures)),
        "",
        *_notes(health),
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
        "at_least": figure.rule.at_least,
        "at_most": figure.rule.at_most,
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
        "figure": advice.figure.rule.name,
        "setting": None if advice.then is None else _VARIABLE,
        "then": None if advice.then is None else _outcome(advice.then),
        "why_not": advice.why or None,
    }


def _row(figure: Figure) -> tuple[str, ...]:
    found, limits = figure.trend, figure.interval
    bound = figure.bound if figure.standing != "not judged" else None
    return (
        figure.rule.title,
        _number(figure.value),
        "" if limits is None else f"{limits[0]:.4f}-{limits[1]:.4f}",
        "" if bound is None else f"{'>=' if figure.rule.at_least is not None else '<='} {bound:g}",
        figure.standing,
        figure.course,
        "" if found is None else f"{found.slope:+.2g}",
        "" if found is None else f"{found.p:.2g}",
    )


def _notes(health: Health) -> Iterator[str]:
    yield f"intervals are exact (Clopper-Pearson) with confidence {CONFIDENCE:g}"
    of = {each.rule.name: each for each in health.figures}
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


def _recommended(advice: Advice, now: Outcome | None) -> Iterator[str]:
    then = advice.then
    if then is None:
        yield f"{advice.figure.rule.title}: no setting is recommended: {advice.why}"
        return
    yield f"{advice.figure.rule.title}: {_VARIABLE}={then.policy.confidence_threshold:g} would, by recorded decisions:"
    before = [] if now is None else [("", "edge share", "$ a day", "kept agree", "interval"), _told("now", now)]
    yield from (f"  {line}" for line in aligned(*before, _told("then", then)))


def _told(name: str, outcome: Outcome) -> tuple[str, ...]:
    agreement = "unknown" if outcome.agreement is None else f"{outcome.agreement:.4f}"
    limits = f"{outcome.interval[0]:.4f}-{outcome.interval[1]:.4f}"
    return name, f"{outcome.edge_share:.1%}", f"{outcome.usd_a_day:,.2f}", agreement, limits


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}" if value < 10 else f"{value:,.0f}"
