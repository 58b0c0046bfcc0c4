from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.redaction import ConversationRedactor, RedactionError, Span
from models.redaction.memory import VALUES


def said(turns: list[str], *, numbered: bool = True) -> list[str]:
    redactor = ConversationRedactor(numbered=numbered)
    return [redactor.redact("talk", turn).text for turn in turns]


def test_a_number_that_is_split_over_turns_is_one_and_so_is_its_repetition() -> None:
    assert said(
        [
            "and the card number please?",
            "four one one one one one one one",
            "mm-hm",
            "one one",
            "one one 1111",
            "so that's 4111 1111 1111 1111?",
            "the card ending in 1111 is set",
        ]
    ) == ["and the card number please?", "[CARD_1]", "mm-hm", "[CARD_1]", "[CARD_1]", "so that's [CARD_1]?",
          "the card ending in [CARD_1] is set"]  # fmt: skip


def test_a_digit_alone_goes_on_with_a_number() -> None:
    assert said(["hi my account number is", "4", "yes", "512 33", "go on", "and nine"]) == [
        "hi my account number is",
        "[ACCOUNT_1]",
        "yes",
        "[ACCOUNT_1]",
        "go on",
        "and [ACCOUNT_1]",
    ]


def test_a_digit_that_nothing_was_said_about_stays() -> None:
    assert said(["how many?", "4", "and 2 more"]) == ["how many?", "4", "and 2 more"]


def test_an_answer_needs_no_cue_of_its_own() -> None:
    turns = ["may I have your name please?", "sure, jane doe", "and the three digit security code?", "four eight two"]
    assert said(turns) == [turns[0], "sure, [NAME_1]", turns[2], "[CVV_1]"]


def test_a_question_for_something_else_ends_a_number() -> None:
    turns = ["the card number?", "4111 1111 1111 1111", "and the pin?", "4 8 2 1"]
    assert said(turns)[3] == "[PIN_1]"


def test_an_answer_that_is_no_name_stays() -> None:
    turns = ["what is your name?", "hold on a moment", "yes"]
    assert said(turns) == turns


def test_a_name_is_found_again_without_a_cue() -> None:
    assert said(["my name is Jane Doe", "Jane can you hear me", "who is jane"]) == [
        "my name is [NAME_1]",
        "[NAME_1] can you hear me",
        "who is [NAME_1]",
    ]


def test_a_name_that_is_spelled_in_parts_is_known_when_it_is_read_back() -> None:
    turns = ["please spell your last name", "k o w", "that's k, o, w?", "k as in kilo o w"]
    assert said(turns) == [turns[0], "[NAME_1]", "that's [NAME_1]?", "[NAME_1]"]


def test_an_answer_may_be_said_part_by_part() -> None:
    turns = ["and the password?", "capital p a s s w zero r d one.", "your user name?", "mike underscore smith"]
    assert said(turns) == [turns[0], "[PASSWORD_1].", turns[2], "[USERNAME_1]"]
    turns = ["the password?", "capital a k o a l a underscore nine"]
    assert said(turns) == [turns[0], "[PASSWORD_1]"]


def test_an_address_in_two_turns_is_one() -> None:
    assert said(["what's the email address?", "it's jane dot doe", "okay", "at gmail dot com"]) == [
        "what's the email address?",
        "it's [EMAIL_1]",
        "okay",
        "[EMAIL_1]",
    ]


def test_values_of_one_kind_are_told_apart_within_a_conversation_and_not_across() -> None:
    redactor = ConversationRedactor()
    assert (
        redactor.redact("a", "my pin is 4821 and the old pin is 7733").text
        == "my pin is [PIN_1] and the old pin is [PIN_2]"
    )
    assert redactor.redact("a", "pin 7733").text == "pin [PIN_2]"
    assert redactor.redact("b", "pin 7733").text == "pin [PIN_1]"


def test_numbers_are_left_out_by_option() -> None:
    assert said(["my pin is 4821"], numbered=False) == ["my pin is [PIN]"]


def test_what_is_remembered_is_bounded_and_a_number_is_never_used_twice() -> None:
    redactor = ConversationRedactor(conversations=2)
    texts = [f"my account number is {value + 10_000_000}" for value in range(VALUES + 1)]
    assert [redactor.redact("a", text).text for text in texts][-1] == f"my account number is [ACCOUNT_{VALUES + 1}]"
    assert redactor.redact("a", "account number 10000000").text == f"account number [ACCOUNT_{VALUES + 2}]"
    assert redactor.redact("a", "account number 10000063").text == "account number [ACCOUNT_64]"
    redactor.redact("b", "pin 4821")
    redactor.redact("c", "pin 4821")
    assert redactor.redact("a", "account number 10000063").text == "account number [ACCOUNT_1]"


TALK = [
    "my name is Jane Doe",
    "the card number please?",
    "four one one one one one one one",
    "1111 1111",
    "so that's 4111 1111 1111 1111, and the security code?",
    "one two three",
    "Jane speaking, the account number is 88221190",
]


@pytest.mark.parametrize("done", range(len(TALK)))
def test_turns_that_come_again_give_the_same_again(done: int) -> None:
    redactor = ConversationRedactor()
    for turn in TALK[:done]:
        redactor.redact("a", turn)
    redactor.checkpoint()
    once = [redactor.redact("a", turn) for turn in TALK[done:]]
    redactor.restore(["a", "never heard of"])
    assert [redactor.redact("a", turn) for turn in TALK[done:]] == once
    redactor.checkpoint()
    redactor.restore(["a"])
    assert "JANE" not in redactor.redact("a", "JANE can you hear me").text, "what was kept is not taken back"


def test_kinds_that_were_not_chosen_stay() -> None:
    redactor = ConversationRedactor(kinds={"CARD"})
    assert (
        redactor.redact("a", "Jane Doe, card 4111 1111 1111 1111, pin 4821").text == "Jane Doe, card [CARD_1], pin 4821"
    )
    assert redactor.redact("a", "it is 4821 for 4111111111111111").text == "it is 4821 for [CARD_1]"


def test_its_representation_shows_no_value() -> None:
    redactor = ConversationRedactor()
    redactor.redact("a", "my pin is 4821")
    assert "4821" not in repr(vars(redactor))


class Broken:
    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        raise ValueError(texts[0])


def test_a_tagger_that_fails_is_told_of_without_the_text() -> None:
    with pytest.raises(RedactionError) as caught:
        ConversationRedactor(tagger=Broken()).redact("a", "my pin is 4821")
    assert "4821" not in str(caught.value)


class BrokenOnce:
    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        if texts[0].startswith("and the"):
            raise ValueError
        return [[]]


def test_a_turn_that_the_tagger_fails_on_is_heard_all_the_same() -> None:
    redactor = ConversationRedactor(tagger=BrokenOnce())
    with pytest.raises(RedactionError):
        redactor.redact("a", "and the three digit security code?")
    assert redactor.redact("a", "one two three").text == "[CVV_1]"


@given(
    st.lists(
        st.text()
        | st.lists(
            st.sampled_from(["one", "4", "1111", "card", "number", "?", "name", "jane", "dot", "at", "no", "wait"])
        ).map(" ".join)
    )
)
def test_no_turns_make_it_raise(turns: list[str]) -> None:
    redactor = ConversationRedactor()
    for turn in turns:
        end = 0
        for span in redactor.redact("talk", turn).spans:
            assert end <= span.start < span.end <= len(turn)
            end = span.end
