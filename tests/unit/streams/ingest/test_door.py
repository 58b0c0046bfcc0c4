"""`edgewise ingest` as a whole, over real sockets: what comes in, what does not, and what nobody is told."""

import hashlib
import hmac
import http.client
import json
import signal
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.ingest.signatures import VENDORS
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from tests.door import SECRET, TOKEN, Door, events, secrets_folder, serving, signed, start, twilio_form, webhook
from tests.vendor_objects import vendor_object

WORDS = "Xylophone"  # a customer's, to be looked for where they must not be
MESSAGE = {
    "EventType": "onMessageAdded", "ConversationSid": "CH" + "a" * 32, "MessageSid": "IM" + "b" * 32,
    "Body": "hello there", "Author": "+15550001", "DateCreated": "2026-01-05T09:55:14Z", "Index": "3",
}  # fmt: skip


@pytest.fixture(scope="module")
def door_settings(embedded_broker: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(
        bootstrap_servers=embedded_broker,
        topic_prefix=f"test-{uuid.uuid4().hex[:12]}.",
        worker_id="door",
        ingest_port=0,
        ingest_secrets_folder=str(secrets_folder(tmp_path_factory.mktemp("secrets"))),
        ingest_deadline_ms=30_000,
        ingest_max_body_bytes=20_000,
    )
    create(made)
    return made


@pytest.fixture(scope="module")
def door(door_settings: Settings) -> Iterator[Door]:
    with serving(door_settings) as running:
        yield running


def sent(settings: Settings, conversation: str) -> list[TranscriptEvent]:
    decode = codec(settings, TRANSCRIPTS).decode
    found = [decode(message.value()) for message in read_topic(Cluster(settings), TRANSCRIPTS)]
    return [event for event in found if event.conversation_id == conversation]


def test_an_event_is_answered_when_it_is_there_and_makes_no_second_one(door: Door, door_settings: Settings) -> None:
    event = {
        "event_id": "a1", "conversation_id": "ours", "text": WORDS, "turn": 4, "role": "agent", "channel": "chat",
        "occurred_at": "2026-01-05T10:55:14+01:00", "language": "en", "source": "desk", "attributes": {"tier": "gold"},
    }  # fmt: skip
    answer = events(door, event)
    assert (answer.status_code, answer.json()) == (200, {"new": 1, "repeated": 0, "left_out": {}, "ids": ["a1"]})
    again = events(door, {"events": [event, {**event, "event_id": "a2", "turn": 5}]})
    assert (again.json()["new"], again.json()["repeated"]) == (1, 1)
    first, _second = sent(door_settings, "ours")
    assert first == TranscriptEvent(
        event_id="a1", conversation_id="ours", turn=4, text=WORDS, occurred_at=1_767_606_914_000, role="agent",
        channel="chat", language="en", source="desk", attributes={"tier": "gold"},
    )  # fmt: skip


def test_a_key_makes_the_ids_that_events_lack(door: Door, door_settings: Settings) -> None:
    lines = b'{"conversation_id": "keyed", "text": "one"}\n\n{"conversation_id": "keyed", "text": "two"}\n'
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k1"}
    first, again = events(door, lines, **headers), events(door, lines, **headers)
    assert first.json()["ids"] == again.json()["ids"]
    assert [first.json()["new"], again.json()["repeated"]] == [2, 2]
    for text in ("three", "four"):  # an empty key is none, as of a variable that is not set
        without = events(door, {"conversation_id": "keyed", "text": text}, **{"Idempotency-Key": ""})
        assert without.json()["new"] == 1
    found = sent(door_settings, "keyed")
    assert [event.text for event in found] == ["one", "two", "three", "four"]
    assert found[0].turn < found[1].turn


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON: EOF while parsing an object at line 1 column 1"),
        (b"[" * 5000, "not JSON: recursion limit exceeded"),
        (b'{"conversation_id": "\xff"}', "not JSON: "),
        (b"7", "neither an event, nor a list of events"),
        ([7], "events[0]: not an object"),
        ({"text": WORDS}, "conversation_id: field required"),
        ([{"conversation_id": "c", "text": "a"}, {"conversation_id": "c"}], "events[1].text: field required"),
        ({"conversation_id": "c", "text": WORDS, "role": WORDS}, "role: must be 'unknown', 'customer', 'agent'"),
        ({"conversation_id": "c", "text": WORDS, WORDS: 1}, "an unknown field: there are conversation_id, text"),
        ({"conversation_id": "c", "text": 7}, "text: must be a valid string"),
        ({"conversation_id": "c", "text": " \u200b"}, "the text is empty"),
        ({"conversation_id": "c", "text": WORDS, "turn": -1}, "turn: must be greater than or equal to 0"),
        ({"conversation_id": "c", "text": WORDS, "occurred_at": "now"}, "occurred_at: neither milliseconds"),
        ({"conversation_id": "c", "text": WORDS, "occurred_at": "2026-01-05T10:00"}, "ISO 8601 without a zone"),
        ({"conversation_id": "c", "text": WORDS, "occurred_at": 1}, "occurred_at is 1; from 2000-01-01"),
        ({"conversation_id": "c" * 300, "text": WORDS}, "conversation_id: string should have at most 256"),
        ({"conversation_id": "c", "text": WORDS, "attributes": {WORDS: 1}}, "attributes: must be a valid string"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_in_words_that_are_not_the_customer_s(door: Door, body: Any, said: str) -> None:
    answer = events(door, body)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert said in answer.json()["detail"]
    assert WORDS not in answer.text


def test_half_an_emoji_and_a_byte_order_mark_refuse_nothing(door: Door, door_settings: Settings) -> None:
    text = rb"cut \ud83d\u0021 and \udE00 \ud83d\ude00 \\ud83d \\\ud83d"
    answer = events(door, b'\xef\xbb\xbf{"conversation_id": "half", "text": "' + text + b'"}')
    assert answer.status_code == 200, answer.text
    [event] = sent(door_settings, "half")
    assert event.text == "cut \ufffd! and \ufffd \U0001f600 \\ud83d \\\ufffd"


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_without_a_token_nothing_is_read(door: Door, given: str | None) -> None:
    headers = {"Content-Type": "application/json"} | ({} if given is None else {"Authorization": given})
    answer = httpx.post(f"{door.url}/v1/events", content=b"{", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "gzip"},
    ],
)  # fmt: skip
def test_another_kind_of_body_is_refused(door: Door, headers: dict[str, str]) -> None:
    answer = events(door, {"conversation_id": "c", "text": "a"}, **headers)
    assert answer.status_code == 415
    assert answer.json()["detail"].startswith("allowed is ") or "UTF-8" in answer.text


