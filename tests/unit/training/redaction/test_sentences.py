"""Made-up written sentences: what they are made of, and that what is measured on was not learned from."""

import random

from training.redaction.people import People, held_out, origins
from training.redaction.sentences import as_typed, bank, sentences

LEARNED, HELD_OUT = (list(sentences(1500, 3, learned=learned)) for learned in (True, False))


def test_every_slot_is_filled_and_every_span_is_what_it_says() -> None:
    for item in (*LEARNED, *HELD_OUT):
        assert "{" not in item.text
        for span in item.spans:
            value = item.text[span.start : span.end]
            assert value
            assert value == value.strip()
            assert (
                span.kind != "ADDRESS" or any(char.isdigit() for char in value) or "corner" in value or " and " in value
            )


def test_a_quarter_has_nothing_to_be_found() -> None:
    for made in (LEARNED, HELD_OUT):
        without = sum(not any(span.kind in {"NAME", "ADDRESS"} for span in item.spans) for item in made)
        assert 0.2 < without / len(made) < 0.33


def test_the_same_seed_makes_the_same() -> None:
    assert list(sentences(50, 3, learned=True)) == LEARNED[:50]
    assert list(sentences(50, 4, learned=True)) != LEARNED[:50]


def test_what_is_held_out_is_not_learned() -> None:
    templates = [
        {text for key in ("people", "places", "calm") for text in bank(learned=each)[key]} for each in (True, False)
    ]
    assert templates[0].isdisjoint(templates[1])
    names = [
        {name for origin in origins(learned=each) for name in (*origin.first, *origin.last)} for each in (True, False)
    ]
    assert not any(map(held_out, names[0]))
    assert all(map(held_out, names[1]))
    assert 0.15 < len(names[1]) / len(names[0] | names[1]) < 0.35
    people = People(random.Random(1), learned=True)
    words = {word.casefold() for _ in range(500) for word in people.name().split()}
    made_of_letters = {name.casefold() for name in names[1]} & words
    assert len(made_of_letters) < 10, "by chance alone"


def test_some_are_as_people_type_them() -> None:
    typed = list(as_typed(iter(LEARNED), 5))
    assert [item.conversation for item in typed] == [item.conversation for item in LEARNED]
    plain = sum(item.text == item.text.lower() and not set(item.text) & set(",.?!") for item in typed)
    small = sum(item.text == item.text.lower() for item in typed)
    assert 0.2 < plain / len(typed) < 0.4
    assert plain < small < 0.5 * len(typed)
