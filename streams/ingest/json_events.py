"""Our own JSON: what `POST /v1/events` takes, and what stands in an answer when it is refused."""

import codecs
import re
import uuid
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import ErrorDetails, from_json

from schemas.errors import UsageError
from schemas.records import Channel, Role, TranscriptEvent
from schemas.validation import MAX_ID_CHARS

MOST_EVENTS: Final = 10_000
"""Of one request: they go into one transaction."""

# Of ids that are made of a delivery's; a fixed random one, so that they are the same on every server.
_NAMESPACE: Final = uuid.UUID("3d6a1c52-0f5e-5b0e-9c3c-6d1f2f0f8a37")

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
"""An escape in JSON: a pair of surrogates, half of one, or another, of which the second character begins none."""

_LONG: Final = 2**63 - 1

Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS)]


class BodyError(UsageError):
    """A body that is not what it should be: where, and what is allowed. What stands there is never repeated."""


class JsonEvent(BaseModel):
    """One turn of a transcript. What has no field of its own goes into `attributes`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    conversation_id: Id = Field(description="Events that share it are one conversation, in order.")
    text: str = Field(min_length=1, description="What was said.")
    event_id: Id | None = Field(
        None,
        description="The same for the same event: sent again, it makes no second one. Left out, it is made of "
        "Idempotency-Key and the event's place in the request, or else new each time.",
    )
    turn: int | None = Field(
        None, ge=0, le=_LONG, description="Orders the conversation. Left out: the time in milliseconds."
    )
    occurred_at: int | str | None = Field(
        None, description="Milliseconds since 1970, or ISO 8601 with a zone. Left out: now."
    )
    role: Role = Field("unknown", description="Who speaks.")
    channel: Channel = Field("unknown", description="Where.")
    language: str | None = Field(None, max_length=64, description="BCP 47, such as `en` or `de-AT`.")
    last: bool = Field(False, description="Whether the conversation ends with it.")
    source: str | None = Field(None, max_length=MAX_ID_CHARS, description="Where the event is from. Left out: `http`.")
    attributes: dict[str, str] = Field(default_factory=dict, description="Whatever else is known.")

    @field_validator("occurred_at")
    @classmethod
    def _moment(cls, value: int | str | None) -> int | None:
        if not isinstance(value, str):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("neither milliseconds since 1970 nor ISO 8601") from None
        if moment.tzinfo is None:
            raise ValueError("ISO 8601 without a zone: give one, such as Z or +02:00")
        return round(moment.timestamp() * 1000)


_EVENTS: Final = TypeAdapter(list[JsonEvent])
_FIELDS: Final = frozenset(JsonEvent.model_fields)


def json_value(body: bytes) -> Any:
    """What the JSON of a request's body holds; half a surrogate pair is U+FFFD, a byte order mark is left out.

    Raises BodyError: it is none, nested too deep, or not UTF-8.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        try:
            return from_json(body, allow_inf_nan=False)
        except ValueError:
            if not _SURROGATE.search(body):
                raise
            # A text that was cut within an emoji: from_json refuses the whole body for it.
            return from_json(_ESCAPE.sub(_whole_character, body), allow_inf_nan=False)
    except ValueError as error:
        raise BodyError(f"not JSON: {error}") from None


def _whole_character(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]


def json_lines(body: bytes) -> list[Any]:
    """What the lines of a request's body hold. Raises BodyError."""
    values = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                values.append(json_value(line))
            except BodyError as error:
                raise BodyError(f"line {number}: {error}") from None
    return values


def is_ours(value: object) -> bool:
    """Whether `value` is an event of ours, or some of them."""
    first = value["events"] if isinstance(value, dict) and set(value) == {"events"} else value
    first = first[0] if isinstance(first, list) and first else first
    return isinstance(first, dict) and "conversation_id" in first and "text" in first


def read_events(value: object, delivery: str | None, now_ms: int, *, source: str = "http") -> list[TranscriptEvent]:
    """The events of `value`: one, a list, or an object with a list `events`.

    `delivery` is what a request that is sent again has, too: ids that are missing are made of it.
    `source` is for events that name none.

    Raises BodyError: which event's field is wrong, and how.
    """
    wrapped = isinstance(value, dict) and set(value) == {"events"}
    given: Any = value["events"] if isinstance(value, dict) and wrapped else value
    single = isinstance(given, dict)
    if not single and not isinstance(given, list):
        raise BodyError('neither an event, nor a list of events, nor {"events": [...]}')
    if not single and len(given) > MOST_EVENTS:
        raise BodyError(f"{len(given):,} events: at most {MOST_EVENTS:,} are allowed in a request")
    try:
        read = _EVENTS.validate_python([given] if single else given)
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_input=False, include_context=False)
        more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise BodyError(_words(errors[0], single) + more) from None
    return [_event(each, place, delivery, now_ms, source) for place, each in enumerate(read)]


def _event(given: JsonEvent, place: int, delivery: str | None, now_ms: int, source: str) -> TranscriptEvent:
    event_id = given.event_id
    if event_id is None:
        made = uuid.uuid4() if delivery is None else uuid.uuid5(_NAMESPACE, f"{delivery}\0{place}")
        event_id = str(made)
    at = now_ms if given.occurred_at is None else int(given.occurred_at)
    return TranscriptEvent(
        event_id=event_id,
        conversation_id=given.conversation_id,
        # Of those that come together without a time, the place is the order.
        turn=(at + place if given.occurred_at is None else at) if given.turn is None else given.turn,
        text=given.text,
        occurred_at=at,
        role=given.role,
        channel=given.channel,
        language=given.language,
        source=source if given.source is None else given.source,
        last=given.last,
        attributes=given.attributes,
    )


def _words(error: ErrorDetails, single: bool) -> str:
    """Where and what, without a word of what stands there: a field's name may be anything, too."""
    index, *names = error["loc"] or (0,)
    where = "" if single else f"events[{index}]"
    named = [str(name) for name in names if name in _FIELDS]
    if error["type"] == "extra_forbidden":
        what = f"an unknown field: there are {', '.join(JsonEvent.model_fields)}"
    elif not names:
        what = "not an object"
    else:
        what = error["msg"].removeprefix("Value error, ")
        what = what.replace("Input should be", "must be", 1).replace("String", "string", 1).replace("Field", "field", 1)
    place = ".".join([*filter(None, [where]), *named[:1]])
    return f"{place}: {what}" if place else what


def schema() -> dict[str, Any]:
    """The JSON schema of an event."""
    return JsonEvent.model_json_schema()
