import re
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.redaction import KINDS, Redacted, RedactionError, Redactor, Span
from models.redaction.cues import CUE_WORDS
from models.redaction.names import NAME_WORDS
from models.redaction.spoken import ASIDES, NUMBER_WORDS

WRITTEN = [
    ("My card is 4111 1111 1111 1111, exp 12/27, CVV 123.", "My card is [CARD], exp [EXPIRY], CVV [CVV]."),
    ("card number 4111-1111-1111-1112 please", "card number [CARD] please"),
    ("Call me at +1 (415) 555-0132 today", "Call me at [PHONE] today"),
    ("(579)888-3058 or (at work) +1 (415) 555-0132", "[PHONE] or (at work) [PHONE]"),
    ("Desk: +1-604-696-5272x565", "Desk: [PHONE]"),
    ("fax +41 (0)38 549 02 90", "fax [PHONE]"),
    ("Write to jane.doe+x@mail.example.co.uk, thanks", "Write to [EMAIL], thanks"),
    ("My IBAN is GB82 WEST 1234 5698 7654 32.", "My IBAN is [IBAN]."),
    ("transfer from gb82west12345698765432 to me", "transfer from [IBAN] to me"),
    ("my SSN: 078-05-1120", "my SSN: [SSN]"),
    ("SSN 2675", "SSN [SSN]"),
    ("from 10.0.12.7 and 2001:db8::1", "from [IP] and [IP]"),
    ("see https://example.com/a?b=1, or www.example.org", "see [URL], or [URL]"),
    ("ZIP: 62704-1234", "ZIP: [ZIP]"),
    ("My date of birth is 9/25/1945.", "My date of birth is [DATE_OF_BIRTH]."),
    ("born on 4 July 1982 in Ohio", "born on [DATE_OF_BIRTH] in Ohio"),
    ("My password is hunter2!x and my username is jdoe_9", "My password is [PASSWORD] and my username is [USERNAME]"),
    ("the pin is 4821", "the pin is [PIN]"),
    ("account number 12345678", "account number [ACCOUNT]"),
    ("see (KMM24999563V99860L0KM)", "see [REFERENCE]"),
    ("Order XK-4870 has not arrived", "Order [REFERENCE] has not arrived"),
    ("claim A-99812-BB, please", "claim [REFERENCE], please"),
    ("they looked at 1742, at 1084 and at 104277", "they looked at 1742, at [REFERENCE] and at [REFERENCE]"),
    ("jane.doe (at) example (dot) com or jane[at]mail.example.org", "[EMAIL] or [EMAIL]"),
    ("Ticket XK-1421 was closed by the agent.", "Ticket [REFERENCE] was closed by the agent."),
    ("booking reference KX7P2Q", "booking reference [REFERENCE]"),
    ("pin 10 - 11 - 1234", "pin [PIN]"),
    ("4568 is my pin", "[PIN] is my pin"),
    ("I live at 12 Main Street, Springfield, IL 62704.", "I live at [ADDRESS]."),
    ("ship it to P.O. Box 287", "ship it to [ADDRESS]"),
    ("My name is Jane van der Berg.", "My name is [NAME]."),
    ("This is Mr. O'Brien speaking", "This is Mr. [NAME] speaking"),
    ("Hi John, any news?", "Hi [NAME], any news?"),
    ("Bye.\n\nBest regards,\nAnn-Marie Smith", "Bye.\n\nBest regards,\n[NAME]"),
    ("My name is Aantje Mourik but all call me Aantje", "My name is [NAME] but all call me [NAME]"),
]
SPOKEN = [
    ("my card is four one one one um one one one one", "my card is [CARD]"),
    ("it's double four triple one oh nine seven", "it's [PHONE]"),
    ("my account ends in forty one eleven", "my account ends in [ACCOUNT]"),
    ("the pin is four eight no wait five one two", "the pin is [PIN]"),
    ("call me at four one five five hundred twenty two thirty", "call me at [PHONE]"),
    ("4 1 5, uh, 5 5 5, 0 1 3 2", "[PHONE]"),
    ("jane dot doe at gmail dot com", "[EMAIL]"),
    ("my email is j a n e underscore d forty two at example dot co dot uk", "my email is [EMAIL]"),
    ("it is b as in bravo dot doe at a o l dot com", "it is [EMAIL]"),
    ("nivika 45 gmailcom", "[EMAIL]"),
    ("send it to rolandoortegaoutlookcom please", "send it to [EMAIL] please"),
    ("my confirmation is b as in boy d for delta seven seven two", "my confirmation is [REFERENCE]"),
    ("booking confirmation number is g 75 f 34", "booking confirmation number is [REFERENCE]"),
    ("my booking number is er 25 sv", "my booking number is [REFERENCE]"),
    ("kop 598", "[REFERENCE]"),
    ("as 54 gh", "[REFERENCE]"),
    ("sorry it was hj 7812", "sorry it was [REFERENCE]"),
    ("banu and hr 45 s 4", "banu and [REFERENCE]"),
    ("a 94774", "[REFERENCE]"),
    ("booking confirmation number a 9 he 9 v", "booking confirmation number [REFERENCE]"),
    ("last name is s m i t h", "last name is [NAME]"),
    ("i was born on the fifth of may nineteen eighty two", "i was born on the [DATE_OF_BIRTH]"),
    ("date of birth april two one nine nine zero", "date of birth [DATE_OF_BIRTH]"),
    ("it expires oh nine twenty six", "it expires [EXPIRY]"),
    ("my ip is one ninety two dot one six eight dot one dot ten", "my ip is [IP]"),
    ("my name is jane doe and my ssn is 2675", "my name is [NAME] and my ssn is [SSN]"),
    ("i live at one two three maple street", "i live at [ADDRESS]"),
    ("the passcode on the account is nine nine oh one", "the passcode on the account is [PIN]"),
    ("my password is still walter seven seven two", "my password is still [PASSWORD]"),
    ("ssn two six where was i seven five", "ssn [SSN]"),
    ("so that's seven six one seven oh where was i two correct", "so that's [REFERENCE] correct"),
    (
        "when i type the pin nine six nine seven sorry i meant six it is refused",
        "when i type the pin [PIN] it is refused",
    ),
    ("her number is eight hundred erm five twenty seven twenty six zero five okay", "her number is [PHONE] okay"),
    ("i have six forty three seven hundred seventy nine thirty one", "i have [PHONE]"),
    ("area code five hundred four er eleven sixty two forty one", "area code [PHONE]"),
    ("my birthday's coming up it's one fourteen two thousand two", "my birthday's coming up it's [DATE_OF_BIRTH]"),
    ("it's j as in juliet, o, n as in november at hotmail dot com", "it's [EMAIL]"),
    ("reference zulu nine nine kilo", "reference [REFERENCE]"),
    ("my username is mike underscore eighty two", "my username is [USERNAME]"),
    ("the user name is cool cat ninety nine", "the user name is [USERNAME]"),
    ("my password is sunshine twenty three exclamation mark", "my password is [PASSWORD]"),
    ("password is capital p a s s w zero r d one", "password is [PASSWORD]"),
    ("password is k o a l a okay", "password is [PASSWORD] okay"),
    ("go to example dot com slash account slash five five two and log in", "go to [URL] and log in"),
    ("www dot example dot org forward slash reset", "[URL]"),
]
KEPT = [
    "one of the two pizzas was late",
    "they are open nine to five, and support is twenty four seven",
    "the meeting is at ten thirty",
    "I paid 1,500 dollars for 2 seats in 2019",
    "it cost five hundred and twelve dollars",
    "there were two thousand five hundred of them",
    "I have been a customer since nineteen ninety eight",
    "It's like that since 8/14/1996",
    "I want to change my PIN, I have waited 30 minutes",
    "my card was charged 3 times",
    "I forgot my password again",
    "my password is not working",
    "I am so frustrated with this",
    "hi there, thank you so much",
    "Thanks for nothing",
    "amazon.com is better",
    "the flight is on september 26 2018",
    "the number is five hundred and twelve",
    "my birthday is coming up soon",
    "between sept 5 and sept 10",
    "in 30 min",
    "for 20 ppl",
    "it is on me and my 30 guests",
    "an F-150 and COVID-19",
    "I bought 2 tickets, ticket 100 was the last",
    "speak to a manager",
    "a 45 minute wait",
    "flight 1839 to LGA was late",
    "This is HIGHLY frustrating",
    "I have an older account and login. Nothing works",
    "I bought it in March 2019",
    "a 4K TV 55 inch wide",
    "it was escalated at 1042 by the night shift",
    "call me (at work) or at home",
    "I saw it on example dot com and bought it",
    "the login page is empty and I wait",
    "",
]


