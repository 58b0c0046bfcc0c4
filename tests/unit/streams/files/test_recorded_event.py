import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from recordings.fault import RecordingError
from schemas.errors import UsageError
from schemas.records import TranscriptEvent
from streams.files.columns import parse_columns
from streams.files.formats.roles import parse_roles
from streams.files.identity import event_id_of
from streams.files.recorded_event import recorded_events
from streams.files.recorded_time import milliseconds
from streams.files.recording import Row, read_recording

PATH = Path("some/where/calls.csv")


def events(*fields: dict[str, Any], columns: dict[str, str] | None = None) -> list[TranscriptEvent]:
    rows = [Row(i, i + 1, values, str(values.get("text", ""))) for i, values in enumerate(fields, 1)]
    return [event for _, event in recorded_events(rows, PATH, "digest", columns or {}, lambda: 42)]


def test_known_columns_become_fields_and_the_others_attributes() -> None:
    [event] = events(
        {
            "id": "e1", "conversation_id": "c1", "turn": "3", "speaker": "Customer", "channel": "Voice",
            "language": "de", "text": "Hallo", "at": "2020-04-01T17:31:32.000Z",
            "source": "genesys",
            "label": "neutral", "score": 0.5, "tags": ["a", "é"], "empty": "", "none": None,
        }
    )  # fmt: skip
    assert event == TranscriptEvent(
        event_id="e1",
        conversation_id="c1",
        turn=3,
        text="Hallo",
        occurred_at=1_585_762_292_000,
        role="customer",
        channel="voice",
        language="de",
        source="genesys",
        attributes={"label": "neutral", "score": "0.5", "tags": '["a", "é"]'},
    )


def test_what_is_missing_is_made_up_the_same_way_each_time() -> None:
    first, again = events({"text": "a"}), events({"text": "a"})
    assert first == again
    [event] = first
    assert event.event_id == event.conversation_id == event_id_of("digest", 1)
    assert uuid.UUID(event.event_id).version == 5
    assert (event.turn, event.occurred_at, event.source) == (1, 42, "calls.csv")
    assert (event.role, event.channel, event.language, event.attributes) == ("unknown", "unknown", None, {})


def test_ids_differ_by_row_and_by_file() -> None:
    assert len({event_id_of(sha, row) for sha in ("a", "b") for row in range(100)}) == 200


def test_turns_count_up_within_a_conversation() -> None:
    found = events(*({"conversation_id": c, "text": "t"} for c in "abaab"))
    assert [(event.conversation_id, event.turn) for event in found] == [
        ("a", 1),
        ("b", 1),
        ("a", 2),
        ("a", 3),
        ("b", 2),
    ]


def test_a_role_map_wins_over_words_and_names_speakers_and_channels_by_number() -> None:
    told: list[dict[str, Any]] = [
        {"speaker": "agent"}, {"role": " Customer "}, {"speaker": 1}, {"speaker": "0", "channel": "0"},
        {"channel": 0}, {"speaker": "bot", "channel": "1"}, {},
    ]  # fmt: skip
    roles = parse_roles(["agent=customer", "customer=agent", "speaker:1=agent", "channel:0=customer"])
    rows = [Row(1, 1, {"text": "a", **fields}, "a") for fields in told]
    found = [event.role for _, event in recorded_events(rows, PATH, "digest", {}, lambda: 42, roles)]
    assert found == ["customer", "agent", "agent", "customer", "customer", "bot", "unknown"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, [("agent", 5_000, "c1/1"), ("customer", 9_000, "c1/2"), ("unknown", 0, "c1/3")]),
        ({"occurred_at": "created_at"}, [("agent", 0, "c1/1"), ("customer", 0, "c1/2"), ("unknown", 0, "c1/3")]),
    ],
)
def test_a_turns_own_time_and_speaker_go_before_the_conversations(
    columns: dict[str, str], expected: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    began = 1_767_348_000_000
    turns = [
        {"id": 1, "speaker": "agent", "timestamp": began + 5_000, "text": "a"},
        {"id": 2, "speaker": "customer", "sent_at": began + 9_000, "text": "b"},
        {"id": 3, "timestamp": None, "text": "c"},
    ]
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps({"id": "c1", "created_at": began, "role": "campaign 7", "turns": turns}), "utf-8")
    found = [event for _, event in recorded_events(read_recording(path, columns=columns), path, "digest", columns, int)]
    assert [(event.role, event.occurred_at - began, event.event_id) for event in found] == expected
    assert found[0].attributes["conversation_role"] == "campaign 7"
    assert ("conversation_created_at" in found[0].attributes) is (not columns)
    assert found[2].attributes["role"] == "campaign 7"


