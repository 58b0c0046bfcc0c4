import re

import pytest

from models.redaction import KINDS
from training.redaction.spoken import conversations, turns
from training.redaction.spoken_banks import HELD_OUT, TUNING


def test_the_same_seed_makes_the_same_turns() -> None:
    assert list(turns(HELD_OUT, 50, 3)) == list(turns(HELD_OUT, 50, 3))
    assert list(turns(HELD_OUT, 50, 3)) != list(turns(HELD_OUT, 50, 4))


@pytest.mark.parametrize("bank", [*TUNING, HELD_OUT])
def test_spans_hold_the_values_and_all_else_is_the_template(bank: object) -> None:
    made = list(turns(bank, 300, 3))  # type: ignore[arg-type]
    assert {span.kind for turn in made for span in turn.spans} <= set(KINDS)
    assert any(not turn.spans for turn in made)
    for turn in made:
        text = turn.text
        for span in reversed(turn.spans):
            assert text[span.start : span.end].strip()
            text = text[: span.start] + text[span.end :]
        assert not re.search(r"\d|[{}]", text)


def test_what_is_held_out_shares_no_phrase_and_no_value_with_what_rules_were_tuned_on() -> None:
    for bank in TUNING:
        for name in ("first_names", "last_names", "domains", "streets", "calm"):
            assert not set(getattr(bank, name)) & set(getattr(HELD_OUT, name)), name
        assert not {t for ts in bank.templates.values() for t in ts} & {
            t for ts in HELD_OUT.templates.values() for t in ts
        }


def test_a_conversation_says_a_number_in_two_parts_and_repeats_it() -> None:
    talk = list(conversations(HELD_OUT, 1, 3))
    assert [len(turn.spans) for turn in talk] == [0, 1, 0, 1, 0, 1]
    assert len({turn.conversation for turn in talk}) == 1
