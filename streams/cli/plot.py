"""A curve with its interval: as text for a terminal, as SVG for a file."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_COLUMNS, _ROWS = 56, 14
_FONT = 'font-family="sans-serif" font-size="13"'
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 400, 70, 40, 56


class Mark(NamedTuple):
    """A point of a curve, and the interval of its height."""

    x: float
    y: float
    low: float
    high: float


class Axes(NamedTuple):
    """What is drawn, from where to where."""

    title: str
    x_name: str
    marks: Sequence[Mark]

    @property
    def ends(self) -> tuple[float, float, float, float]:
        """The least and greatest x, the least and greatest y; the intervals are inside, and nothing is of no width."""
        xs, lows, highs = zip(*((each.x, each.low, each.high) for each in self.marks), strict=True)
        left, right, bottom, top = min(xs), max(xs), min(lows), max(highs)
        return left, right if right > left else left + 1, bottom, top if top > bottom else bottom + 1


def text_plot(axes: Axes) -> str:
    """The curve as lines of text: `o` is a point, `|` its interval."""
    left, right, bottom, top = axes.ends
    grid = [[" "] * _COLUMNS for _ in range(_ROWS)]

    def row(y: float) -> int:
        return round((top - y) / (top - bottom) * (_ROWS - 1))

    for mark in axes.marks:
        column = round((mark.x - left) / (right - left) * (_COLUMNS - 1))
        for at in range(row(mark.high), row(mark.low) + 1):
            if grid[at][column] == " ":
                grid[at][column] = "|"
    for mark in axes.marks:
        grid[row(mark.y)][round((mark.x - left) / (right - left) * (_COLUMNS - 1))] = "o"
    labels = {0: f"{top:.3f}", _ROWS // 2: f"{top - (top - bottom) * (_ROWS // 2) / (_ROWS - 1):.3f}"}
    labels[_ROWS - 1] = f"{bottom:.3f}"
    lines = [f"{labels.get(at, ''):>7} |{''.join(line)}".rstrip() for at, line in enumerate(grid)]
    begin, end = f"{left:.1%}", f"{right:.1%}"
    return "\n".join(
        [
            axes.title,
            *lines,
            f"{'':>7} +{'-' * _COLUMNS}",
            f"{'':>9}{begin}{axes.x_name:^{_COLUMNS - len(begin) - len(end)}}{end}",
        ]
    )


def svg_plot(axes: Axes) -> str:
    """The same as an SVG document, the intervals as a band."""
    left, right, bottom, top = axes.ends
    wide, high = _WIDTH - _LEFT - 20, _HEIGHT - _TOP - _BOTTOM

    def at(x: float, y: float) -> str:
        return f"{_LEFT + (x - left) / (right - left) * wide:.1f},{_TOP + (top - y) / (top - bottom) * high:.1f}"

    marks = sorted(axes.marks)
    band = " ".join([*(at(each.x, each.high) for each in marks), *(at(each.x, each.low) for each in reversed(marks))])
    line = " ".join(at(each.x, each.y) for each in marks)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT} role="img">',
        f"<title>{escape(axes.title)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(axes.title)}</text>',
        f'<polygon points="{band}" fill="#1f6feb" fill-opacity="0.18"/>',
        f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>',
    ]
    for step in range(5):
        x, y = left + (right - left) * step / 4, bottom + (top - bottom) * step / 4
        across, down = at(x, bottom).split(",")[0], at(left, y).split(",")[1]
        parts += [
            f'<line x1="{_LEFT}" x2="{_LEFT + wide}" y1="{down}" y2="{down}" stroke="#ccc"/>',
            f'<text x="{_LEFT - 8}" y="{down}" text-anchor="end" dominant-baseline="middle">{y:.3f}</text>',
            f'<text x="{across}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{x:.1%}</text>',
        ]
    parts += [
        f'<text x="{_LEFT + wide / 2:.0f}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(axes.x_name)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
