"""`edgewise redact`: the rows of a recording without the personal data in their texts."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from models.redaction import KINDS, ConversationRedactor, Redactor, Tagger
from recordings.fault import STDIN
from schemas.errors import UsageError
from streams.files.columns import Columns
from streams.files.identity import conversation_id_of
from streams.files.recording import Row
from streams.files.writing import renamed

FIELDS: Final = ("redacted_kinds", "redacted_spans")
"""What each row gets, after its own fields."""


@dataclass(slots=True)
class Tally:
    """What was redacted, so far: rows, those with something in them, findings by kind, the names of other fields."""

    rows: int = 0
    redacted_rows: int = 0
    withheld: int = 0  # what is no text, in the text's place
    kinds: Counter[str] = field(default_factory=Counter)
    untouched: dict[str, None] = field(default_factory=dict)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.most_common())
        found = f"{self.redacted_rows:,} of {self.rows:,} rows redacted" + (f": {kinds}" if kinds else "")
        if self.withheld:
            found += f"; withheld, as no text: {self.withheld:,}"
        others = ", ".join(self.untouched)
        return found + (f"; written as they are: {others}" if others else "")


def redact_rows(
    rows: Iterable[Row],
    columns: Mapping[str, str],
    tally: Tally,
    *,
    numbered: bool,
    tagger: Tagger | None = None,
    kinds: Collection[str] = KINDS,
) -> Iterator[dict[str, object]]:
    """Each row's fields with the text redacted, and then `FIELDS`, in the rows' order.

    `redacted_kinds` are the kinds found, in the order of the text, and `redacted_spans` where: `start` and `end` in
    characters of the input's text, and `kind`. `columns` maps fields to columns. Rows of a conversation are taken for
    its turns, in their order; one whose conversation's id is none, such as a list, is read alone. What is no text where
    the text should be, a list or an object, is not read: null takes its place. `numbered` writes `[CARD_1]`. A field of
    the input that has one of the new names is kept as `input_` and its name. `tally` counts as the rows are taken.
    `tagger` finds what rules do not; what is of no kind in `kinds` stays.

    Raises UsageError: the first row has no text. RedactionError: the tagger failed.
    """
    redactor = Redactor(tagger=tagger, numbered=numbered, kinds=kinds)
    conversations = ConversationRedactor(tagger=tagger, numbered=numbered, kinds=kinds)
    known = Columns(columns)
    for row in rows:
        conversation = _conversation(row, known)
        redacted = redactor.redact(row.text) if conversation is None else conversations.redact(conversation, row.text)
        column = columns.get("text", "text")
        if column not in row.fields and row.text:
            column = "text"  # the one that plain lines have, whatever is asked for
        elif column not in row.fields and not tally.rows:
            # The reader takes a missing text for an empty one, where other rows have one. In a file whose first row has
            # none, it may be another column that holds what is personal: nothing is written.
            raise UsageError(
                f"the first row has no column {column!r}; there are {', '.join(row.fields) or 'none'}: name the one "
                "that holds the text, --column text=NAME"
            )
        fields = dict(row.fields)
        if not row.is_text:
            fields[column] = None
        elif redacted.spans:
            fields[column] = redacted.text
        tally.withheld += not row.is_text
        tally.rows += 1
        tally.redacted_rows += bool(redacted.spans)
        tally.kinds.update([span.kind for span in redacted.spans])
        tally.untouched.update(dict.fromkeys([name for name in fields if name != column]))
        yield renamed(fields, FIELDS) | {
            "redacted_kinds": list(redacted.kinds),
            "redacted_spans": [span._asdict() for span in redacted.spans],
        }


def _conversation(row: Row, columns: Columns) -> str | None:
    """The id of the conversation with which a row is read; None: with none."""
    found, _ = columns.split(row.fields)
    try:
        return conversation_id_of(row, STDIN, found)
    except ValueError:
        return None
