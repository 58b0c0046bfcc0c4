import copy
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas import registry as registry_module
from schemas.codec import Codec, DecodeError
from schemas.records import TranscriptEvent
from schemas.registry import RegistryError, registry_client
from schemas.released import released_schemas
from schemas.topics import SENTIMENT, TRANSCRIPTS
from tests.events import RESULT, TRANSCRIPT
from tests.http_server import answer, serve
from tests.kafka.certificates import Authority

SUBJECT = "eu.transcripts-value"


@pytest.fixture
def registry() -> SchemaRegistryClient:
    client = registry_client("mock://", None, None)
    assert client is not None
    return client


@pytest.fixture
def codec(registry: SchemaRegistryClient) -> Codec[TranscriptEvent]:
    return Codec(TRANSCRIPTS, registry=registry, prefix="eu.")


def current() -> Any:
    return list(released_schemas("transcripts").values())[-1]


def written_with(client: SchemaRegistryClient, schema: Any, body: bytes) -> bytes:
    """`body` under the id that `schema` gets in the registry."""
    return b"\x00" + client.register_schema("other-value", Schema(json.dumps(schema), "AVRO")).to_bytes(4) + body


def body(schema: Any, fields: dict[str, Any]) -> bytes:
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(copy.deepcopy(schema)), fields)
    return stream.getvalue()


FIELDS = {
    "event_id": "e1",
    "conversation_id": "c1",
    "turn": 1,
    "text": "hello",
    "occurred_at": 1_700_000_000_000,
    "role": "unknown",
    "channel": "unknown",
    "language": None,
    "source": "",
    "attributes": {},
}


def test_values_are_in_the_confluent_wire_format(codec: Codec[TranscriptEvent], registry: SchemaRegistryClient) -> None:
    value = codec.encode(TRANSCRIPT)

    schema = registry.get_latest_version(SUBJECT)
    assert schema.schema_id is not None
    assert value == b"\x00" + schema.schema_id.to_bytes(4) + body(current(), FIELDS)
    assert schema.schema is not None
    assert json.loads(schema.schema.schema_str or "") == current()
    assert codec.decode(value) == TRANSCRIPT


def test_another_worker_reads_it(codec: Codec[TranscriptEvent], registry: SchemaRegistryClient) -> None:
    value = codec.encode(TRANSCRIPT)

    assert Codec(TRANSCRIPTS, registry=registry).decode(value) == TRANSCRIPT


def test_values_from_before_the_registry_are_still_read(codec: Codec[TranscriptEvent]) -> None:
    assert codec.decode(Codec(TRANSCRIPTS).encode(TRANSCRIPT)) == TRANSCRIPT


