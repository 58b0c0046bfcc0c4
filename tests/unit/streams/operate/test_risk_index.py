"""Conversations by risk: the latest state of each counts, and where it lies is known."""

import random
from collections import Counter
from dataclasses import replace

from schemas.records import ConversationState
from streams.operate.risk_index import RiskIndex, StateRecord
from tests.reports import state


def put(index: RiskIndex, name: str, made: ConversationState | None, *, offset: int = 0, written_at: int = 0) -> None:
    index.put([StateRecord(2, offset, name.encode(), written_at, made)])


def test_counts_and_order_are_those_of_the_latest_states() -> None:
    draw, index = random.Random(2), RiskIndex()
    latest: dict[str, ConversationState] = {}
    plain = state("c", 0.5)
    for _ in range(3_000):
        name = f"c{draw.randrange(400)}"
        if draw.random() < 0.1:
            latest.pop(name, None)
            put(index, name, None)
        else:
            latest[name] = replace(plain, risk=draw.random(), status=draw.choice(("open", "ended", "timed_out")))
            put(index, name, latest[name])
    assert index.by_status() == dict(sorted(Counter(each.status for each in latest.values()).items()))
    at_risk = Counter(each.status for each in latest.values() if each.risk >= 0.7)
    assert index.at_risk(0.7) == dict(sorted(at_risk.items()))
    ordered = sorted(latest, key=lambda name: -latest[name].risk)
    assert [each.conversation_id for each in index.highest(20)] == ordered[:20]
    assert [each.conversation_id for each in index.highest(20, after=20)] == ordered[20:40]
    ended = [name for name in ordered if latest[name].status == "ended"]
    assert [each.conversation_id for each in index.highest(5, "ended", 5)] == ended[5:10]


def test_a_state_is_found_again_where_it_was_read() -> None:
    index = RiskIndex()
    put(index, "ä", state("ä", 0.9), offset=7)
    put(index, "ä", replace(state("ä", 0.8), risk_reasons=()), offset=9)
    assert index.place("ä") == (2, 9)
    assert index.place("b") is None
    [only] = index.highest(5)
    assert (only.conversation_id, only.risk, only.reasons) == ("ä", 0.8, ())


def test_what_has_not_been_written_for_long_is_forgotten() -> None:
    index = RiskIndex()
    for at in range(10):
        put(index, f"c{at}", state(f"c{at}", 0.9), written_at=at)
    index.forget_before(4)
    assert index.by_status() == {"open": 6}
    assert index.place("c3") is None
    assert index.place("c4") is not None


def test_a_risk_that_is_no_number_is_not_listed() -> None:
    """Seen to fail with a risk of None, which the list could not write."""
    index = RiskIndex()
    put(index, "a", state("a", 0.9))
    put(index, "b", state("b", float("nan")))
    assert [each.conversation_id for each in index.highest(5)] == ["a"]
    assert index.by_status() == {"open": 1}