@pytest.mark.parametrize(("text", "expected"), [*WRITTEN, *SPOKEN])
def test_what_is_personal_is_replaced_by_its_kind(text: str, expected: str) -> None:
    assert Redactor().redact(text).text == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_is_not_personal_stays(text: str) -> None:
    assert Redactor().redact(text) == Redacted(text, (), ())


@pytest.mark.parametrize(("text", "expected"), [*WRITTEN, *SPOKEN])
def test_a_redacted_text_is_not_redacted_again(text: str, expected: str) -> None:
    assert Redactor().redact(expected).text == expected
    numbered = Redactor(numbered=True).redact(text).text
    assert Redactor(numbered=True).redact(numbered).text == numbered


def test_spans_are_characters_of_the_text_as_given() -> None:
    text = "İ am ☎️ 4\u200b111\u00a01111 1111 1111 \u2013 jane@example.org"
    redacted = Redactor().redact(text)
    assert [text[span.start : span.end] for span in redacted.spans] == [
        "4\u200b111\u00a01111 1111 1111",
        "jane@example.org",
    ]
    assert redacted.kinds == ("CARD", "EMAIL")


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1111".translate({48 + digit: 0xFF10 + digit for digit in range(10)}),  # full width
        "card 4111 1111 1111 1111".translate({48 + digit: 0x0660 + digit for digit in range(10)}),  # Arabic-Indic
        "card 4\ufe0f\u20e3111 1111 1111 1111",  # a keycap
        "card 4111\u00ad1111\u00ad1111\u00ad1111",
        "card 4111\u20131111\u20131111\u20131111",
    ],
)
def test_a_number_in_other_characters_is_found(text: str) -> None:
    assert Redactor().redact(text).text == "card [CARD]"


