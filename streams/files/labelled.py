"""Texts that people have labelled."""

from collections.abc import Iterable, Iterator

from models.cloud import Question
from schemas.errors import UsageError
from schemas.records import LABELS
from streams.files.recorded_event import RowCircumstances
from streams.files.recording import Row


def labelled(rows: Iterable[Row], label_column: str) -> Iterator[tuple[Question, int]]:
    """Each row that has a text, as it is asked about, and the index of its label.

    Its columns `role` and `language` are told, where it has them. Raises UsageError: a row has no such column as
    `label_column`, or another label.
    """
    told = RowCircumstances("", {}, {})
    for row in rows:
        label = row.fields.get(label_column)
        if label not in LABELS:
            what = "is missing" if label_column not in row.fields else "is not one of them"
            raise UsageError(
                f"line {row.line}: the label in column {label_column!r} {what}: allowed are {', '.join(LABELS)}"
            )
        if row.text.strip():
            about = told(row)
            yield Question(row.text, about.language, about.role), LABELS.index(label)
