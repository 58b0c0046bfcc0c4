"""Texts that people have labelled."""

from collections.abc import Iterable, Iterator

from schemas.errors import UsageError
from schemas.records import LABELS
from streams.files.recording import Row


def labelled(rows: Iterable[Row], label_column: str) -> Iterator[tuple[str, int]]:
    """Each row's text and the index of its label. Raises UsageError: a row has no such column, or another label."""
    for row in rows:
        label = row.fields.get(label_column)
        if label not in LABELS:
            what = "is missing" if label_column not in row.fields else "is not one of them"
            raise UsageError(
                f"line {row.line}: the label in column {label_column!r} {what}: allowed are {', '.join(LABELS)}"
            )
        if row.text.strip():
            yield row.text, LABELS.index(label)