def test_a_number_in_other_characters_is_the_same_number() -> None:
    other = "4111".translate({48 + digit: 0x0660 + digit for digit in range(10)})
    assert (
        Redactor(numbered=True).redact(f"pin 4111, pin {other}, pin 4112").text
        == "pin [PIN_1], pin [PIN_1], pin [PIN_2]"
    )


def test_a_checksum_decides_the_label_and_never_whether_a_number_is_redacted() -> None:
    assert Redactor().redact("4111111111111111").text == "[CARD]"
    assert Redactor().redact("4111111111111112").text == "[ACCOUNT]"
    assert Redactor().redact("from GB82WEST12345698765432").text == "from [IBAN]"
    assert "WEST" not in Redactor().redact("from GB83WEST12345698765432").text


def test_the_same_value_has_the_same_number_within_a_text() -> None:
    text = "card 4111 1111 1111 1111, I repeat four triple one 1111 1111 1111, not card 4222 2222 2222 2222"
    assert Redactor(numbered=True).redact(text).text == "card [CARD_1], I repeat [CARD_1], not card [CARD_2]"


WORDS = sorted(
    CUE_WORDS | NUMBER_WORDS | ASIDES | NAME_WORDS | {"@", ".", ",", ":", "\n", "/", "-", "+", "(", "dot", "com", "at"}
    | {"4111", "12", "X7", "GB82", "WEST", "Jane", "street", "www.", "http://a.b/c", "\u200b", "\ud83d", "½", "İ"}
)  # fmt: skip


@given(
    st.text()
    | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
    | st.lists(st.sampled_from(WORDS)).map("".join)
)
def test_no_text_makes_it_raise_and_all_but_the_spans_stays(text: str) -> None:
    redacted = Redactor().redact(text)
    rebuilt, end = "", 0
    for span in redacted.spans:
        assert end <= span.start < span.end <= len(text)
        rebuilt += text[end : span.start] + f"[{span.kind}]"
        end = span.end
    assert redacted.text == rebuilt + text[end:]
    assert set(redacted.kinds) == {span.kind for span in redacted.spans} <= set(KINDS)


@given(st.integers(13, 19), st.data())
def test_no_long_number_survives_whatever_separates_its_digits(count: int, data: st.DataObject) -> None:
    digits = data.draw(st.text("0123456789", min_size=count, max_size=count))
    between = data.draw(st.sampled_from(["", " ", "-", ".", " um ", ", "]))
    before = data.draw(st.sampled_from(["", "card ", "it is ", "hello, "]))
    groups = between.join(digits[start : start + 4] for start in range(0, count, 4))
    assert not re.search(r"\d{2}", Redactor().redact(f"{before}{groups}").text)


