import dataclasses
import tracemalloc
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec, DeadLetterReason, DecodeError, EncodeError
from schemas.records import Record, TranscriptEvent
from schemas.released import released_schemas, without_logical_types
from schemas.topics import TOPICS
from tests.events import ROUTING, TRANSCRIPT
from tests.schema_records import EXAMPLES, any_record

CODECS: dict[str, Codec[Any]] = {topic: Codec(topic) for topic in TOPICS.values()}
TRANSCRIPTS: Codec[TranscriptEvent] = CODECS["transcripts"]
HEADER_BYTES = 10

every_topic = pytest.mark.parametrize("topic", list(TOPICS))


def refusal(codec: Codec[Any], value: bytes | None) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        codec.decode(value)
    return caught.value


def varint(number: int) -> bytes:
    """Avro's zig-zag coding of a long, written from the specification."""
    zigzag = (number << 1) ^ (number >> 63)
    coded = bytearray()
    while zigzag > 0x7F:
        coded.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    coded.append(zigzag)
    return bytes(coded)


def text(value: bytes) -> bytes:
    return varint(len(value)) + value


def transcript(**parts: bytes) -> bytes:
    """A TranscriptEvent written by hand from the specification, with parts of it changed."""
    fields = {
        "header": TRANSCRIPTS.encode(TRANSCRIPT)[:HEADER_BYTES],
        "event_id": text(b"e1"),
        "conversation_id": text(b"c1"),
        "turn": varint(1),
        "text": text(b"hello"),
        "occurred_at": varint(1_700_000_000_000),
        "role": varint(0),
        "channel": varint(0),
        "language": varint(0),
        "source": text(b""),
        "attributes": varint(0),
        "last": b"\0",
    }
    assert parts.keys() <= fields.keys()
    return b"".join((fields | parts).values())


@every_topic
@given(data=st.data())
def test_what_was_written_is_read(topic: str, data: st.DataObject) -> None:
    record = data.draw(any_record(topic))

    decoded = CODECS[topic].decode(CODECS[topic].encode(record))

    assert decoded == record
    for field in dataclasses.fields(record):
        assert type(getattr(decoded, field.name)) is type(getattr(record, field.name))


@every_topic
@given(data=st.data())
def test_the_bytes_are_those_of_a_library_for_any_schema(topic: str, data: st.DataObject) -> None:
    record = data.draw(any_record(topic))
    versions = released_schemas(topic)
    written = BytesIO()
    schemaless_writer(written, without_logical_types(versions[max(versions)]), dataclasses.asdict(record))

    assert CODECS[topic].encode(record)[HEADER_BYTES:] == written.getvalue()


@every_topic
def test_a_decoded_record_is_as_good_as_a_constructed_one(topic: str) -> None:
    decoded = CODECS[topic].decode(CODECS[topic].encode(EXAMPLES[topic]))

    assert repr(decoded) == repr(EXAMPLES[topic])
    assert dataclasses.asdict(decoded) == dataclasses.asdict(EXAMPLES[topic])
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(decoded, dataclasses.fields(decoded)[0].name, None)


def test_bytes_are_those_of_the_avro_specification() -> None:
    assert TRANSCRIPTS.encode(TRANSCRIPT) == transcript()
    assert transcript()[:2] == b"\xc3\x01"


