"""Health: each figure with its bound, where it stands and where it goes."""

from collections.abc import Mapping
from typing import Final

from streams.monitoring.health import Figure
from streams.monitoring.health_metrics import number_text, value_of
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.share import CONFIDENCE
from streams.system.clock import iso
from streams.web.document import Chart, Link, Section, Series, Table
from streams.web.live.board import Board
from streams.web.live.event_filter import EVENTS_OF, events_path, figure_path
from streams.web.live.layout import Card, View, cards
from streams.web.live.span import Span, SpanName, span_links, span_of
from streams.web.written import NONE, figure

WORD_STANDING: Final = {
    "excellent": "kept", "good": "kept", "fair": "unclear", "poor": "missed", "critical": "missed",
}  # fmt: skip
"""How the word of a score is marked."""

_NOTES: Final = (
    f"Intervals are exact (Clopper and Pearson) with confidence {CONFIDENCE:g}. Agreement is with the cloud, on "
    "answers drawn at random from those that the edge would have kept; it is not accuracy, which people's labels tell "
    "where there are any. Accuracy estimated from confidence is right where the calibration of the models holds for "
    "this traffic. A trend is told where chance alone makes one as clear in less than one series of a hundred."
)


def health_view(board: Board, bounds: Mapping[str, HealthRule], name: SpanName, now_ms: int) -> View:
    """The view of the span called `name`; `bounds` has the rule by which a metric is judged."""
    span = span_of(board, name, now_ms)
    total = span.total
    found = board.health(total, span.known, bounds)
    if found.score is None:
        said = "No event was scored in this time, so nothing is known."
        return View("Health", "/health", [span_links("/health", name), said], is_live=True)
    header = ("figure", "value", "interval", "bound", "standing", "course", "an hour", "p")
    rows = [_row(each, span) for each in found.figures]
    charts = [chart for each in found.figures if (chart := _chart(each, span)) is not None]
    score = Card(
        "score",
        f"{found.score} {found.word}",
        events_path(span.since_ms, None, stage="completed", scored="yes"),
        f"of 100, by {figure(found.events)} events",
        WORD_STANDING.get(found.word, ""),
    )
    return View(
        "Health",
        "/health",
        [
            span_links("/health", name),
            f"From {iso(span.since_ms)} to {iso(now_ms)}.",
            cards([score]),
            Table("Figures, their bounds and their course", header, rows, frozenset((2, 3, 4, 5))),
            _NOTES,
        ],
        [Section("Over time", charts)] if charts else [],
        is_live=True,
    )


def _row(of: Figure, span: Span) -> tuple[str, ...]:
    trend, limits = of.trend, of.interval
    rule = of.rule if of.standing != "not judged" else None
    path = figure_path(of.metric.name, of.value, span.since_ms, None)
    value = NONE if of.value is None else Link(number_text(of.value), path)
    return (
        of.metric.title,
        value,
        NONE if limits is None else f"{limits[0]:.4f} to {limits[1]:.4f}",
        NONE if rule is None else f"{'≥' if rule.at_least is not None else '≤'} {rule.bound:g}",
        of.standing,
        _course(of, span),
        NONE if trend is None else f"{trend.slope:+.2g}",
        NONE if trend is None else f"{trend.p:.2g}",
    )


def _course(of: Figure, span: Span) -> str:
    """Where it goes; a trend is tested where there are enough parts: seven days never are."""
    is_short = of.trend is None and of.metric.has_trend and of.value is not None
    return f"too few {span.unit}s" if is_short else of.course


def _chart(of: Figure, span: Span) -> Chart | None:
    """A judged figure over time, with its bound; None where nothing of it is known."""
    if of.bound is None or of.value is None or not of.is_judged:
        return None
    values = [None if window is None else value_of(of.metric.of_window(window)) for window in span.windows]
    if all(value is None for value in values):  # it stands in no window
        return None
    bound: list[float | None] = [of.bound] * len(values)
    return Chart(
        of.metric.title,
        f"A point for each {span.unit}; {number_text(of.value)} in all, where the bound is {of.bound:g}.",
        span.places,
        [Series("value", values), Series("bound", bound)],
        written=number_text,
        leads_to=span.events(**EVENTS_OF.get(of.metric.name, {})),
    )
