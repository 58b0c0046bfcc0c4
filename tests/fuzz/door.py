"""What must hold of the HTTP door for any bytes at all: on a connection, and in a webhook whose signature is right."""

import asyncio
import atexit
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import uvicorn
from uvicorn.server import ServerState

from schemas.codec import Codec, EncodeError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.formats.error import FormatError
from streams.ingest.app import Door
from streams.ingest.intake import Intake
from streams.ingest.json_events import BodyError
from streams.ingest.once import Item
from streams.ingest.protocol import BoundedProtocol, options
from streams.ingest.secrets import Secrets
from streams.ingest.signatures import VENDORS, Signed
from streams.ingest.webhooks import read_webhook
from tests.door import SECRET, TOKEN, secrets_folder
from tests.vendor_objects import vendor_object

NOW: Final = 1_767_606_920_000
_STATUSES: Final = {b"200", b"400", b"401", b"404", b"405", b"408", b"413", b"415", b"422"}
_TURNS: Final = 30  # of the event loop, in which a request that has come is answered


class _Taken:
    """Stands in for the way to Kafka: it takes everything."""

    def __init__(self) -> None:
        self.items = 0

    async def put(self, items: Sequence[Item], _deadline_s: float) -> list[bool]:
        self.items += len(items)
        return [True] * len(items)

    def why_not_alive(self) -> None:
        return None

    def why_not_ready(self) -> None:
        return None


class _Connection(asyncio.Transport):
    """Keeps what the server writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


@cache
def _served() -> tuple[uvicorn.Config, _Taken]:
    folder = tempfile.mkdtemp(prefix="edgewise-fuzz-")
    atexit.register(shutil.rmtree, folder)
    secrets = Secrets(str(secrets_folder(Path(folder))))
    taken = _Taken()
    settings = Settings(ingest_max_body_bytes=4096)
    door = Door(settings, secrets, cast(Intake, taken), {}, clock=lambda: NOW)
    return uvicorn.Config(door.application(), **options(8)), taken


@cache
def _codec() -> Codec[TranscriptEvent]:
    return codec(Settings(), TRANSCRIPTS)


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()  # to make a loop and to end it takes longer than most requests
    atexit.register(runner.close)
    return runner


def connection(data: bytes) -> None:
    """Any bytes on a connection are answered with a status that is documented, or not at all where they end too soon.

    What is answered 200 is in Kafka, all of it.
    """
    config, taken = _served()
    before = taken.items
    written = _runner().run(_exchange(config, data))
    statuses = re.findall(rb"^HTTP/1\.1 (\d{3}) ", written, re.MULTILINE)
    assert set(statuses) <= _STATUSES, statuses
    new = sum(int(count) for count in re.findall(rb'"new":(\d+)', written))
    assert new == taken.items - before


async def _exchange(config: uvicorn.Config, data: bytes) -> bytes:
    state = ServerState()
    protocol, transport = BoundedProtocol(config, state, {}), _Connection()
    protocol.connection_made(transport)
    half = len(data) // 2
    for part in (data[:half], data[half:]):
        if part and not transport.closed:
            protocol.data_received(part)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
    protocol.connection_lost(None)
    if state.tasks:
        await asyncio.wait(state.tasks)
    return transport.written


def webhook(data: bytes) -> None:
    """A body with the right signature is events that can be sent, or is refused in one line."""
    vendor, body = VENDORS[(data[0] if data else 0) % len(VENDORS)], data[1:]
    is_form = vendor == "twilio" and not body.startswith(b"{")
    events = _codec()
    try:
        delivered = read_webhook(vendor, Signed({"webhook-id": "m1"}, body, "http://x/", is_form), {}, NOW)
    except (BodyError, FormatError) as error:
        if "\n" in str(error):
            raise AssertionError from error
        return
    for event in delivered.events:
        try:
            assert events.decode(events.encode(event)) == event
        except EncodeError:
            continue


def request(path: str, body: bytes, *headers: str) -> bytes:
    """A request as it is on the wire."""
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


_EVENT: Final = json.dumps({"conversation_id": "c", "event_id": "e", "text": "hello", "role": "agent"}).encode()
_JSON: Final = "Content-Type: application/json"
_LINES: Final = "Content-Type: application/x-ndjson"

CONNECTION_SEEDS: Final = (
    # Refused by its headers, and then its body is no HTTP either.
    (
        b"POST /v1/eve#ts HTTP/1.1\r\nHost: x\r\nAuthorization: Beare@r ~oken-of-the-tests\r\n"
        b"Contente: apn: Bearer tpl\xd4cation/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\xbe\n"
    )
    * 2
    + b"\r\n\r\n",
    request("/v1/events", b"[" + _EVENT + b"," + _EVENT + b"]", f"Authorization: Bearer {TOKEN}", _JSON),
    request("/v1/events", _EVENT, f"Authorization: Bearer {TOKEN}", _JSON) * 2,
    request(
        "/v1/events", _EVENT + b"\n" + _EVENT, f"Authorization: Bearer {TOKEN}", "Content-Type: application/x-ndjson"
    ),
    request("/v1/webhooks/deepgram", json.dumps(vendor_object("deepgram")).encode(), f"dg-token: {SECRET}", _JSON),
    request("/v1/webhooks/zoom", b"{}", "x-zm-signature: v0=0", "x-zm-request-timestamp: 1767606914", _JSON),
    b"GET /docs/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\nContent-Type: "
    b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
)
_FORM: Final = b"EventType=onMessageAdded&ConversationSid=CH1&MessageSid=IM1&Body=hello&Index=2"
WEBHOOK_SEEDS: Final = (
    *(
        bytes([VENDORS.index(vendor)]) + json.dumps(vendor_object(form)).encode()
        for vendor, form in (
            ("zoom", "zoom"), ("zendesk", "zendesk-messaging"), ("intercom", "intercom"), ("chatwoot", "chatwoot"),
            ("deepgram", "deepgram"), ("generic", "contact-lens"), ("generic", "vcon"),
        )
    ),
    bytes([VENDORS.index("twilio")]) + _FORM,
    bytes([VENDORS.index("generic")]) + b"[" + _EVENT + b"]",
)  # fmt: skip
