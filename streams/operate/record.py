"""`transcripts` as a recording: rows that `replay` sends again under the same ids."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from models.redaction import ConversationRedactor, RedactionError, Redactor
from schemas.codec import DecodeError
from schemas.errors import UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.redaction import build_tagger
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import message_value
from streams.operate.consume import Start, messages, require_topic


@dataclass(slots=True)
class Tally:
    """What was recorded, so far."""

    rows: int = 0
    redacted_rows: int = 0
    left_out: int = 0  # values that are no transcript event


def recorded_rows(
    settings: Settings, topic: str, start: Start, tally: Tally, *, redacted: bool
) -> Iterator[dict[str, Any]]:
    """The events of `transcripts` from `start` to the end as of this call, as rows of a recording.

    A row has the event's fields by their names: `replay` makes the same events of it, and `score` reads it. Partitions
    are in order, each; a conversation is on one. `redacted` takes personal data out of the texts, turn after turn, with
    `[CARD_1]` for the same card within a conversation, and out of the attributes' values; ids, which a replay needs,
    stay. From a time on, the hour before it is read too, so that a conversation that runs then is redacted with its
    questions in mind. What cannot be decoded is left out: `edgewise dead-letters` has such values whole.

    Raises UsageError: the topic holds no transcripts, or has not got the offset to begin at; what reading it raises.
    """
    require_topic(topic)
    if topic != TRANSCRIPTS:
        raise UsageError(
            f"{topic} can't be replayed: a recording is made of {TRANSCRIPTS}. To see what is in {topic}: "
            f"edgewise consume {topic}"
        )
    decode = codec(settings, TRANSCRIPTS).decode
    found = messages(Cluster(settings), topic, start.with_context() if redacted else start)
    tagger = build_tagger(settings)
    turns = ConversationRedactor(tagger=tagger, kinds=settings.kinds_redacted)
    values = Redactor(tagger=tagger, kinds=settings.kinds_redacted)

    def rows() -> Iterator[dict[str, Any]]:
        for message in found:
            asked_for = start.includes(message)
            try:
                event = decode(message_value(message))
            except DecodeError:
                tally.left_out += asked_for
                continue
            if not asked_for:
                if redacted:
                    with suppress(RedactionError):  # the turn is part of the conversation all the same
                        turns.redact(event.conversation_id, event.text)
                continue
            row = _row(event)
            if redacted:
                without = turns.redact(event.conversation_id, event.text)
                row["text"] = without.text
                row["attributes"] = {name: values.redact(value).text for name, value in event.attributes.items()}
                tally.redacted_rows += bool(without.spans) or row["attributes"] != dict(event.attributes)
            tally.rows += 1
            yield row

    return rows()


def _row(event: TranscriptEvent) -> dict[str, Any]:
    return asdict(event) | {"occurred_at": _time(event.occurred_at), "attributes": dict(event.attributes)}


def _time(milliseconds: int) -> str | int:
    """The time in ISO 8601, which every reader takes for what it is; a number where it has no date."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return milliseconds
