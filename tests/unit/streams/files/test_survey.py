"""What only all the rows of a recording tell: ids that are unique in a conversation alone, turns by time."""

import json
from pathlib import Path
from typing import Any

import pytest

from recordings.fault import Fault, RecordingError
from streams.files.identity import EventIds
from streams.files.recorded_event import Rules, made_events
from streams.files.recording import Row, read_recording
from streams.files.rows import read_rows
from streams.files.survey import Survey
from tests.vendor_objects import vendor_object

PATH = Path("calls.jsonl")


def surveyed(path: Path, *, apart: bool = False, **columns: str) -> tuple[Survey, list[Any]]:
    survey = Survey(EventIds(apart=apart))
    rules = Rules(columns=columns)
    made = list(made_events(read_recording(path, columns=columns), path, "digest", rules, lambda: 42))
    for each in made:
        survey.add(each)
    return survey, [survey.final(each.event) for each in made]


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_ids_of_turns_are_joined_with_their_conversations(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '{"id":"h1","turns":[{"id":1,"text":"hello"},{"id":2,"text":"my box is lost"}]}',
        '{"id":"h2","turns":[{"id":1,"text":"good day"},{"id":"7e0f6c2a-6f5b-4d0e-9a53-0d7f4f6a1c11","text":"ok"}]}',
    )
    survey, events = surveyed(path)
    ids = ["h1/1", "h1/2", "h2/1", "7e0f6c2a-6f5b-4d0e-9a53-0d7f4f6a1c11"]
    assert [event.event_id for event in events] == ids
    assert [(event.conversation_id, event.turn, event.last) for event in events] == [
        ("h1", 1, False), ("h1", 2, True), ("h2", 1, False), ("h2", 2, True),
    ]  # fmt: skip
    assert (survey.ids.repeated, survey.conversations) == (0, 2)


