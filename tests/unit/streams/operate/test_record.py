"""A topic recorded, and replayed again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.redaction import Span
from schemas.errors import UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.recorded_event import recorded_events
from streams.files.recording import read_recording
from streams.files.writing import write_jsonl
from streams.kafka.client import Cluster
from streams.operate.consume import Start
from streams.operate.record import Tally, recorded_rows
from streams.operate.topics import create
from tests.produced import produce

EVENTS = [
    TranscriptEvent(
        event_id=f"e{number}",
        conversation_id="c",
        turn=number,
        text=text,
        occurred_at=1_700_000_000_123 + number,
        role="customer",
        channel="voice",
        language="en-GB",
        source="calls",
        attributes={"queue": "billing", "note": "call 555-867-5309"},
    )
    for number, text in enumerate(("My card is 4111 1111 1111 1111", "yes, 4111 1111 1111 1111", "thanks"), 1)
]

START = 1_700_000_000_000  # of a recording, by Kafka's timestamps


@pytest.fixture
def filled(settings: Settings) -> Settings:
    create(settings)
    producer = Cluster(settings).producer()
    encode = codec(settings, TRANSCRIPTS).encode
    for value in (*map(encode, EVENTS), b"no event"):
        producer.produce(settings.topic(TRANSCRIPTS), value, key=b"c", partition=1)
    assert producer.flush(30) == 0
    return settings


def put(settings: Settings, at: int, value: TranscriptEvent | bytes) -> None:
    produce(settings, TRANSCRIPTS, value, at=datetime.fromtimestamp(at / 1000, UTC))


def _replayed(settings: Settings, file: Path, *, redacted: bool) -> tuple[list[TranscriptEvent], Tally]:
    """The events that a replay of the recording sends."""
    tally = Tally()
    with file.open("w", encoding="utf-8") as out:
        write_jsonl(recorded_rows(settings, TRANSCRIPTS, Start(), tally, redacted=redacted), out)
    rows = read_recording(file)
    return [event for _, event in recorded_events(rows, file, "digest", {}, lambda: 0)], tally


def test_a_recording_replays_to_the_same_events(filled: Settings, tmp_path: Path) -> None:
    events, tally = _replayed(filled, tmp_path / "r.jsonl", redacted=False)

    assert events == EVENTS
    assert (tally.rows, tally.redacted_rows, tally.left_out) == (3, 0, 1)


def test_redacted_it_has_the_same_ids_and_nothing_personal(filled: Settings, tmp_path: Path) -> None:
    events, tally = _replayed(filled, tmp_path / "r.jsonl", redacted=True)

    assert [replace(event, text="", attributes={}) for event in events] == [
        replace(event, text="", attributes={}) for event in EVENTS
    ]
    assert [event.text for event in events] == ["My card is [CARD_1]", "yes, [CARD_1]", "thanks"]
    assert events[0].attributes["queue"] == "billing"
    assert "4111" not in (tmp_path / "r.jsonl").read_text()
    assert "5309" not in (tmp_path / "r.jsonl").read_text()
    assert tally.redacted_rows == 3  # of the third, an attribute


def test_what_was_asked_before_its_start_is_in_mind(settings: Settings) -> None:
    create(settings)
    put(settings, START - 3_000, b"no event")
    put(settings, START - 2_000, replace(EVENTS[0], text="What is your full name?"))
    put(settings, START, replace(EVENTS[1], text="Marja Kovac", attributes={}))

    tally = Tally()
    rows = recorded_rows(settings, TRANSCRIPTS, Start(since_ms=START), tally, redacted=True)

    assert [(row["event_id"], row["text"]) for row in rows] == [("e2", "[NAME_1]")]
    assert (tally.rows, tally.redacted_rows, tally.left_out) == (1, 1, 0)


def test_a_turn_before_its_start_that_cannot_be_redacted_ends_no_recording(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tagger:
        def tag(self, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
            if "hello" in texts:
                raise OSError
            return [()] * len(texts)

    create(settings)
    monkeypatch.setattr("streams.operate.record.build_tagger", lambda _: Tagger())
    put(settings, START - 2_000, replace(EVENTS[0], text="hello"))
    put(settings, START, EVENTS[2])

    [row] = recorded_rows(settings, TRANSCRIPTS, Start(since_ms=START), Tally(), redacted=True)
    assert row["text"] == "thanks"


def test_times_are_written_so_that_nobody_takes_them_for_another_unit(filled: Settings) -> None:
    [first, *_] = recorded_rows(filled, TRANSCRIPTS, Start(), Tally(), redacted=False)

    assert json.loads(json.dumps(first))["occurred_at"] == "2023-11-14T22:13:20.124+00:00"


def test_a_topic_that_cannot_be_replayed_is_refused(settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"sentiment can't be replayed.*edgewise consume sentiment"):
        recorded_rows(settings, "sentiment", Start(), Tally(), redacted=True)
