"""The recount of conversations, held against states as the agent writes them, and against states with a fault."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import LABELS, ConversationState, SentimentResult
from streams.monitoring.conversation import DETAILED_TURNS
from streams.verify.conversations import Recount
from tests.conversations import states_of
from tests.events import RESULT


def result(name: str, turn: int, score: int = 0, **changes: Any) -> SentimentResult:
    """A result whose score is `score` thousandths."""
    negative, positive = max(0, -score) / 1000, max(0, score) / 1000
    values = {"negative": negative, "positive": positive, "neutral": 1 - negative - positive} | changes
    return dataclasses.replace(RESULT, conversation_id=name, turn=turn, **values)


def differences(results: list[SentimentResult], states: list[ConversationState]) -> list[str]:
    recount = Recount()
    for each in results:
        recount.add(each)
    return list(recount.differences(states))


@given(
    st.lists(
        st.builds(
            result,
            st.sampled_from("abc"),
            st.integers(0, 5),
            st.integers(-1000, 1000),
            role=st.sampled_from(["customer", "agent", "unknown"]),
            label=st.sampled_from(LABELS),
            scored_at=st.integers(0, 3),
            last=st.just(False),
        ),
        max_size=30,
    )
)
def test_what_the_agent_writes_is_what_is_recounted(results: list[SentimentResult]) -> None:
    assert differences(results, states_of(results)) == []


RESULTS = [
    result("a", 0, 500, role="agent", label="positive"),
    result("a", 1, -900, role="customer", label="negative"),
    result("a", 2, 100, role="customer", label="neutral", last=True),
    result("b", 0, 0, role="customer", label="neutral"),
]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"status": "open"}, "a: its status is open, its last turn was marked as the last"),
        ({"turns": {"agent": 1, "customer": 2, "overall": 4}}, "a: it has 4 turns, its results have 3"),
        ({"turns": {"agent": 2, "customer": 1, "overall": 3}}, "a: agent has 2 turns, in the results 1"),
        (
            {"turns": {"customer": 3, "overall": 3}},
            "a: its parties are customer, overall, of its",
        ),
        ({"mean_score": {"agent": 0.5, "customer": -0.399}}, "a: customer's scores are not those of the results"),
        ({"last_label": {"agent": "negative"}}, "a: agent's last label is negative, in the results positive"),
    ],
)
def test_a_state_with_a_fault_is_found(change: dict[str, Any], says: str) -> None:
    states = states_of(RESULTS)
    states[0] = dataclasses.replace(states[0], **change)
    assert any(found.startswith(says) for found in differences(RESULTS, states))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda states: states[:1], "b: no state"),
        (lambda states: [*states, dataclasses.replace(states[0], conversation_id="c")], "c: there is no result of it"),
        (lambda states: [*states, states[0]], "a: there is no result of it, or two states"),
    ],
)
def test_a_state_too_few_or_too_many(
    change: Callable[[list[ConversationState]], list[ConversationState]], says: str
) -> None:
    [found] = differences(RESULTS, change(states_of(RESULTS)))
    assert found.startswith(says)


def test_an_unfinished_conversation_has_not_ended() -> None:
    states = states_of(RESULTS)
    timed_out = [states[0], dataclasses.replace(states[1], status="timed_out")]
    assert differences(RESULTS, timed_out) == []
    ended = [states[0], dataclasses.replace(states[1], status="ended")]
    assert differences(RESULTS, ended) == ["b: its status is ended, its last turn was not marked as the last"]


def test_long_conversations_are_recounted_whole() -> None:
    results = [result("a", turn, turn % 7 * 100) for turn in range(DETAILED_TURNS + 100)]
    assert differences(results, states_of(results)) == []
    [state] = states_of(results[1:])
    assert differences(results, [state]) != []


def test_nothing_is_nothing() -> None:
    assert differences([], []) == []