WEBHOOKS: dict[str, tuple[Any, str]] = {
    "chatwoot": (vendor_object("chatwoot"), "1/57"),
    "intercom": (vendor_object("intercom"), ""),
    "zoom": (vendor_object("zoom"), "4444AAAiAAAAAiAiAiiAii=="),
    "zendesk": (vendor_object("zendesk-messaging"), ""),
    "deepgram": (vendor_object("deepgram"), ""),
    "generic": (vendor_object("contact-lens"), ""),
}


@pytest.mark.parametrize("vendor", WEBHOOKS)
def test_a_webhook_becomes_events_once(door: Door, door_settings: Settings, vendor: str) -> None:
    body, conversation = WEBHOOKS[vendor]
    first = webhook(door, vendor, body)
    assert first.status_code == 200, first.text
    assert first.json()["new"] >= 1
    again = webhook(door, vendor, json.dumps(body, indent=1).encode())
    assert again.json() == first.json() | {"new": 0, "repeated": first.json()["new"]}
    if conversation:
        assert len(sent(door_settings, conversation)) == first.json()["new"]


def test_zendesk_sends_events_of_a_subscription_too(door: Door, door_settings: Settings) -> None:
    body = vendor_object("zendesk-events")
    assert [webhook(door, "zendesk", body).json()["new"] for _ in range(2)] == [1, 0]
    assert [event.event_id for event in sent(door_settings, "35")] == ["35/90001"]


def test_a_form_of_twilio_becomes_an_event_once(door: Door, door_settings: Settings) -> None:
    url, body = f"{door.url}/v1/webhooks/twilio", twilio_form(**MESSAGE)
    for new in (1, 0):
        answer = httpx.post(url, content=body, headers=signed("twilio", body, url, form=True))
        assert (answer.status_code, answer.json()["new"]) == (200, new)
    [event] = sent(door_settings, MESSAGE["ConversationSid"])
    assert (event.text, event.turn, event.role) == ("hello there", 3, "customer")


def test_our_own_events_come_by_a_signed_webhook_too(door: Door, door_settings: Settings) -> None:
    body = [{"conversation_id": "lambda", "text": "one"}, {"conversation_id": "lambda", "text": "two"}]
    assert [webhook(door, "generic", body).json()["new"] for _ in range(2)] == [2, 0]
    assert len(sent(door_settings, "lambda")) == 2


