from typing import Any

import pytest

from schemas.validation import MAX_ID_CHARS
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.turn import Hints, Turn

MS = 1_767_606_914_250


def read(*utterances: Utterance, roles: Any = None, **options: Any) -> list[Turn]:
    conversation = Conversation("acme", Hints(roles=roles or {}), "c", **options)
    for utterance in utterances:
        conversation.add(utterance)
    return list(conversation.reading().turns)


def test_newest_first_is_turned_round() -> None:
    found = read(Utterance(text="b", at=MS + 1), Utterance(text="a", at=MS))
    assert [(turn.turn, turn.text) for turn in found] == [(1, "a"), (2, "b")]
    assert [turn.event_id for turn in found] == ["c/#1", "c/#0"]


def test_a_vendors_numbers_win_over_times() -> None:
    found = read(Utterance(text="b", at=MS, number=7), Utterance(text="a", at=MS + 9, number=5))
    assert [(turn.turn, turn.text) for turn in found] == [(5, "a"), (7, "b")]


def test_without_a_time_for_each_the_objects_order_stays() -> None:
    assert [turn.text for turn in read(Utterance(text="b", at=MS), Utterance(text="a"))] == ["b", "a"]


def test_a_turn_without_a_time_happened_with_the_one_before_it() -> None:
    found = read(Utterance(text="a"), Utterance(text="b", at=MS), Utterance(text="c"), Utterance(text="d", offset=5))
    assert [turn.occurred_at for turn in found] == [None, MS, MS, None]


def test_an_id_is_joined_with_the_conversations_unless_it_is_unique_by_itself() -> None:
    uuid_, sid = "01928e10-193e-8231-b9a2-279e0d16bc46", "IM" + "0" * 32
    found = read(Utterance(text="a", id="1"), Utterance(text="b", id=uuid_), Utterance(text="c", id=sid))
    assert [turn.event_id for turn in found] == ["c/1", uuid_, sid]


def test_an_id_too_long_for_a_key_is_shortened_and_stays_the_same() -> None:
    [first], [second] = read(Utterance(text="a", id="x" * 300)), read(Utterance(text="a", id="x" * 300))
    assert first.event_id == second.event_id
    assert len(first.event_id) <= MAX_ID_CHARS


def test_the_users_role_map_wins_over_the_vendor() -> None:
    utterance = Utterance(text="a", role="agent", speaker="Ann", speaker_id="7", channel_id="1")
    for label in ("ann", "7", "speaker:7", "channel:1"):
        assert read(utterance, roles={label: "bot"})[0].role == "bot"
    assert read(utterance, roles={"bo": "bot"})[0].role == "agent"


def test_a_part_that_comes_twice_is_the_same_both_times() -> None:
    utterance = Utterance(text="a", at=MS, speaker_id="7")
    [first], [second] = read(utterance, live=True), read(utterance, live=True)
    assert first == second
    assert (first.turn, first.event_id) == (MS, f"c/7@{MS}")


def test_a_text_of_nothing_but_marks_says_nothing() -> None:
    conversation = Conversation("acme", Hints(), "c")
    conversation.add(Utterance(text="[PII]."))
    assert conversation.reading().turns == ()
    assert conversation.reading().left_out == {"redacted": 1}


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\ufeff \u00ad", "\ufe0f"])
def test_a_text_of_nothing_that_is_seen_is_blank(text: str) -> None:
    conversation = Conversation("acme", Hints(), "c")
    conversation.add(Utterance(text=text))
    assert conversation.reading().left_out == {"blank": 1}


def test_a_mail_that_is_all_quoted_is_counted_as_that() -> None:
    conversation = Conversation("acme", Hints(), "c", channel="email")
    conversation.add(Utterance(text="> lost"))
    assert conversation.reading().left_out == {"quoted": 1}


def test_a_chat_may_begin_with_a_sign_that_quotes_in_mail() -> None:
    assert read(Utterance(text="> lost"), channel="chat")[0].text == "> lost"


def test_the_conversations_id_is_the_vendors_else_the_callers() -> None:
    assert conversation_id(Field(7), Hints(conversation_id="x")) == "7"
    assert conversation_id(Field(7), Hints(), "1") == "1/7"
    assert conversation_id(Field(None), Hints(conversation_id="x"), "1") == "x"
    with pytest.raises(FormatError, match=r"^id: no id of the conversation"):
        conversation_id(Field(" ", "id"), Hints())
    with pytest.raises(FormatError, match="more than 256"):
        conversation_id(Field("x" * 257, "id"), Hints())


def test_an_utterances_own_language_and_channel_win() -> None:
    first, second = read(
        Utterance(text="a", language="de", channel="email"), Utterance(text="b"), language="en", channel="chat"
    )
    assert [(turn.language, turn.channel) for turn in (first, second)] == [("de", "email"), ("en", "chat")]


def test_half_a_character_becomes_a_whole_one() -> None:
    assert Field("\ud83d ok \ud83d\ude00").text() == "\ufffd ok \U0001f600"
