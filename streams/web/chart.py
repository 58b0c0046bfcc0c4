"""A chart as SVG that stands in an HTML page: it takes its colours from the page's style, and loads nothing.

Where its places lead somewhere, all of a place's height does: a point is too small for a finger.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from streams.web.document import Chart, Series

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 12, 12, 28
_ACROSS, _DOWN = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_MOST_NAMES = 6  # of places along the axis: more would overlap


def svg(chart: Chart, number: int) -> str:
    """`chart` as an `svg` element with a title and a description; `number` makes its ids its own within the page."""
    top = _top(chart)
    scale = _Scale(len(chart.places), chart.bottom, top)
    title, description = f"chart-{number}-title", f"chart-{number}-description"
    role = "group" if chart.leads_to else "img"  # of a picture a screen reader tells no links
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="{role}" aria-labelledby="{title} {description}">',
        f'<title id="{title}">{escape(chart.title)}</title>',
        f'<desc id="{description}">{escape(chart.description)}</desc>',
        *_axes(chart, scale, top),
    ]
    for order, series in enumerate(chart.series):
        colour = f"s{order + 1}"
        if chart.bars and not order:
            parts += _bars(chart, series, scale, colour)
        else:
            parts += [*_band(series, scale, colour), *_line(chart, series, scale, colour)]
    return "\n".join([*parts, *_links(chart, scale), "</svg>"])


class _Scale:
    """Where a place and a value are in the picture."""

    def __init__(self, places: int, bottom: float, top: float) -> None:
        self.step = _ACROSS / max(places, 1)
        self._bottom, self._top = bottom, top

    def x(self, place: int) -> float:
        """The middle of the place."""
        return _LEFT + (place + 0.5) * self.step

    def y(self, value: float) -> float:
        """A value beyond the scale is at its end."""
        share = (value - self._bottom) / (self._top - self._bottom)
        return _TOP + _DOWN * (1 - min(1.0, max(0.0, share)))


def _top(chart: Chart) -> float:
    """The end of the scale: the given one, or the least of 1, 2 and 5 times a power of ten that nothing is above."""
    if chart.top is not None:
        return chart.top
    highest = max((value for series in chart.series for value in series.values if value is not None), default=0)
    if highest <= chart.bottom:
        return chart.bottom + 1
    power = 10.0 ** floor(log10(highest))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= highest * (1 - 1e-9))


def _axes(chart: Chart, scale: _Scale, top: float) -> Iterator[str]:
    for step in range(5):
        value = chart.bottom + (top - chart.bottom) * step / 4
        y = scale.y(value)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(chart.written(value))}</text>'
    every = max(1, ceil(len(chart.places) / _MOST_NAMES))
    for place in range(0, len(chart.places), every):
        x, name = scale.x(place), escape(chart.places[place])
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{name}</text>'


def _bars(chart: Chart, series: Series, scale: _Scale, colour: str) -> Iterator[str]:
    base, width = scale.y(chart.bottom), max(1.0, scale.step * 0.7)
    for place, value in enumerate(series.values):
        if value is not None:
            y = scale.y(value)
            yield (
                f'<rect class="{colour}" x="{scale.x(place) - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{base - y:.1f}">{_tooltip(chart, series, place, value)}</rect>'
            )


def _line(chart: Chart, series: Series, scale: _Scale, colour: str) -> Iterator[str]:
    """The line is broken where there is no value; every value is a point."""
    for run in _runs(series.values):
        points = " ".join(f"{scale.x(place):.1f},{scale.y(value):.1f}" for place, value in run)
        yield f'<polyline class="{colour} line" points="{points}"/>'
        for place, value in run:
            at = f'cx="{scale.x(place):.1f}" cy="{scale.y(value):.1f}"'
            yield f'<circle class="{colour}" r="3" {at}>{_tooltip(chart, series, place, value)}</circle>'


def _band(series: Series, scale: _Scale, colour: str) -> Iterator[str]:
    for place, limits in enumerate(series.intervals or ()):
        if limits is not None:
            low, high = (scale.y(limit) for limit in limits)
            x = scale.x(place)
            yield f'<line class="{colour} interval" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'


def _links(chart: Chart, scale: _Scale) -> Iterator[str]:
    """Over all else, a place with a value as one link, which says what all series are there."""
    for place, href in enumerate(chart.leads_to):
        values = [(series.name, series.values[place]) for series in chart.series]
        said = ", ".join(f"{name} {chart.written(value)}" for name, value in values if value is not None)
        if href is not None and said:
            told = escape(f"{chart.places[place]}: {said}")
            yield (
                f'<a href="{escape(href)}" aria-label="{told}"><rect class="place" '
                f'x="{scale.x(place) - scale.step / 2:.1f}" y="{_TOP}" width="{scale.step:.1f}" height="{_DOWN}">'
                f"<title>{told}</title></rect></a>"
            )


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _tooltip(chart: Chart, series: Series, place: int, value: float) -> str:
    return f"<title>{escape(f'{chart.places[place]}, {series.name}: {chart.written(value)}')}</title>"