def test_the_registry_is_asked_once_for_each_schema(
    codec: Codec[TranscriptEvent], registry: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("lookup_schema", "register_schema", "get_schema"):
        monkeypatch.setattr(registry, name, _counted(getattr(registry, name), name, calls))

    for _ in range(3):
        codec.decode(codec.encode(TRANSCRIPT))

    assert calls == ["lookup_schema", "register_schema", "get_schema"]


def _counted(method: Callable[..., Any], name: str, calls: list[str]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return method(*args, **kwargs)

    return counted


def test_a_schema_that_is_there_is_not_registered(
    codec: Codec[TranscriptEvent], registry: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = registry.register_schema(SUBJECT, Schema(json.dumps(current()), "AVRO"))

    def refuse(*_: object, **__: object) -> int:
        raise SchemaRegistryError(403, 40301, "this user may only read")

    monkeypatch.setattr(registry, "register_schema", refuse)

    assert codec.encode(TRANSCRIPT)[:5] == b"\x00" + id_.to_bytes(4)


def test_an_id_that_the_registry_does_not_have_is_an_unknown_schema(codec: Codec[TranscriptEvent]) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(b"\x00\x00\x00\x03\xe7" + body(current(), FIELDS))

    assert caught.value.reason == "unknown_schema"
    assert "999" in str(caught.value)


def test_another_topics_record_is_an_unknown_schema(
    codec: Codec[TranscriptEvent], registry: SchemaRegistryClient
) -> None:
    value = Codec(SENTIMENT, registry=registry).encode(RESULT)

    with pytest.raises(DecodeError) as caught:
        codec.decode(value)

    assert caught.value.reason == "unknown_schema"


def test_a_schema_without_a_needed_field_is_an_unknown_schema(
    codec: Codec[TranscriptEvent], registry: SchemaRegistryClient
) -> None:
    schema = current()
    schema["fields"] = [field for field in schema["fields"] if field["name"] != "text"]

    with pytest.raises(DecodeError) as caught:
        codec.decode(written_with(registry, schema, body(schema, FIELDS)))

    assert caught.value.reason == "unknown_schema"


@pytest.mark.parametrize(
    "schema",
    [
        Schema('syntax = "proto3"; message TranscriptEvent {}', "PROTOBUF"),
        Schema('{"type": "object", "properties": {"text": {"type": "string"}}}', "JSON"),
        Schema(json.dumps(current()), "JSON"),
        Schema("{}", "AVRO"),
        Schema("true", "AVRO"),
        Schema('{"type": ["object", "null"]}', "AVRO"),
        Schema('{"type": "array"}', "AVRO"),
        Schema("[" * 100_000, "AVRO"),
        Schema("not JSON", "AVRO"),
        Schema('"string"', "AVRO"),
        Schema('{"type": "record", "name": "TranscriptEvent"}', "AVRO"),
        Schema('{"type": "wrecked"}', "AVRO"),
        Schema(
            '{"type": "record", "name": "TranscriptEvent", "fields": [{"name": "a", "type": "elsewhere.Text"}]}',
            "AVRO",
            [SchemaReference("elsewhere.Text", "elsewhere", 1)],
        ),
    ],
    ids=[
        "protobuf",
        "JSON schema",
        "JSON schema like Avro",
        "nothing",
        "a truth value",
        "types",
        "no items",
        "deep",
        "not JSON",
        "primitive",
        "no fields",
        "no such type",
        "references",
    ],
)
def test_a_schema_that_cannot_be_used_is_an_unknown_schema(
    codec: Codec[TranscriptEvent], registry: SchemaRegistryClient, schema: Schema
) -> None:
    id_ = registry.register_schema("other-value", schema)

    with pytest.raises(DecodeError) as caught:
        codec.decode(b"\x00" + id_.to_bytes(4) + body(current(), FIELDS))

    assert caught.value.reason == "unknown_schema"


def test_a_newer_writer_is_read(codec: Codec[TranscriptEvent], registry: SchemaRegistryClient) -> None:
    schema = current()
    for field in schema["fields"]:
        if field["name"] == "role":
            field["type"]["symbols"].append("supervisor")
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in ("source", "language")]
    schema["fields"].append({"name": "mood", "type": "string", "default": ""})

    value = written_with(registry, schema, body(schema, FIELDS | {"role": "supervisor", "mood": "good"}))

    assert codec.decode(value) == TRANSCRIPT
    for end in range(5, len(value)):  # inside the field that is skipped, too
        with pytest.raises(DecodeError) as caught:
            codec.decode(value[:end])
        assert caught.value.reason == "undecodable"


class Answer(BaseHTTPRequestHandler):
    """A registry that answers everything alike."""

    status = 500
    payload = b"{}"
    requests = 0

    def _answer(self) -> None:
        type(self).requests += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.payload)))
        self.end_headers()
        self.wfile.write(self.payload)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[tuple[str, type[Answer]]]:
    handler = type("OneAnswer", (Answer,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", handler
        finally:
            http.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "payload", "says"),
    [
        (500, b'{"error_code": 50001, "message": "s3cret-pass"}', "HTTP 500"),
        (401, b'{"error_code": 401, "message": "s3cret-pass"}', "EDGEWISE_SCHEMA_REGISTRY_PASSWORD"),
        (403, b"<html>s3cret-pass</html>", "may not"),
        (409, b'{"error_code": 409, "message": "s3cret-pass"}', "not compatible"),
        (200, b"<html>a proxy's login page</html>", "JSONDecodeError"),
        (200, b"{}", "not a schema registry"),
    ],
)
def test_a_registry_that_fails_is_not_the_records_fault(
    server: tuple[str, type[Answer]], monkeypatch: pytest.MonkeyPatch, status: int, payload: bytes, says: str
) -> None:
    monkeypatch.setattr(registry_module, "RETRY_WAIT_MS", 1)
    url, handler = server
    handler.status, handler.payload = status, payload
    codec = Codec(TRANSCRIPTS, registry=registry_client(url, "me", "s3cret-pass"))

    for act in (lambda: codec.encode(TRANSCRIPT), lambda: codec.decode(b"\x00\x00\x00\x00\x01x")):
        with pytest.raises(RegistryError) as caught:
            act()
        assert says in str(caught.value)
        assert "s3cret-pass" not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_registry_that_is_down_is_not_the_records_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "RETRY_WAIT_MS", 1)
    codec = Codec(TRANSCRIPTS, registry=registry_client("http://127.0.0.1:1", "me", "s3cret-pass"))

    for act in (lambda: codec.encode(TRANSCRIPT), lambda: codec.decode(b"\x00\x00\x00\x00\x01x")):
        with pytest.raises(RegistryError, match=r"does not answer \(ConnectError\)") as caught:
            act()
        assert "s3cret-pass" not in str(caught.value)


