"""A document as one HTML file: no script, no asset from elsewhere, every value escaped."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count

from streams.web.chart import svg
from streams.web.document import Chart, Document, Link, Markup, Section, Table
from streams.web.style import STYLE

# A browser loads and runs nothing, even if a value got past the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(document: Document) -> str:
    """The whole file: headings in order, tables with captions and headers, charts with titles and descriptions."""
    title = escape(document.title)
    numbers = count(1)
    links = (f'<li><a href="#part-{at}">{escape(part.title)}</a></li>' for at, part in enumerate(document.sections))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{title}</h1></header>",
            f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>',
            "<main>",
            *(part_html(part, numbers) for part in document.lead),
            *(line for at, section in enumerate(document.sections) for line in section_html(section, at, numbers)),
            "</main>",
            "</body>",
            "</html>\n",
        ]
    )


def section_html(section: Section, at: int, numbers: "count[int]") -> Iterator[str]:
    """`section`, the one numbered `at`; `numbers` makes the ids of its tables and charts."""
    yield f'<section id="part-{at}" aria-labelledby="heading-{at}"><h2 id="heading-{at}">{escape(section.title)}</h2>'
    yield from (part_html(part, numbers) for part in section.parts)
    yield "</section>"


def part_html(part: str | Table | Chart, numbers: "count[int]") -> str:
    """A paragraph, a table or a chart."""
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    return _table(part, next(numbers)) if isinstance(part, Table) else _figure(part, next(numbers))


def _table(table: Table, number: int) -> str:
    """It scrolls by itself where the screen is narrow, by keyboard too."""
    header = "".join(f'<th scope="col"{_kind(table, at)}>{escape(name)}</th>' for at, name in enumerate(table.header))
    rows = "\n".join(f"<tr>{''.join(_cells(table, row))}</tr>" for row in table.rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="table-{number}">\n'
        f'<table><caption id="table-{number}">{escape(table.caption)}</caption>\n'
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cells(table: Table, row: Sequence[str]) -> Iterator[str]:
    for at, cell in enumerate(row):
        yield (
            f"<td{_kind(table, at)}>{_text(cell)}</td>" if at else f'<th scope="row" class="words">{_text(cell)}</th>'
        )


def _text(cell: str) -> str:
    return f'<a href="{escape(cell.href)}">{escape(cell)}</a>' if isinstance(cell, Link) else escape(cell)


def _kind(table: Table, column: int) -> str:
    return ' class="words"' if not column or column in table.words else ""


def _figure(chart: Chart, number: int) -> str:
    named = (
        f'<span class="key s{order + 1}" aria-hidden="true"></span>{escape(series.name)}'
        for order, series in enumerate(chart.series)
    )
    wide = ' class="scroll"' if chart.leads_to else ""  # its links are not to become too narrow
    caption = f"{escape(chart.title)}: {', '.join(named)}"
    return f"<figure{wide}>\n<figcaption>{caption}</figcaption>\n{svg(chart, number)}\n</figure>"
