"""A document as Markdown (GitHub's): what it says, without the charts, whose figures stand in its tables."""

import re
from collections.abc import Iterator

from streams.web.document import Chart, Document, Table

# What Markdown or the HTML within it would take for a mark.
_MARKS = re.compile(r"([\\`*{}\[\]<>#|~&]|(?<!\w)_|_(?!\w))")


def as_markdown(document: Document) -> str:
    """The whole text."""
    blocks = [f"# {_plain(document.title)}", *(block for part in document.lead for block in _blocks(part))]
    for section in document.sections:
        blocks += [f"## {_plain(section.title)}", *(block for part in section.parts for block in _blocks(part))]
    return "\n\n".join(blocks) + "\n"


def _blocks(part: str | Table | Chart) -> Iterator[str]:
    if isinstance(part, str):
        yield _plain(part)
    elif isinstance(part, Table):
        yield f"**{_plain(part.caption)}**"
        marks = [":--" if not at or at in part.words else "--:" for at in range(len(part.header))]
        rows = ([_plain(cell) for cell in row] for row in part.rows)
        lines = [[_plain(name) for name in part.header], marks, *rows]
        yield "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """`text` on one line, with nothing in it that is a mark."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
