"""What `edgewise route calibrate` writes and prints."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from models.policy_file import FORMAT, CurvePoint, Fitted, PolicyFile
from schemas.errors import UsageError
from streams.cli.plot import Axes, Mark, text_plot
from streams.cli.table import aligned
from streams.monitoring.decisions import Decisions
from streams.monitoring.policy_fit import Asked, Point

_DIGITS = 4
_EVERY = 10  # of the curve's points, so many apart are in the table


def policy_file(name: str, decisions: Decisions, asked: Asked, fit: Point, curve: Sequence[Point]) -> PolicyFile:
    """The policy that `fit` is, with what it was fitted on. Raises UsageError: `name` is none for a policy."""
    chosen = _curve_point(fit)
    fitted = Fitted(
        agree_with="cloud" if decisions.decider.policy else "people",
        target=asked.target,
        confidence=asked.confidence,
        edge_model=decisions.decider.edge_model,
        cloud_models=decisions.cloud_models,
        policy=decisions.decider.policy,
        decisions=len(decisions),
        since=decisions.since,
        until=decisions.until,
        made=datetime.now(UTC).date().isoformat(),
        cloud_share=chosen.cloud_share,
        known=chosen.known,
        agreement=chosen.agreement,
        at_least=chosen.at_least,
        curve=tuple(map(_curve_point, curve)),
    )
    try:
        return PolicyFile(
            format=FORMAT,
            name=name,
            confidence_threshold=chosen.threshold,
            complexity_threshold=asked.complexity_threshold,
            random_cloud_rate=asked.random_cloud_rate,
            fitted=fitted,
        )
    except ValidationError:
        raise UsageError(
            f"--name {name}: allowed are letters, digits, dots, underscores and hyphens, at most 100"
        ) from None


def report(path: str, made: PolicyFile, decisions: Decisions) -> str:
    """The curve as a table and a plot, and what the policy promises."""
    fitted = made.fitted
    assert fitted is not None  # noqa: S101 - it was fitted here
    whom = _whom(fitted)
    confidence = fitted.confidence
    sample = f"{fitted.known:,} of them known"
    return "\n".join(
        [
            *aligned(("threshold", "to the cloud", "kept agree", "at least", "known", ""), *_rows(made)),
            "",
            text_plot(curve_axes(made)),
            "",
            f"{path}: {made.policy().id}, from {len(decisions):,} decisions{_between(fitted)}",
            f"confidence_threshold {made.confidence_threshold:g} sends {fitted.cloud_share:.1%} to the cloud",
            f"shown: kept answers agree with {whom} at least {fitted.target:g} of the time, confidence {confidence:g}",
            f"seen: {fitted.agreement:.4f} agree ({sample}), at least {fitted.at_least:.4f} by the exact limit",
            *left_out(decisions),
        ]
    )


def curve_axes(made: PolicyFile) -> Axes:
    """The curve of `made` as it is drawn, the limit below each point as its interval."""
    fitted = made.fitted
    assert fitted is not None  # noqa: S101 - it was fitted here
    marks = [Mark(each.cloud_share, each.agreement, each.at_least, each.agreement) for each in fitted.curve]
    title = f"share of kept answers that agree with {_whom(fitted)} (o), down to the limit that is shown (|)"
    return Axes(title, "share that goes to the cloud", marks)


def _whom(fitted: Fitted) -> str:
    return "the cloud" if fitted.agree_with == "cloud" else "people"


def _rows(made: PolicyFile) -> Iterator[tuple[str, ...]]:
    fitted = made.fitted
    for number, point in enumerate(fitted.curve if fitted else ()):
        is_chosen = point.threshold == made.confidence_threshold
        if is_chosen or number % _EVERY == _EVERY - 1:
            yield (
                f"{point.threshold:.4f}",
                f"{point.cloud_share:.1%}",
                f"{point.agreement:.4f}",
                f"{point.at_least:.4f}",
                f"{point.known:,}",
                "<- the policy" if is_chosen else "",
            )


def _between(fitted: Fitted) -> str:
    return f" by {fitted.policy}, {fitted.since} to {fitted.until}" if fitted.policy else ""


def left_out(decisions: Decisions) -> Iterator[str]:
    """What was recorded and does not count, and what is not known."""
    if decisions.not_scored:
        yield f"left out: {decisions.not_scored:,} events that no model was asked about"
    if decisions.left_out:
        yield f"left out: {decisions.left_out:,} decisions of another policy or edge model, and what came before"
    if decisions.unanswered:
        yield (
            f"unknown: {decisions.unanswered:,} events that the cloud was asked about and did not answer; they are "
            "taken to agree as often as those that it did"
        )


def _curve_point(point: Point) -> CurvePoint:
    return CurvePoint(
        threshold=point.threshold,
        cloud_share=round(point.cloud_share, _DIGITS),
        known=point.kept.known,
        agreement=round(point.kept.agreement() or 0.0, _DIGITS),
        at_least=int(point.at_least * 10**_DIGITS) / 10**_DIGITS,  # rounded down: it is a limit
    )
