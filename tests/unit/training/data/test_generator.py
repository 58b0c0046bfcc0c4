"""Generated texts: they follow the rules, and the behaviour suite shares nothing with them."""

import re
from collections import Counter
from typing import get_args

import pytest

from schemas.records import Channel, Role
from training.data import suite
from training.data.corpus import text_key
from training.data.generator import Made, generate
from training.data.grammar import Grammar, GrammarError, Start, load


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return generate(50_000, 1)


def test_the_same_seed_makes_the_same_texts_and_another_makes_others() -> None:
    assert generate(200, 3) == generate(200, 3)
    assert len({each.text for each in generate(200, 3)} & {each.text for each in generate(200, 4)}) < 20


def test_texts_differ_in_more_than_case_and_spaces(made: list[Made]) -> None:
    assert len({" ".join(each.text.casefold().split()) for each in made}) == len({each.id for each in made}) == 50_000


def test_every_kind_label_role_and_channel_has_its_share(made: list[Made]) -> None:
    kinds = Counter(each.kind for each in made)
    assert len(kinds) >= 30
    assert min(kinds.values()) >= 0.015 * len(made)
    labels = Counter(each.label for each in made)
    assert labels.pop(suite.UNSURE) == kinds["other_language"]
    assert min(labels.values()) >= 0.2 * len(made)
    assert {each.role for each in made} == set(get_args(Role)) - {"unknown"}
    assert {each.channel for each in made} == set(get_args(Channel)) - {"unknown"}


def test_most_turns_that_were_written_one_by_one_are_drawn(made: list[Made]) -> None:
    """Seen to fail with each start of a kind drawn alike: 0.65."""
    written = {text for start in load().starts for text in start.texts if "{" not in text}
    assert len(written & {each.turn for each in made}) >= 0.8 * len(written)


def test_what_bots_and_systems_write_is_neutral_and_most_of_what_agents_say(made: list[Made]) -> None:
    labels = {role: Counter(each.label for each in made if each.role == role) for role in ("bot", "system", "agent")}
    assert set(labels["bot"]) == set(labels["system"]) == {"neutral"}
    starts = [start for start in load().starts if start.role == "agent"]
    assert {start.label for start in starts} == {"negative", "neutral", "positive"}


def test_nothing_of_the_grammar_s_marks_is_left_in_a_text(made: list[Made]) -> None:
    assert not [each.text for each in made if re.search(r"[{}]|^\s|\s$|\{#", each.text)]


def test_an_article_fits_the_word_behind_it(made: list[Made]) -> None:
    # In speech a filler may stand between the two.
    written = [each.text for each in made if each.channel != "voice"]
    assert not [text for text in written if re.search(r"\b[Aa] [aeio](?!ne\b|nce\b|u)", text)]
    assert [text for text in written if re.search(r"\ban (office chair|air fryer|e-reader)", text)]


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    said = words(text)
    return {tuple(said[at : at + length]) for at in range(len(said) - length + 1)}


def test_no_generated_text_is_an_item_of_the_behaviour_suite_or_shares_much_of_its_wording(made: list[Made]) -> None:
    items = suite.load()
    exact = {item.text for item in items}
    keys = {text_key(item.text) for item in items if words(item.text)}
    # Without a word there is no key to compare by.
    assert not [each.text for each in made if each.text in exact or (words(each.text) and text_key(each.text) in keys)]
    for length, most in ((7, 0.0), (5, 0.01)):
        generated = {run for each in made for run in runs(each.text, length)}
        of_items = [run for item in items for run in runs(item.text, length)]
        assert sum(run in generated for run in of_items) <= most * len(of_items)


def test_a_text_that_is_to_stay_as_it_is_does() -> None:
    start = Start(kind="emoji", label="positive", style="none", texts=("Oh {a}.",))
    other = Start(kind="more", label="positive", style="none", texts=("{#6}",))
    texts = {each.text for each in generate(20, 1, Grammar((start, other), {"a": ("wow", "my")}))}
    assert {"Oh wow.", "Oh my."} <= texts
    assert all(text.startswith("Oh ") or text.isdigit() for text in texts)


def test_a_mail_quotes_others_and_begins_and_ends_as_mails_do(made: list[Made]) -> None:
    mails = [each for each in made if each.channel == "email"]
    assert len(mails) > 3_000
    assert all(each.text.count("\n\n") >= 2 and each.role in ("customer", "agent") for each in mails)
    quoting = [each for each in mails if "\n> " in each.text]
    assert 0.2 < len(quoting) / len(mails) < 0.4


def test_a_grammar_that_is_too_small_says_how_many_texts_it_makes() -> None:
    start = Start(kind="emoji", label="positive", style="none", texts=("{a}",))
    with pytest.raises(GrammarError, match="makes about 2 different texts, not 3: ask for fewer"):
        generate(3, 1, Grammar((start,), {"a": ("x", "y")}))
