"""`edgewise redact`: the rows of a recording without the personal data in their texts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from models.redaction import ConversationRedactor, Redactor
from streams.files.recording import Row
from streams.files.writing import renamed

FIELDS: Final = ("redacted_kinds", "redacted_spans")
"""What each row gets, after its own fields."""


@dataclass(slots=True)
class Tally:
    """What was redacted, so far: rows, those with something in them, the findings by kind, and the other fields."""

    rows: int = 0
    redacted_rows: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    untouched: dict[str, None] = field(default_factory=dict)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.most_common())
        found = f"{self.redacted_rows:,} of {self.rows:,} rows redacted" + (f": {kinds}" if kinds else "")
        others = ", ".join(self.untouched)
        return found + (f"; written as they are: {others}" if others else "")


def redact_rows(rows: Iterable[Row], text_column: str, tally: Tally, *, numbered: bool) -> Iterator[dict[str, object]]:
    """Each row's fields with the text of `text_column` redacted, and then `FIELDS`, in the rows' order.

    `redacted_kinds` are the kinds found, in the order of the text, and `redacted_spans` where: `start` and `end` in
    characters of the input's text, and `kind`. Rows with a `conversation_id` are taken for the turns of a conversation,
    in their order. `numbered` writes `[CARD_1]`. A field of the input that has one of these names is kept as `input_`
    and its name. `tally` counts as the rows are taken.
    """
    redactor = Redactor(numbered=numbered)
    conversations = ConversationRedactor(numbered=numbered)
    for row in rows:
        conversation = row.fields.get("conversation_id")
        redacted = conversations.redact(str(conversation), row.text) if conversation else redactor.redact(row.text)
        column = text_column if text_column in row.fields else "text"  # the one that plain lines have
        fields = dict(row.fields)
        if redacted.spans:
            fields[column] = redacted.text
        tally.rows += 1
        tally.redacted_rows += bool(redacted.spans)
        tally.kinds.update([span.kind for span in redacted.spans])
        tally.untouched.update(dict.fromkeys([name for name in fields if name != column]))
        yield renamed(fields, FIELDS) | {
            "redacted_kinds": list(redacted.kinds),
            "redacted_spans": [span._asdict() for span in redacted.spans],
        }
