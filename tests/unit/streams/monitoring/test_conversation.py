"""A conversation's state: whatever the order of arrival, and what its figures mean."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import linear_regression
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.escalation import load_escalation_model
from schemas.codec import Codec
from schemas.records import LABELS, ConversationState, Role, SentimentResult
from schemas.topics import CONVERSATIONS
from streams.monitoring.conversation import DETAILED_TURNS, OVERALL, Conversation, Figures
from tests.events import RESULT

MODEL = load_escalation_model("escalation")
ROLES: tuple[Role, ...] = ("customer", "agent")


def result(turn: int, score: float = 0.0, role: Role = "customer", **changes: Any) -> SentimentResult:
    """The result of a turn whose probabilities give `score`."""
    negative, positive = max(0.0, -score), max(0.0, score)
    neutral = 1 - negative - positive
    label = LABELS[[negative, neutral, positive].index(max(negative, neutral, positive))]
    values = {"turn": turn, "role": role, "negative": negative, "neutral": neutral, "positive": positive} | changes
    return dataclasses.replace(RESULT, **{"label": label, "conversation_id": "c", "scored_at": 5_000, **values})


def conversation(results: Iterable[SentimentResult]) -> Conversation:
    found = Conversation("c")
    for each in results:
        found.add(each, 0)
    return found


def record(results: Iterable[SentimentResult]) -> ConversationState:
    return conversation(results).to_record(MODEL, 2.0, 9_000)


def figures(results: Iterable[SentimentResult], party: str = OVERALL) -> Figures:
    return conversation(results).figures()[party]


RESULTS = st.builds(
    result,
    turn=st.integers(0, 30),
    score=st.sampled_from([-1.0, -0.7, -0.25, 0.0, 0.125, 0.5, 1.0]),
    role=st.sampled_from(ROLES),
    scored_at=st.integers(1_000, 1_004),
    occurred_at=st.integers(1_000, 2_000),
)


@st.composite
def two_orders(draw: st.DrawFn) -> tuple[Sequence[SentimentResult], Sequence[SentimentResult]]:
    results = draw(
        st.lists(RESULTS, min_size=1, max_size=40, unique_by=lambda each: (each.turn, each.role, each.scored_at))
    )
    # What says where the conversation is belongs to a turn, not to the answer that arrives.
    results = [dataclasses.replace(each, last=each.turn % 3 == 0, source=f"s{each.turn}") for each in results]
    return results, draw(st.permutations(results))


@given(two_orders())
def test_any_order_of_arrival_gives_the_same_state(
    orders: tuple[Sequence[SentimentResult], Sequence[SentimentResult]],
) -> None:
    first, second = orders
    assert record(first) == record(second)


@given(st.permutations(range(DETAILED_TURNS + 40)))
def test_any_order_of_arrival_gives_the_same_state_beyond_the_turns_kept_one_by_one(order: Sequence[int]) -> None:
    made = [result(turn, (turn % 21 - 10) / 10, ROLES[turn % 3 == 0]) for turn in order]
    state = record(made)
    assert state == record(sorted(made, key=lambda each: each.turn))
    assert state.turn_numbers == tuple(range(40, DETAILED_TURNS + 40))
    assert state.turns[OVERALL] == DETAILED_TURNS + 40
    scores = [(turn % 21 - 10) / 10 for turn in range(DETAILED_TURNS + 40)]
    assert state.mean_score[OVERALL] == pytest.approx(sum(scores) / len(scores))
    assert state.earlier_turns == Counter(ROLES[turn % 3 == 0] for turn in range(40))


@given(st.lists(RESULTS, min_size=1, max_size=40), st.integers(1, 39))
def test_a_state_that_is_written_and_read_back_goes_on_as_it_was(results: list[SentimentResult], cut: int) -> None:
    codec = Codec(CONVERSATIONS)
    written = codec.decode(codec.encode(record(results[:cut])))
    went_on = Conversation.from_record(written)
    for each in results[cut:]:
        went_on.add(each, 0)
    assert went_on.to_record(MODEL, 2.0, 9_000) == record(results)


def test_a_long_conversation_survives_being_read_back() -> None:
    results = [result(turn) for turn in range(DETAILED_TURNS + 5)]
    went_on = Conversation.from_record(record(results[:-1]))
    went_on.add(results[-1], 0)
    assert went_on.to_record(MODEL, 2.0, 9_000) == record(results)


def test_a_party_whose_turns_are_all_long_past_counts_on() -> None:
    results = [result(0, -1.0, "agent"), *(result(turn) for turn in range(1, DETAILED_TURNS + 1))]
    state = record(results)
    assert (state.turns["agent"], state.mean_score["agent"]) == (1, -1.0)
    assert "agent" not in state.last_label


def test_of_two_answers_for_a_turn_the_later_counts_whichever_comes_first() -> None:
    edge, cloud = result(3, -0.9, scored_at=1_000), result(3, 0.4, scored_at=1_200)
    for order in ([edge, cloud], [cloud, edge]):
        assert figures(order)[:2] == (1, 0.4)


def test_two_parties_may_number_their_turns_each() -> None:
    assert figures([result(1, -1.0), result(1, 1.0, "agent")])[:2] == (2, 0.0)


def test_parties_are_kept_apart() -> None:
    state = record([result(0, 1.0, "agent"), result(1, -0.5), result(2, -1.0), result(3, 0.0, "agent")])
    assert state.turns == {"agent": 2, "customer": 2, OVERALL: 4}
    assert state.mean_score == {"agent": 0.5, "customer": -0.75, OVERALL: -0.125}
    assert state.last_label == {"agent": "neutral", "customer": "negative", OVERALL: "neutral"}


def test_quarters_are_of_the_whole_conversation_on_contact_lenss_scale() -> None:
    talk = [result(turn, score) for turn, score in enumerate([-1.0, -1.0, -0.5, 0.0, 0.0, 0.0, 1.0, 0.5])]
    assert figures(talk).quarters == (-5.0, -1.25, 0.0, 3.75)
    talk[0] = result(0, -1.0, "agent")
    talk[1] = result(1, -1.0, "agent")
    assert figures(talk, "customer").quarters == (None, -1.25, 0.0, 3.75)
    assert figures(talk, "agent").quarters == (-5.0, None, None, None)


def test_a_single_turn_is_the_first_quarter() -> None:
    assert figures([result(7, 0.2)]).quarters == (1.0, None, None, None)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30))
def test_the_slope_is_the_least_squares_lines(scores: list[int]) -> None:
    found = figures([result(2 * turn, score / 1000) for turn, score in enumerate(scores)]).slope
    assert found == pytest.approx(linear_regression(range(len(scores)), [score / 1000 for score in scores]).slope)


def test_the_longest_run_of_negative_turns_is_by_turn_and_party() -> None:
    bad, good = -0.9, 0.9
    order = [(5, bad), (0, bad), (4, bad), (2, good), (6, good), (1, bad), (3, bad), (7, bad)]
    talk = [result(turn, score) for turn, score in order]
    assert figures(talk).negative_run == 3
    assert figures([*talk, result(4, good, scored_at=6_000)]).negative_run == 2
    assert figures([*talk, result(10, good, "agent"), result(11, bad), result(12, bad)], "customer").negative_run == 3


def test_the_last_turn_ends_it_and_an_earlier_one_that_comes_late_does_not_open_it() -> None:
    talk = conversation([result(0), result(9, last=True)])
    assert talk.status == "ended"
    talk.add(result(4), 0)
    assert talk.status == "ended"
    opened = conversation([result(0), result(9, last=True), result(10)])
    assert opened.status == "open"


def test_what_its_latest_turn_says_is_what_it_is() -> None:
    state = record([result(3, channel="voice", source="new"), result(2, channel="email", source="old")])
    assert (state.channel, state.source) == ("voice", "new")


def test_times_are_the_turns_own() -> None:
    state = record([result(2, occurred_at=700), result(0, occurred_at=300), result(1, occurred_at=900)])
    assert (state.started_at, state.last_turn_at, state.updated_at) == (300, 900, 9_000)


def test_a_risk_that_reaches_the_threshold_is_noted_once() -> None:
    talk = conversation([result(0, 0.9)])
    calm = talk.to_record(MODEL, 0.5, 1_000)
    assert calm.risk < 0.5
    assert calm.escalated_at is None
    for turn in range(1, 8):
        talk.add(result(turn, -0.9), 0)
    angry = talk.to_record(MODEL, 0.5, 2_000)
    assert angry.risk > 0.5
    assert angry.escalated_at == 2_000
    assert angry.risk_reasons
    again = Conversation.from_record(angry)
    again.add(result(8, -0.9), 0)
    assert again.to_record(MODEL, 0.5, 3_000).escalated_at == 2_000


def test_a_record_whose_turns_do_not_fit_together_is_refused() -> None:
    state = record([result(0), result(1)])
    with pytest.raises(ValueError, match="shorter"):
        Conversation.from_record(dataclasses.replace(state, turn_roles=state.turn_roles[:1]))
    empty: dict[str, Any] = dict.fromkeys(
        ("turn_numbers", "turn_roles", "turn_labels", "turn_scores", "turn_times"), ()
    )
    with pytest.raises(ValueError, match="no turns"):
        Conversation.from_record(dataclasses.replace(state, **empty))