def test_flat_rows_whose_ids_repeat_in_other_conversations_are_joined_too(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,conversation_id,text", "1,a,x", "2,a,y", "1,b,z")
    survey, events = surveyed(path)
    assert survey.ids.are_joined
    assert [event.event_id for event in events] == ["a/1", "a/2", "b/1"]
    _, alone = surveyed(written(tmp_path / "b.csv", "id,conversation_id,text", "1,a,x", "2,a,y", "3,b,z"))
    assert [event.event_id for event in alone] == ["1", "2", "3"]


def test_ids_that_repeat_all_the_same_are_counted_or_kept_apart(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,text", "call-1,hello", "call-1,my parcel is lost", "call-1,thanks")
    survey, _ = surveyed(path)
    assert (survey.ids.repeated, survey.ids.lines) == (2, [3, 4])
    _, events = surveyed(path, apart=True)
    assert [(event.event_id, event.conversation_id, event.turn) for event in events] == [
        ("call-1", "call-1", 1), ("call-1~2", "call-1", 2), ("call-1~3", "call-1", 3),
    ]  # fmt: skip
    survey, events = surveyed(path, conversation_id="id")
    assert survey.ids.repeated == 0
    assert {event.conversation_id for event in events} == {"call-1"}


@pytest.mark.parametrize("nothing", ["NaN", "null", '""', '"nan"', '"None"', '" "'])
def test_strangers_are_no_conversation(nothing: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", *[f'{{"conversation_id":{nothing},"text":"hello"}}'] * 3)
    _, events = surveyed(path)
    assert len({event.conversation_id for event in events}) == 3


def test_the_turns_of_one_object_are_one_conversation_whatever_its_id_is_called(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '{"turns":[{"text":"hello there"},{"text":"you lost my parcel"}]}',
        '{"sessionId":"s-77","turns":[{"text":"good morning"},{"text":"thanks for nothing"}]}',
        '{"turns":[{"text":"hello there"}]}',
    )
    _, events = surveyed(path)
    assert len({event.conversation_id for event in events}) == 3
    assert [event.turn for event in events] == [1, 2, 1, 2, 1]
    assert events[2].conversation_id == events[3].conversation_id == "s-77"


@pytest.mark.parametrize(
    "name", ["contact_id", "callId", "Session ID", "conversation-id", "caseId", "dialog_id", "conv_id"]
)
def test_usual_names_of_a_conversations_id_are_known(name: str, tmp_path: Path) -> None:
    _, events = surveyed(written(tmp_path / "a.csv", f"{name},text", "k1,a", "k1,b"))
    assert [(event.conversation_id, event.turn, event.attributes) for event in events] == [
        ("k1", 1, {}), ("k1", 2, {}),
    ]  # fmt: skip


def test_turns_without_a_number_go_by_time(tmp_path: Path) -> None:
    times = [5, 3, 3, 0]
    rows = [f"n1,2026-01-02T10:0{minute}:00Z,{'dcba'[i]}" for i, minute in enumerate(times)]
    survey, events = surveyed(written(tmp_path / "a.csv", "conversation_id,created_at,text", *rows))
    assert [(event.text, event.turn) for event in events] == [("d", 4), ("c", 3), ("b", 2), ("a", 1)]
    assert (survey.reordered, survey.longest_gap_ms) == (1, 0)
    numbered = [f"{row},{i}" for i, row in enumerate(rows)]
    survey, events = surveyed(written(tmp_path / "b.csv", "conversation_id,created_at,text,turn", *numbered))
    assert ([event.turn for event in events], survey.reordered) == ([0, 1, 2, 3], 0)
    untimed = [*rows[:2], "n1,,x"]
    survey, events = surveyed(written(tmp_path / "c.csv", "conversation_id,created_at,text", *untimed))
    assert ([event.turn for event in events], survey.reordered) == ([1, 2, 3], 0)


def test_turns_in_an_object_go_by_time_unless_they_are_numbered(tmp_path: Path) -> None:
    turns = '{"text":"b","at":"2026-01-02T10:05:00Z"},{"text":"a","at":"2026-01-02T10:03:00Z"}'
    _, events = surveyed(written(tmp_path / "a.jsonl", f'{{"id":"c","turns":[{turns}]}}'))
    assert [event.turn for event in events] == [2, 1]


def test_turns_of_their_own_column_stay_in_an_object_too(tmp_path: Path) -> None:
    turns = [{"text": text, "seq": seq, "at": 1_767_348_009_000 - seq} for seq, text in enumerate("ab")]
    path = written(tmp_path / "a.jsonl", json.dumps({"id": "c", "turns": turns}))
    _, events = surveyed(path, turn="seq")
    assert [event.turn for event in events] == [0, 1]


@pytest.mark.parametrize("times", [(0, 1, 60, 61), (60, 61, 0, 1), (0, 0, 0, 0), (0, 1)])
def test_objects_of_one_conversation_number_its_turns_as_one(times: tuple[int, ...], tmp_path: Path) -> None:
    turns = [{"text": text} for text in "abcd"]
    for turn, at in zip(turns, times, strict=False):
        turn["at"] = f"2026-01-02T10:{at // 60:02}:{at % 60:02}Z"
    objects = [{"id": "c1", "turns": turns[:2]}, {"id": "c1", "turns": turns[2:]}]
    survey, events = surveyed(written(tmp_path / "a.jsonl", *map(json.dumps, objects)))
    said = sorted(events, key=lambda event: event.turn)
    assert "".join(event.text for event in said) == ("cdab" if times[:1] == (60,) else "abcd")
    assert [(event.turn, event.last) for event in said] == [(1, False), (2, False), (3, False), (4, True)]
    assert survey.reordered == (times[:1] == (60,))


def test_an_object_that_is_newest_first_ends_with_its_first_turn(tmp_path: Path) -> None:
    turns = [{"text": text, "at": at} for text, at in (("bye", 1_767_348_005_000), ("hello", 1_767_348_000_000))]
    _, events = surveyed(written(tmp_path / "a.jsonl", json.dumps({"id": "c1", "turns": turns})))
    assert [(event.turn, event.last) for event in events] == [(2, True), (1, False)]


def test_a_column_that_says_what_is_last_is_believed(tmp_path: Path) -> None:
    rows = ["c1,2026-01-02T10:05:00Z,b,", "c1,2026-01-02T10:03:00Z,a,true"]
    _, events = surveyed(written(tmp_path / "a.csv", "conversation_id,at,text,last", *rows))
    assert [(event.turn, event.last) for event in events] == [(2, False), (1, True)]


def test_a_vendors_objects_of_one_conversation_number_its_turns_as_one(tmp_path: Path) -> None:
    first, second = vendor_object("genesys"), vendor_object("genesys") | {"communicationId": "m-2"}
    for transcript in second["transcripts"]:
        for phrase in transcript["phrases"]:
            phrase["startTimeMs"] += 60_000
    path = written(tmp_path / "a.json", json.dumps([second, first]))
    survey = Survey()
    made = list(made_events(read_rows(path), path, "digest", Rules(), lambda: 42))
    for each in made:
        survey.add(each)
    events = [survey.final(each.event) for each in made]
    assert [event.event_id.split("/")[1] for event in events] == ["m-2"] * 3 + ["m-1"] * 3
    assert [event.turn for event in events] == [4, 5, 6, 1, 2, 3]
    assert [event.turn for event in events if event.last] == [6]


def test_blank_texts_gaps_and_who_speaks_are_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "text,at,role,channel,language",
        "hello,2026-01-02T10:00:00Z,customer,chat,de",
        "\u200b,2026-01-02T11:00:00Z,agent,chat,",
        "bye,,customer,voice,de",
    )
    survey, _ = surveyed(path)
    assert (survey.rows, survey.blank, survey.untimed) == (3, 1, 1)
    assert (survey.longest_gap_ms, survey.longest_gap_line) == (3_600_000, 3)
    assert survey.roles == {"customer": 2, "agent": 1}
    assert (survey.channels["chat"], survey.languages["de"], survey.languages[""]) == (2, 2, 1)


def test_a_row_of_which_no_event_can_be_made_is_told_and_the_next_one_read() -> None:
    rows = [
        Row(1, 1, {"text": "a", "turn": "1.0"}, "a"),
        Row(2, 2, {"text": "card 4111", "turn": "4111"}, "x"),
        Row(3, 3, {"text": "b", "turn": "two"}, "b"),
        Row(4, 4, {"text": "c", "at": "soon"}, "c"),
        Row(5, 5, {"text": "d", "id": [4111]}, "d"),
        Row(6, 6, {"text": ["4111"]}, "", is_text=False),
    ]
    faults: list[Fault] = []
    made = list(made_events(rows, PATH, "digest", Rules(), lambda: 42, faults.append))
    assert [each.event.turn for each in made] == [1, 4111]
    assert [fault.line for fault in faults] == [3, 4, 5, 6]
    assert not any("4111" in fault.what for fault in faults)
    with pytest.raises(RecordingError, match=r"calls\.jsonl, line 3: its turn is not a whole number"):
        list(made_events(rows, PATH, "digest", Rules(), lambda: 42))