def test_zoom_is_told_that_this_is_its_address(door: Door) -> None:
    body = {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": "q9ibPhGe"}}
    encrypted = hmac.new(SECRET.encode(), b"q9ibPhGe", hashlib.sha256).hexdigest()
    answer = webhook(door, "zoom", body)
    assert answer.json() == {"plainToken": "q9ibPhGe", "encryptedToken": encrypted}
    wrong = httpx.post(
        f"{door.url}/v1/webhooks/zoom", json=body, headers=signed("zoom", json.dumps(body).encode(), secret="x")
    )
    assert wrong.status_code == 401


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wrong_signature_is_told_by_vendor_and_reason_alone(door: Door, vendor: str) -> None:
    body = json.dumps({"text": WORDS}).encode()
    url = f"{door.url}/v1/webhooks/{vendor}"
    before = len(door.lines)
    answer = httpx.post(url + f"?{WORDS}=1", content=body, headers=signed(vendor, body, url, secret=f"wrong{WORDS}"))
    assert (answer.status_code, answer.json()["detail"]) == (401, "wrong signature")
    assert httpx.get(f"{door.url}/readyz").status_code == 200  # so that the line is there
    events(door, b"")
    assert any(f"/v1/webhooks/{vendor} 401" in line and "wrong signature" in line for line in door.lines[before:])
    metric = f'edgewise_ingest_refused_total{{path="/v1/webhooks/{vendor}",why="wrong signature"}}'
    assert metric in httpx.get(f"{door.url}/metrics").text


@pytest.mark.parametrize(
    ("vendor", "body", "said"),
    [
        ("chatwoot", {"hello": WORDS}, "chatwoot"),
        ("chatwoot", vendor_object("intercom"), "not chatwoot: it looks like intercom"),
        ("intercom", {**vendor_object("intercom"), "source": WORDS}, "intercom: source: "),
        ("zoom", {"event": "meeting.chat_message_sent", "event_ts": 1, "payload": {}}, "zoom: payload.object"),
        ("generic", {"what": WORDS}, "no format that is known"),
    ],
)
def test_a_body_that_is_not_the_vendor_s_is_refused_and_where(door: Door, vendor: str, body: Any, said: str) -> None:
    answer = webhook(door, vendor, body)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert WORDS not in answer.text


@pytest.mark.parametrize(
    ("vendor", "body"),
    [
        ("intercom", {"type": "notification_event", "topic": "ping", "data": {"item": {"type": "ping"}}}),
        ("chatwoot", {**vendor_object("chatwoot"), "event": "conversation_updated"}),
        ("zoom", {"event": "recording.transcript_completed", "event_ts": 1, "payload": {"object": {}}}),
    ],
)
def test_what_is_no_turn_is_taken_and_counted(door: Door, vendor: str, body: Any) -> None:
    answer = webhook(door, vendor, body)
    assert (answer.status_code, answer.json()) == (200, {"new": 0, "repeated": 0, "left_out": {"event": 1}})


def test_a_large_body_is_refused_before_it_is_read(door: Door) -> None:
    parts = urlsplit(door.url)
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    for more in ("Content-Length: 2000000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"):
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 60) as connection:
            connection.sendall(head.encode() + more.encode())
            if "chunked" in more:
                for _ in range(5):
                    connection.sendall(b"1388\r\n" + b" " * 5000 + b"\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 413
            assert json.loads(answer.read())["detail"] == "at most 20,000 bytes are allowed: send fewer at a time"


@pytest.mark.parametrize(
    "raw", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/x\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_what_is_no_http_is_answered_400_and_the_server_goes_on(door: Door, raw: bytes) -> None:
    parts = urlsplit(door.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 60) as connection:
        connection.sendall(raw + b"\r\n" * 3)
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert httpx.get(f"{door.url}/livez").status_code == 200


def test_the_server_describes_itself_and_loads_nothing(door: Door) -> None:
    document = httpx.get(f"{door.url}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {"/v1/events", "/v1/webhooks/{vendor}", "/livez", "/readyz", "/metrics"}
    page = httpx.get(f"{door.url}/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "src=" not in page.text
    assert "conversation_id" in page.text
    for path, status in (("/nothing", 404), ("/v1/webhooks/acme", 404), ("/docs/", 404), ("/v1/events", 405)):
        answer = httpx.get(door.url + path)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_neither_words_nor_secrets_are_logged_or_counted(door: Door) -> None:
    """After all that the tests before have sent."""
    events(door, {"conversation_id": WORDS, "text": WORDS}, **{"X-Note": WORDS})
    httpx.get(f"{door.url}/{WORDS}?{WORDS}")
    told = door.log + httpx.get(f"{door.url}/metrics").text
    for word in (WORDS, TOKEN, SECRET):
        assert word not in told
    assert "/v1/events 200" in told


def test_it_ends_in_good_order_and_a_broken_set_up_is_named(door_settings: Settings, tmp_path: Path) -> None:
    running = start(door_settings.model_copy(update={"worker_id": "other"}))
    assert events(running, {"conversation_id": "end", "text": "a"}).status_code == 200
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(60) == 0
    for changed, said in (
        ({"ingest_secrets_folder": str(tmp_path / "none")}, "can't be read"),
        ({"topic_prefix": "no-such."}, "create the topics with `edgewise topics create`"),
        ({"ingest_role_map": "channel:0=boss"}, "where ROLE is one of"),
        ({"ingest_host": "192.0.2.1"}, "nothing can listen at 192.0.2.1"),
    ):
        with pytest.raises(RuntimeError, match=said) as ended:
            start(door_settings.model_copy(update=changed))
        assert "ended with 2" in str(ended.value)
