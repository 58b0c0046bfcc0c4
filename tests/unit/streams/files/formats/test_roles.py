import pytest

from schemas.errors import UsageError
from streams.files.formats.roles import mapped_role, parse_roles, role_word
from streams.files.formats.words import channel_word, language_tag


@pytest.mark.parametrize(
    ("word", "role"),
    [("AGENT", "agent"), ("Human Agent", "agent"), ("END_USER", "customer"), ("end-user", "customer"),
     ("Caller", "customer"), ("Customer 2", "customer"),
     ("Agent Ann", "agent"), ("AUTOMATED_AGENT", "bot"), ("SYSTEM", "system"),
     ("Customer Support", "unknown"), ("spk_0", "unknown"), ("A", "unknown"), ("Ann Lee", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_words_for_roles(word: str, role: str) -> None:
    assert role_word(word) == role


def test_a_vendors_own_words_come_first() -> None:
    assert role_word("User", {"user": "agent"}) == "agent"


def test_a_role_map() -> None:
    roles = parse_roles(["spk_0=agent", "Ann = Lee=customer", "channel:1=bot"])
    assert roles == {"spk_0": "agent", "ann = lee": "customer", "channel:1": "bot"}
    assert mapped_role(["SPK_0"], roles) == "agent"
    assert mapped_role(["x", "channel:1"], roles) == "bot"
    assert mapped_role(["x"], roles) is None


@pytest.mark.parametrize("item", ["spk_0", "=agent", "spk_0=", "spk_0=boss"])
def test_a_role_map_that_says_nothing_is_refused(item: str) -> None:
    with pytest.raises(UsageError, match="give WHO=ROLE, where ROLE is one of unknown, customer, agent, bot, system"):
        parse_roles([item])


@pytest.mark.parametrize(
    ("word", "channel"),
    [("VOICE", "voice"), ("PHONE_CALL", "voice"), ("Channel::WebWidget", "chat"), ("Channel::Email", "email"),
     ("native_messaging", "chat"), ("Channel::FacebookPage", "social"), ("call", "voice"), ("xyz", "unknown"),
     ("", "unknown")],
)  # fmt: skip
def test_words_for_channels(word: str, channel: str) -> None:
    assert channel_word(word) == channel


@pytest.mark.parametrize(
    ("word", "tag"),
    [("en-us", "en-US"), ("en_US", "en-US"), ("english", "en"), ("zh-hant-tw", "zh-Hant-TW"), ("de", "de"), ("", None),
     ("klingon language", None), ("und", None), ("e", None)],
)  # fmt: skip
def test_languages(word: str, tag: str | None) -> None:
    assert language_tag(word) == tag