class Gazetteer:
    """A tagger that knows one name."""

    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[Span(match.start(), match.end(), "NAME") for match in re.finditer("Lefkosia", text)] for text in texts]


class Broken:
    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        raise ValueError(f"cannot tag {texts[0]}")


def test_a_tagger_finds_what_rules_do_not() -> None:
    text = "Lefkosia said her pin is 4821"
    assert Redactor().redact(text).text == "Lefkosia said her pin is [PIN]"
    assert Redactor(tagger=Gazetteer()).redact(text).text == "[NAME] said her pin is [PIN]"


def test_an_error_of_the_tagger_holds_nothing_of_the_text() -> None:
    with pytest.raises(RedactionError, match=r"the tagger failed \(ValueError\)") as caught:
        Redactor(tagger=Broken()).redact("my pin is 4821")
    assert "4821" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("password: Secure!pass", "password: [PASSWORD]"),
        ("password is Strong@1, ok", "password is [PASSWORD], ok"),
        ("my username is help_desk7", "my username is [USERNAME]"),
        ("password (hunter2)", "password ([PASSWORD])"),
        ("my password is My$ecret1", "my password is [PASSWORD]"),
        ("my password: Reset!2024", "my password: [PASSWORD]"),
        ("password is case-sensitive!", "password is case-sensitive!"),
        ("my password is not working", "my password is not working"),
    ],
)
def test_a_secret_that_begins_with_an_ordinary_word_is_one(text: str, redacted: str) -> None:
    """Seen to fail with its first letters taken for the word: it was left, or its first half."""
    assert Redactor().redact(text).text == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("my account number is 482913 am i right", "my account number is [ACCOUNT] am i right"),
        ("cvv is one two three am i done", "cvv is [CVV] am i done"),
        ("my pin is four eight two one am i right", "my pin is [PIN] am i right"),
        ("my account number is 482913 plus i need help", "my account number is [ACCOUNT] plus i need help"),
        ("my pin is 4821 second question how do i pay", "my pin is [PIN] second question how do i pay"),
        ("it was 1042 am i think", "it was 1042 am i think"),
        ("call me at 9 30 am i am free", "call me at 9 30 am i am free"),
        ("wait 30 seconds please", "wait 30 seconds please"),
    ],
)
def test_a_word_that_begins_the_next_clause_is_no_unit(text: str, redacted: str) -> None:
    """A recogniser writes no full stop. Seen to fail: the number counted as so many "am"."""
    assert Redactor().redact(text).text == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("sort code 20-05-99", "sort code [ACCOUNT]"),
        ("my account number is 1205-11-05", "my account number is [ACCOUNT]"),
        ("+33.6.12.34.56.78", "[PHONE]"),
        ("my phone number is 06.12.34.56.78", "my phone number is [PHONE]"),
        ("my account was opened on 12-05-2019", "my account was opened on 12-05-2019"),
        ("call me on 12-05-2019", "call me on 12-05-2019"),
        ("order date 12.05.2019, ok", "order date 12.05.2019, ok"),
    ],
)
def test_a_number_that_looks_like_a_date_is_what_the_words_say(text: str, redacted: str) -> None:
    assert Redactor().redact(text).text == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("my email is jane.doe at gmail.com", "my email is [EMAIL]"),
        ("write to jane_doe at acme.co.uk please", "write to [EMAIL] please"),
        ("jane@gmail. com and jane @ gmail . com", "[EMAIL] and [EMAIL]"),
        ("I shop at amazon.com.", "I shop at amazon.com."),
        ("me @ home. in five minutes", "me @ home. in five minutes"),
    ],
)
def test_an_address_that_is_half_said_is_one(text: str, redacted: str) -> None:
    assert Redactor().redact(text).text == redacted


def test_letters_with_marks_of_their_own_are_read_as_most_programs_write_them() -> None:
    """As macOS writes them (NFD). Seen to fail: the address was none, and the name ended before its accent."""
    given = unicodedata.normalize("NFD", "My name is José García, zoë@example.com!")
    assert Redactor().redact(given).text == "My name is [NAME], [EMAIL]!"
    assert Redactor().redact("pin 4821\u20e3 ok").text == "pin [PIN] ok"