def test_a_role_or_channel_that_the_schema_lacks_is_kept_as_an_attribute() -> None:
    [event] = events({"text": "a", "speaker": "Notary", "channel": "fax"})
    assert (event.role, event.channel) == ("unknown", "unknown")
    assert event.attributes == {"role": "Notary", "channel": "fax"}


def test_columns_can_be_named() -> None:
    columns = parse_columns(["text=body", "conversation_id=call", "occurred_at=when"])
    [event] = events({"body": "a", "call": 17, "when": 1_700_000_000, "text": "no"}, columns=columns)
    assert (event.conversation_id, event.occurred_at) == ("17", 1_700_000_000_000)
    assert event.attributes == {"text": "no"}


@pytest.mark.parametrize("given", ["text", "=body", "text=", "colour=red"])
def test_a_column_mapping_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"give FIELD=COLUMN, where FIELD is one of event_id, .*text"):
        parse_columns([given])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2015-02-24 11:15:48 -0800", 1_424_805_348_000),
        ("2015-02-24T19:15:48Z", 1_424_805_348_000),
        ("2015-02-24T19:15:48.250+00:00", 1_424_805_348_250),
        ("2015-02-24 19:15:48", 1_424_805_348_000),
        ("2015-02-24", 1_424_736_000_000),
        ("1424805348", 1_424_805_348_000),
        (1_424_805_348.25, 1_424_805_348_250),
        (1_424_805_348_250, 1_424_805_348_250),
        ("9999-12-31T00:00:00Z", 253_402_214_400_000),
        (1_424_805_348_250_000, 1_424_805_348_250),
        (-1, -1_000),
    ],
)
def test_times_of_several_kinds(written: object, expected: int) -> None:
    assert milliseconds(written) == expected


def test_a_time_without_a_zone_is_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "America/New_York")
        time.tzset()
        assert milliseconds("2015-02-24 19:15:48") == 1_424_805_348_000
    time.tzset()


@pytest.mark.parametrize("written", ["soon", "05/01/2020", "nan", "inf", True, "2015-13-01"])
def test_what_is_no_time_is_refused_without_repeating_it(written: object) -> None:
    with pytest.raises(
        RecordingError, match=r"calls\.csv, line 2: its time, occurred_at, (is none of|has a day)"
    ) as refused:
        events({"text": "a", "occurred_at": written})
    assert str(written) not in str(refused.value)


def test_what_is_no_turn_is_refused() -> None:
    with pytest.raises(RecordingError, match=r"line 3: its turn is not a whole number"):
        events({"text": "a"}, {"text": "b", "turn": "two"})


def test_words_for_roles_and_a_role_map() -> None:
    rows = [Row(1, 1, {"text": "a", "role": word}, "a") for word in ("Caller", "spk_0", "Human Agent", "boss", "agent")]
    found = [event for _, event in recorded_events(rows, PATH, "digest", {}, lambda: 42, {"spk_0": "bot"})]
    assert [event.role for event in found] == ["customer", "bot", "agent", "unknown", "agent"]
    assert [event.attributes for event in found] == [{}, {}, {}, {"role": "boss"}, {}]


def test_an_object_of_attributes_is_attributes() -> None:
    [event] = events({"text": "a", "attributes": {"tenant": "x", "vip": True, "none": None}, "other": "y"})
    assert event.attributes == {"tenant": "x", "vip": "true", "other": "y"}


def test_what_is_no_text_is_refused() -> None:
    row = Row(1, 7, {"text": ["a"]}, "", is_text=False)
    with pytest.raises(RecordingError, match=r"calls\.csv, line 7: not a text where the text should be"):
        list(recorded_events([row], Path("calls.csv"), "digest", {}, lambda: 0))
