import dataclasses

import pytest

from schemas.codec import Codec, DecodeError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.agents.agent import Output
from streams.agents.dead_letter import dead_letter
from streams.config.settings import Settings
from tests.events import consumer_record

SETTINGS = Settings(topic_prefix="eu.")
RECORD = consumer_record(b"\xff\x00 not avro", topic="eu.transcripts", partition=3, offset=41, key=b"\x00key")


def ours(output: Output) -> dict[str, bytes]:
    return {name: value for name, value in output.headers if name.startswith("edgewise-")}


def test_the_original_is_kept_byte_for_byte() -> None:
    record = dataclasses.replace(RECORD, headers=(("trace", b"\xff\x01"), ("trace", b"again")))

    output = dead_letter(SETTINGS, "edge", record, "undecodable", "the bytes are damaged")

    assert (output.key, output.value) == (record.key, record.value)
    assert output.headers[:2] == record.headers


@pytest.mark.parametrize(("key", "value"), [(None, b"x"), (b"k", None), (b"", b"")])
def test_nothing_is_made_of_null_or_empty(key: bytes | None, value: bytes | None) -> None:
    output = dead_letter(
        SETTINGS, "edge", consumer_record(value, topic="eu.transcripts", key=key), "null_value", "a null value"
    )

    assert (output.key, output.value) == (key, value)


def test_headers_say_where_from_and_why() -> None:
    output = dead_letter(SETTINGS, "edge", RECORD, "undecodable", "the bytes are damaged")

    assert output.topic == "eu.dead-letters"
    assert ours(output) == {
        "edgewise-reason": b"undecodable",
        "edgewise-detail": b"the bytes are damaged",
        "edgewise-topic": b"eu.transcripts",
        "edgewise-partition": b"3",
        "edgewise-offset": b"41",
        "edgewise-timestamp": b"1700000000000",
        "edgewise-agent": b"edge",
        "edgewise-attempts": b"1",
    }


def test_of_a_record_that_was_put_back_the_last_header_tells_the_latest_failure() -> None:
    first = dead_letter(SETTINGS, "edge", RECORD, "undecodable", "the bytes are damaged")
    put_back = dataclasses.replace(RECORD, offset=97, headers=first.headers)

    second = dead_letter(SETTINGS, "edge", put_back, "unknown_schema", "no such schema")

    assert second.headers[: len(first.headers)] == first.headers
    assert ours(second)["edgewise-offset"] == b"97"
    assert ours(second)["edgewise-reason"] == b"unknown_schema"
    assert ours(second)["edgewise-attempts"] == b"2"


def test_customer_text_stands_in_the_value_only() -> None:
    value = Codec(TRANSCRIPTS).encode(
        TranscriptEvent(event_id="e", conversation_id="c", turn=0, text="my card is 4111", occurred_at=1)
    )
    damaged = value.replace(b"4111", b"41\xff1")
    with pytest.raises(DecodeError) as caught:
        Codec(TRANSCRIPTS).decode(damaged)

    output = dead_letter(
        SETTINGS, "edge", consumer_record(damaged, topic="eu.transcripts"), caught.value.reason, str(caught.value)
    )

    assert not any(b"card" in header for header in ours(output).values())
    assert output.value == damaged
