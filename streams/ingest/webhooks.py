"""A vendor's request as events: which formats each vendor sends, and what a request says that its body does not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from schemas.records import Role, TranscriptEvent
from streams.files.formats import registry
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.times import moment
from streams.files.formats.turn import Hints, LeftOut, Turn, endings
from streams.ingest.json_events import BodyError, is_ours, json_value, read_events
from streams.ingest.signatures import Signed, hex_sha256


@dataclass(frozen=True, slots=True)
class _Source:
    """What a vendor sends: formats by name (none: any), also our own JSON, which header names a delivery."""

    formats: Sequence[str] = ()
    ours: bool = False
    delivery: str = ""
    query: bool = False  # whoever registers the address writes `conversation` and `start` into it


_SOURCES: Final[Mapping[str, _Source]] = {
    "zoom": _Source(("zoom",)),
    "twilio": _Source(("twilio-conversations",)),
    "zendesk": _Source(
        ("zendesk-messaging", "zendesk-events", "zendesk"), ours=True, delivery="x-zendesk-webhook-invocation-id"
    ),
    "intercom": _Source(("intercom",)),
    "chatwoot": _Source(("chatwoot",)),
    "deepgram": _Source(("deepgram",), query=True),
    "generic": _Source(ours=True, delivery="webhook-id"),
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """The events of a request, and how much of it is none."""

    events: Sequence[TranscriptEvent]
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    is_vendors: bool = False  # who can mend nothing of it


def read_webhook(vendor: str, signed: Signed, roles: Mapping[str, Role], now_ms: int) -> Delivered:
    """The events of a request of `vendor`, at `now_ms` (UTC milliseconds); `roles` is the user's map.

    Ids are the vendor's, or made of them: a request that is sent again gives the same events. Offsets count from the
    start that the vendor or the address names, else from now.

    Raises BodyError, FormatError: where the body is not the vendor's, and what is wrong.
    """
    source = _SOURCES[vendor]
    value = form(signed.body) if signed.is_form else json_value(signed.body)
    delivery = signed.headers.get(source.delivery) or None if source.delivery else None
    if source.ours and is_ours(value):
        return Delivered(read_events(value, delivery, now_ms))
    hints = _hints(source, signed, delivery, roles, now_ms)
    values = value if isinstance(value, list) else [value]
    turns: dict[str, Turn] = {}
    left_out: Counter[LeftOut] = Counter()
    for place, each in enumerate(values):
        try:
            reading = registry.read(each, hints, _format(source, each))
        except FormatError as error:
            raise FormatError(f"[{place}]: {error}" if isinstance(value, list) else str(error)) from None
        left_out.update(reading.left_out)
        turns.update((turn.event_id, turn) for turn in reading.turns)
    ends = endings(turns.values())
    return Delivered([_event(turn, now_ms, last=turn.event_id in ends) for turn in turns.values()], left_out, True)


def form(body: bytes) -> dict[str, str]:
    """The fields of a form. Raises BodyError: it is no UTF-8."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1_000))
    except ValueError:
        raise BodyError("no form: fields in UTF-8 are allowed, 1,000 at most") from None


def url_validation(body: bytes, secret: str) -> dict[str, str] | None:
    """What Zoom wants to hear when it asks whether this is its address; None for any other request.

    https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint. Raises BodyError, FormatError.
    """
    value = json_value(body)
    if not isinstance(value, dict) or value.get("event") != "endpoint.url_validation":
        return None
    token = Field(value).at("payload").object().at("plainToken").required().text()
    return {"plainToken": token, "encryptedToken": hex_sha256(secret, token.encode())}


def _format(source: _Source, value: Any) -> str | None:
    """The one of the vendor's formats that `value` looks like, else its first, which then says what is wrong."""
    found = (name for name in source.formats if registry.FORMATS[name].looks_like(value))
    return next(found, source.formats[0] if source.formats else None)


def _hints(source: _Source, signed: Signed, delivery: str | None, roles: Mapping[str, Role], now_ms: int) -> Hints:
    query = dict(parse_qsl(urlsplit(signed.url).query)) if source.query else {}
    return Hints(
        conversation_id=query.get("conversation", delivery or ""),
        is_named="conversation" in query,
        base_ms=moment(Field(query.get("start"), "start")) or now_ms,
        name=delivery or "",
        roles=roles,
    )


def _event(turn: Turn, now_ms: int, *, last: bool) -> TranscriptEvent:
    return TranscriptEvent(
        event_id=turn.event_id,
        conversation_id=turn.conversation_id,
        turn=turn.turn,
        text=turn.text,
        occurred_at=now_ms if turn.occurred_at is None else turn.occurred_at,
        role=turn.role,
        channel=turn.channel,
        language=turn.language,
        source=turn.source,
        last=last,
        attributes=dict(turn.attributes),
    )
