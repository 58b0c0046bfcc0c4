"""A document as what it says, apart from how it is written: sections of paragraphs, tables and charts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self


class Link(str):
    """A cell's text that leads somewhere, where the document is a page; in a file it is the text."""

    __slots__ = ("href",)
    href: str

    def __new__(cls, text: str, href: str) -> Self:
        """`text`, which leads to `href`."""
        link = super().__new__(cls, text)
        link.href = href
        return link


class Markup(str):
    """A part in HTML, for a page alone, that is written as it is: whoever makes it escapes the values in it."""

    __slots__ = ()


@dataclass(frozen=True)
class Table:
    """Rows under a header. The first column names the row; the columns in `words` hold words, the rest figures."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Series:
    """A value for each of a chart's places, None where there is none, and the interval of each, where it has one."""

    name: str
    values: Sequence[float | None]
    intervals: Sequence[tuple[float, float] | None] | None = None


@dataclass(frozen=True)
class Chart:
    """Series over the same places, the first as bars or all as lines; a table beside it has the figures.

    `description` says in a sentence what is to be seen, for whoever does not see it.
    """

    title: str
    description: str
    places: Sequence[str]
    series: Sequence[Series]
    written: Callable[[float], str]  # a value, as the axis and the tooltips have it
    bars: bool = False
    bottom: float = 0.0
    top: float | None = None  # None: by the values
    leads_to: Sequence[str | None] = ()  # where each place leads, on a page; none: nowhere


@dataclass(frozen=True)
class Section:
    """A heading, and what stands under it."""

    title: str
    parts: Sequence[str | Table | Chart]


@dataclass(frozen=True)
class Document:
    """A title, what is said first, and sections."""

    title: str
    lead: Sequence[str | Table]
    sections: Sequence[Section]