def test_records_in_a_row_do_not_mix() -> None:
    values = [TRANSCRIPTS.encode(dataclasses.replace(TRANSCRIPT, turn=turn)) for turn in range(3)]

    assert [TRANSCRIPTS.decode(value).turn for value in values] == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "null_value", id="null"),
        pytest.param(b"", "undecodable", id="empty"),
        pytest.param(b"\xc3", "undecodable", id="half a marker"),
        pytest.param(b"\xc3\x01\x00\x00", "undecodable", id="half a header"),
        pytest.param(b'{"text": "hello there"}', "undecodable", id="JSON"),
        pytest.param(b"Obj\x01 a container file", "undecodable", id="container file"),
        pytest.param(b"\xc3\x01" + b"\x00" * 8 + b"\x00" * 30, "unknown_schema", id="unknown fingerprint"),
        pytest.param(CODECS["sentiment"].encode(EXAMPLES["sentiment"]), "unknown_schema", id="another topic's"),
        pytest.param(b"\x00\x00\x00\x00\x07" + transcript()[10:], "unknown_schema", id="registry id, no registry"),
        pytest.param(b"\x00\x00\x00", "undecodable", id="half a registry id"),
        pytest.param(transcript() + b"\x00", "undecodable", id="a byte too many"),
        pytest.param(transcript() + transcript(), "undecodable", id="two in one"),
        pytest.param(transcript(text=text(b"caf\xe9")), "invalid_utf8", id="Latin-1"),
        pytest.param(transcript(text=text(b"\xed\xa0\x80")), "invalid_utf8", id="surrogate"),
        pytest.param(transcript(text=text(b"\xc0\x80")), "invalid_utf8", id="over-long zero"),
        pytest.param(transcript(attributes=varint(1) + text(b"\xff") + text(b"v") + b"\0"), "invalid_utf8", id="key"),
        pytest.param(transcript(text=varint(-3) + b"abc"), "undecodable", id="negative length"),
        pytest.param(transcript(role=varint(5)), "undecodable", id="symbol beyond the last"),
        pytest.param(transcript(role=varint(-1)), "undecodable", id="negative symbol"),
        pytest.param(transcript(language=varint(2)), "undecodable", id="branch beyond the last"),
        pytest.param(transcript(turn=b"\xff" * 40), "undecodable", id="endless varint"),
    ],
)
def test_what_is_not_a_record_is_refused(value: bytes | None, reason: DeadLetterReason) -> None:
    assert refusal(TRANSCRIPTS, value).reason == reason


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(transcript(text=varint(2**60) + b"hello"), id="text"),
        pytest.param(transcript(text=varint(2**63 - 1) + b"hello"), id="text of the longest"),
        pytest.param(transcript(attributes=varint(2**60) + text(b"k") + text(b"v")), id="map"),
        pytest.param(transcript(attributes=varint(-(2**60)) + varint(9) + text(b"k") + text(b"v")), id="sized map"),
        pytest.param(transcript(attributes=varint(-(2**63)) + varint(9) + text(b"k")), id="map that overflows"),
        pytest.param(
            # pii, an array, is followed by its end, role, channel, source, last, text_chars and vendor_label.
            CODECS["cloud-inference"].encode(EXAMPLES["cloud-inference"]).removesuffix(text(b"email") + b"\0" * 7)[:-1]
            + varint(2**60)
            + text(b"email"),
            id="array",
        ),
    ],
)
def test_a_declared_length_takes_no_memory(value: bytes) -> None:
    codec = CODECS["transcripts" if value[:HEADER_BYTES] == transcript()[:HEADER_BYTES] else "cloud-inference"]
    tracemalloc.start()
    try:
        assert refusal(codec, value).reason == "undecodable"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_block_with_its_size_is_read() -> None:
    block = text(b"key") + text(b"value")
    event = TRANSCRIPTS.decode(transcript(attributes=varint(-1) + varint(len(block)) + block + varint(0)))

    assert event.attributes == {"key": "value"}


@every_topic
def test_a_value_cut_short_anywhere_is_refused(topic: str) -> None:
    value = CODECS[topic].encode(EXAMPLES[topic])

    for end in range(len(value)):
        assert refusal(CODECS[topic], value[:end]).reason == "undecodable"


@every_topic
@given(value=st.binary(max_size=300), headed=st.booleans())
def test_random_bytes_are_a_record_or_refused(topic: str, value: bytes, headed: bool) -> None:
    header = CODECS[topic].encode(EXAMPLES[topic])[:HEADER_BYTES] if headed else b""
    record_or_refusal(topic, header + value)


@every_topic
@given(data=st.data())
def test_damaged_records_are_a_record_or_refused(topic: str, data: st.DataObject) -> None:
    value = bytearray(CODECS[topic].encode(data.draw(any_record(topic))))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(HEADER_BYTES, len(value)))
        value[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=10))
    record_or_refusal(topic, bytes(value))


def record_or_refusal(topic: str, value: bytes) -> None:
    """Anything but a record and `DecodeError` is a crash, and fails the test."""
    try:
        record = CODECS[topic].decode(value)
    except DecodeError:
        return
    assert type(record) is TOPICS[topic].record_type
    CODECS[topic].encode(record)


def test_a_refusal_does_not_repeat_what_the_customer_said() -> None:
    for value in (transcript(text=text(b"card 4111\xff")), transcript(text=varint(4111) + b"card 4111")):
        error = refusal(TRANSCRIPTS, value)
        assert "4111" not in str(error)
        assert error.__suppress_context__  # fastavro's own error repeats the bytes


def test_a_lone_surrogate_is_refused_by_name() -> None:
    with pytest.raises(EncodeError, match="TranscriptEvent: a text has half of a surrogate pair"):
        TRANSCRIPTS.encode(dataclasses.replace(TRANSCRIPT, text="\ud83d 4111"))


def test_a_number_beyond_64_bits_is_refused_by_name() -> None:
    with pytest.raises(EncodeError, match="TranscriptEvent: a number does not fit into 64 bits"):
        TRANSCRIPTS.encode(dataclasses.replace(TRANSCRIPT, turn=2**63))


@pytest.mark.parametrize("changes", [{"reason": "because"}, {"cloud_label": "mixed"}])
def test_a_symbol_that_is_not_allowed_is_refused_by_name(changes: dict[str, str]) -> None:
    record: Record = dataclasses.replace(ROUTING, **changes)  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match="RoutingEvent: a value is not among those that its schema allows"):
        CODECS["routing-events"].encode(record)
