# ruff: noqa: RUF001 - characters that look like others are what is tried
"""The rules that training and the worker share."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.redaction import KINDS, ConversationRedactor
from models.symbol_names import NAMES
from models.text import PLACEHOLDERS, normalise


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("thanks, that was quick!", "thanks, that was quick!"),
        ("@SouthwestAir @united2 why?", "@user @user why?"),
        ("@user", "@user"),
        ("see https://t.co/aB1?x=1&y=2 now", "see [url] now"),
        ("HTTP://EXAMPLE.COM and www.example.com/a", "[url] and [url]"),
        ("write to jane.doe+x@mail.example.co.uk, please", "write to [email], please"),
        ("half a mail a@b stays", "half a mail a@b stays"),
        ("you &amp; me &lt;3", "you & me <3"),
        ("twice &amp;amp;lt; escaped &amp;amp; text", "twice < escaped & text"),
        ("R&D, &copie; and AT&T;", "R&D, &copie; and AT&T;"),
        ("it&rsquo;s &eacute;t&eacute; &#8211; &#x1F602;", "it's été - face with tears of joy"),
        ("<p>Great&nbsp;<b>ser</b>vice<br/>thanks</p>", "Great service thanks"),
        ("&lt;div class=&quot;x&quot;&gt;bad&lt;/div&gt;", "bad"),
        ("I <3 you, a < b and x<y>z", "I <3 you, a < b and x<y>z"),
        ("<style><!-- p.bad{color:red} --></style><p>Where?</p><STYLE>b</STYLE>", "Where?"),
        ("<style>p{} Where?", "p{} Where?"),
        ("ᴜɴᴀᴄᴄᴇᴘᴛᴀʙʟᴇ ꜱᴇʀᴠɪᴄᴇ", "unacceptable service"),
        ("Ｇｒｅａｔ　ｓｅｒｖｉｃｅ！", "Great service!"),
        ("𝐆𝐫𝐞𝐚𝐭 𝓼𝓮𝓻𝓿𝓲𝓬𝓮 Ⓑⓐⓓ ﬁne 𝟓", "Great service Bad fine 5"),
        ("donâ€™t â€œgoâ€\u009d, cafÃ©, CAFÉ™ ðŸ˜‚", 'don\'t "go", café, CAFÉ trade mark sign face with tears of joy'),
        ("twice Ã¢â‚¬â„¢s", "twice 's"),
        ("T E R R I B L E and t.e.r.r.i.b.l.e, U.S.A. and a b c", "TERRIBLE and terrible, U.S.A. and a b c"),
        ("Perfect, thanks.\n\n-----Original Message-----\nFrom: Sam\nSubject: Complaint", "Perfect, thanks."),
        ("> all of it is quoted", "> all of it is quoted"),
        ("fine 😂", "fine face with tears of joy"),
        ("thanks 🩷🫸🏽🫩", "thanks pink heart rightwards pushing hand face with bags under eyes"),
        ("👍🏽👍", "thumbs up sign thumbs up sign"),
        ("love ❤️ it", "love heavy black heart it"),
        ("fly 🇬🇧", "fly"),
        ("“it’s late…”", '"it\'s late..."'),
        ("zero\u200bwidth and\u00a0fixed", "zerowidth and fixed"),
        ("  two\n lines\t and  gaps ", "two lines and gaps"),
        ("café, naïve, 日本", "café, naïve, 日本"),
        ("", ""),
    ],
)
def test_normalise(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


# Pieces that the rules react to, so that random texts hit them and their neighbours.
FRAGMENTS = st.sampled_from(
    [
        *"&;@.#/: \n😂🇬‘…\u200b\ufe0f",
        *("&amp;", "amp;", "&lt", "lt;", "&nbsp;", "http", "://", "www.", "@user", "[url]", "a@b.co"),
        *(
            "<b>",
            "<style>",
            "</style>",
            "</b",
            "<b ",
            "&#8203;",
            "203;",
            "&#",
            "&eacute;",
            "Ã",
            "Â",
            "©",
            "â€",
            "™",
            "ａ",
            "＜",
            "\n> ",
            "a ",
            ".b",
        ),
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(FRAGMENTS, st.text(max_size=3))).map("".join)))
@example("&\u200bamp;lt;")
@example("www…x")
@example("&am&amp;p;lt;")
@example("<b<b> x>")
@example("&am<b>p;lt;")
@example("&#8&#8&#8&#8&#8&#8203;203;203;203;203;203;")
@example("Ã\u200b©")
@example("&＃8203;")
@example("<" * 9 + "b>" * 9)
@example("a b c d e f.g.h.i.j.k")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.lists(FRAGMENTS).map("".join))
def test_no_address_survives(noise: str) -> None:
    text = normalise(f"{noise} mail jane.doe@example.com or https://example.com/jane as @jane_doe {noise}")
    assert "jane" not in text


@pytest.mark.parametrize(
    "run",
    [
        "a" * 200_000,
        "a." * 100_000,
        "@" * 200_000,
        "&amp;" * 40_000,
        "a@b." * 50_000,
        "<b" * 100_000,
        "<b>" * 70_000,
        "<style><!-- -->" * 20_000,
        "&#8" * 70_000 + "203;" * 70_000,
        "Â" * 200_000 + "©",
        "a." * 100_000 + " ",
        "\n>" * 100_000,
    ],
)
def test_a_long_run_of_address_characters_is_read(run: str) -> None:
    """A quadratic pattern would take minutes on these; the suite's time limit is the judge."""
    assert normalise(f"{run} @")


def test_a_name_is_the_one_that_pythons_unicode_gives() -> None:
    for symbol, name in NAMES.items():
        assert unicodedata.name(symbol, name.upper()) == name.upper()  # 3.11 knows none of them


def test_what_redaction_put_into_a_text_is_words() -> None:
    assert set(PLACEHOLDERS) == set(KINDS)
    redacted = ConversationRedactor().redact("a", "My name is Jane Doe, the card is 4111 1111 1111 1111")
    assert redacted.text == "My name is [NAME_1], the card is [CARD_1]"
    assert normalise(redacted.text) == "My name is alex, the card is number"
    assert normalise("[NAME], [OTHER_1] and [name_1]") == "[NAME], [OTHER_1] and [name_1]", "as the models learned it"
