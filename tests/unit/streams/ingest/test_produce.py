"""`edgewise produce -`: lines of a pipe into `transcripts`, and what becomes of those that are no events."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from recordings.fault import RecordingError
from schemas.codec import DecodeError
from schemas.errors import UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.config.tracing import traced
from streams.ingest import produce as module
from streams.ingest.produce import ProduceError, produce
from streams.kafka.client import Cluster
from streams.kafka.messages import message_headers
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.system.trace_context import carried
from tests.faults.line import environ
from tests.kafka.kafka_server import REPOSITORY
from tests.spans import collector

NOW = 1_767_606_914_000
WORDS = "Xylophone"


def line(number: int, **fields: Any) -> bytes:
    return json.dumps({"conversation_id": "c", "event_id": f"e{number}", "text": "hello"} | fields).encode() + b"\n"


def values(settings: Settings) -> list[bytes]:
    return [bytes(message.value() or b"") for message in read_topic(Cluster(settings), TRANSCRIPTS)]


def events(settings: Settings) -> list[TranscriptEvent]:
    decode = codec(settings, TRANSCRIPTS).decode
    found = []
    for value in values(settings):
        try:
            found.append(decode(value))
        except DecodeError:
            continue
    return found


BAD = [b"{\n", b"[1]\n", b'{"events": []}\n', line(7, text=" "), line(8, role=WORDS), line(9, occurred_at=5)]


def test_each_line_is_an_event_and_blank_ones_are_none(settings: Settings) -> None:
    create(settings)
    given = line(1, role="agent", occurred_at="2026-01-05T09:55:14Z") + b"\n  \r\n" + line(2).rstrip(b"\n")
    assert produce(settings, io.BytesIO(given), "stop", lambda: NOW).events == 2
    first, second = events(settings)
    assert (first.event_id, first.role, first.occurred_at, first.source) == ("e1", "agent", NOW, "stdin")
    assert (second.event_id, second.occurred_at) == ("e2", NOW)


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(settings: Settings) -> None:
    create(settings)
    assert produce(settings, io.BytesIO(b"\xef\xbb\xbf" + line(1) + line(2)), "stop").events == 2


def test_a_line_that_is_no_event_stops_it_after_those_before(settings: Settings) -> None:
    create(settings)
    for number, bad in enumerate(BAD):
        with pytest.raises(RecordingError, match=r"standard input, line 2: .*; the 1 events before it are in") as told:
            produce(settings, io.BytesIO(line(number) + bad + line(100)), "stop")
        assert WORDS not in str(told.value)
    assert sorted(event.event_id for event in events(settings)) == [f"e{number}" for number in range(len(BAD))]


def test_it_is_skipped_and_counted(settings: Settings) -> None:
    create(settings)
    produced = produce(settings, io.BytesIO(b"".join(BAD) + line(1)), "skip")
    assert (produced.events, produced.faults.count, produced.letters) == (1, len(BAD), 0)
    assert [fault.line for fault in produced.faults.first] == [1, 2, 3, 4, 5, 6]
    assert WORDS not in "".join(produced.faults.lines())


def test_it_is_sent_as_it_stands_for_dead_letters(settings: Settings) -> None:
    create(settings)
    produced = produce(settings, io.BytesIO(BAD[0] + line(1) + BAD[4]), "dead-letter")
    assert (produced.events, produced.letters) == (1, 2)
    assert {BAD[0].rstrip(b"\n"), BAD[4].rstrip(b"\n")} < set(values(settings))


def test_a_line_that_is_too_long_is_bounded_and_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 100)
    create(settings)
    long = line(1, text="x" * 50_000)
    assert produce(settings, io.BytesIO(long + line(2)), "skip").events == 1
    with pytest.raises(RecordingError, match="line 1: longer than 100 bytes"):
        produce(settings, io.BytesIO(long + line(2)), "dead-letter")
    assert [event.event_id for event in events(settings)] == ["e2"]


def test_a_refusal_ends_it_at_the_next_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail: it was looked for once in a hundred lines, which were gone from the pipe by then."""

    class Refusing:
        def __init__(self) -> None:
            self.waiting: list[Callable[[KafkaError, None], None]] = []

        def produce(self, *_: object, on_delivery: Callable[[KafkaError, None], None], **_named: object) -> None:
            self.waiting.append(on_delivery)

        def poll(self, _timeout_s: float) -> None:
            while self.waiting:
                self.waiting.pop()(KafkaError(KafkaError._MSG_TIMED_OUT), None)

        flush = poll

    create(settings)
    monkeypatch.setattr(Cluster, "producer", lambda *_: Refusing())
    given = io.BytesIO(b"".join(line(number) for number in range(50)))
    with pytest.raises(ProduceError, match="standard input, line 1: the broker did not take it"):
        produce(settings, given, "stop")
    assert given.tell() == len(line(0))


def test_a_topic_that_is_missing_is_named(settings: Settings) -> None:
    with pytest.raises(UsageError, match="edgewise topics create"):
        produce(settings, io.BytesIO(line(1)), "stop")


def test_the_command_sends_a_line_as_it_comes(settings: Settings) -> None:
    create(settings)
    command = [sys.executable, "-m", "streams.cli", "produce", "-", "--on-error", "skip"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environ(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, bufsize=0,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        os.write(process.stdin.fileno(), line(1) + b"{\n")
        while not events(settings):  # before the pipe ends
            assert process.poll() is None
        out, told = process.communicate(line(2), timeout=100)
    assert out.decode() == f"2 events are in {settings.topic('transcripts')}\n"
    assert b"line 2: not JSON" in told
    assert process.returncode == 0


def test_each_event_begins_a_trace_where_spans_are_made(settings: Settings) -> None:
    create(settings)
    with collector() as receiver:
        with traced(settings.model_copy(update={"otel_endpoint": receiver.url}), "produce"):
            given = io.BytesIO(b"".join(line(number, text=WORDS) for number in range(3)))
            assert produce(settings, given, "stop", lambda: NOW).events == 3
        name = f"send {settings.topic(TRANSCRIPTS)}"
        sent = receiver.wait_for({name: 3})[name]
    assert {(span.service, span.kind, span.parent, span.failed) for span in sent} == {
        ("edgewise-produce", 4, "", False)
    }
    assert len({span.trace for span in sent}) == 3
    found = [carried(message_headers(message)) for message in read_topic(Cluster(settings), TRANSCRIPTS)]
    assert all(span.is_sampled for span in found)
    ids = {span.headers[0][1].decode().rpartition("-")[0] for span in found}
    assert ids == {f"00-{span.trace}-{span.span}" for span in sent}
    assert WORDS.encode() not in b"".join(receiver.bodies)