def test_no_url_no_registry() -> None:
    assert registry_client(None, None, None) is None


def test_a_certificate_that_is_not_trusted_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "RETRY_WAIT_MS", 1)
    file = Authority(tmp_path, "stranger").issue("registry", "127.0.0.1")
    with serve(answer({}), certificate=file) as https:
        codec = Codec(TRANSCRIPTS, registry=registry_client(https.url, None, None))
        with pytest.raises(RegistryError, match=r"certificate is not accepted \(unable .*\): SSL_CERT_FILE names"):
            codec.encode(TRANSCRIPT)


class Counting:
    """Counts what the registry is asked for."""

    def __init__(self, registry: SchemaRegistryClient) -> None:
        self._registry = registry
        self.asked: list[int] = []

    def get_schema(self, id_: int) -> Schema:
        self.asked.append(id_)
        return self._registry.get_schema(id_)


def refused(codec: Codec[TranscriptEvent], id_: int) -> str:
    with pytest.raises(DecodeError) as error:
        codec.decode(b"\x00" + id_.to_bytes(4) + b"body")
    assert error.value.reason == "unknown_schema"
    return str(error.value)


def test_an_id_that_the_registry_does_not_know_is_asked_for_once_a_minute(registry: SchemaRegistryClient) -> None:
    """Each question blocks a worker. Seen to fail with every record asked about."""
    counting, now = Counting(registry), [1000.0]
    codec = Codec(TRANSCRIPTS, registry=cast(SchemaRegistryClient, counting), clock_s=lambda: now[0])
    for _ in range(100):
        assert refused(codec, 4711) == "the schema registry has no Avro schema with id 4711"
    assert counting.asked == [4711]
    now[0] += 59.0
    refused(codec, 4711)
    refused(codec, 4712)
    assert counting.asked == [4711, 4712]
    now[0] += 1.0
    refused(codec, 4711)
    assert counting.asked == [4711, 4712, 4711]


def test_a_schema_that_is_registered_late_is_found_after_a_minute(registry: SchemaRegistryClient) -> None:
    now = [0.0]
    codec = Codec(TRANSCRIPTS, registry=registry, clock_s=lambda: now[0])
    refused(codec, 1)
    value = written_with(registry, current(), body(current(), FIELDS))
    assert value[:5] == b"\x00\x00\x00\x00\x01"
    refused(codec, 1)
    now[0] = 60.0
    assert codec.decode(value) == TRANSCRIPT
    now[0] = 0.0
    assert codec.decode(value) == TRANSCRIPT


def test_what_is_remembered_of_bad_ids_is_bounded(registry: SchemaRegistryClient) -> None:
    """Seen to fail without the bound: the first id was not asked about again."""
    counting = Counting(registry)
    codec = Codec(TRANSCRIPTS, registry=cast(SchemaRegistryClient, counting), clock_s=lambda: 0.0)
    for id_ in [*range(1, 1_002), 1]:
        refused(codec, id_)
    assert counting.asked == [*range(1, 1_002), 1]
    refused(codec, 1_001)
    assert len(counting.asked) == 1_002
