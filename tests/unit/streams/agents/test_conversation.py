"""The conversation agent between its two topics, whatever becomes of its transactions."""

import asyncio
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import ARTIFACTS
from models.escalation import MODEL_FILE, load_escalation_model
from schemas.codec import Codec
from schemas.records import Alert, ConversationState, Label, Role, SentimentResult
from schemas.topics import ALERTS, CONVERSATIONS, DEAD_LETTERS, SENTIMENT
from streams.agents.agent import Output
from streams.agents.conversation import ConversationAgent, build
from streams.agents.topic_state import StateError
from streams.config.settings import Settings
from streams.monitoring.conversation import OVERALL, Conversation
from tests.events import RESULT, consumer_record

MINUTE = 60_000
NOON = 1_700_049_600_000

MODEL = load_escalation_model("escalation")
results = Codec(SENTIMENT)
conversations = Codec(CONVERSATIONS)
alerts = Codec(ALERTS)

Batch = Sequence[SentimentResult]


def result(name: str, turn: int, negative: float = 0.1, role: Role = "customer", **changes: Any) -> SentimentResult:
    label: Label = "negative" if negative > 0.5 else "positive"
    made = dataclasses.replace(
        RESULT, conversation_id=name, turn=turn, role=role, label=label,
        negative=negative, neutral=0.0, positive=1 - negative,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


class Line:
    """The agent between its two topics: what is committed stays, what is aborted never was."""

    def __init__(self, **settings: Any) -> None:
        self.now = NOON
        self.stored: list[tuple[bytes, bytes | None, int]] = []
        self.counted: list[SentimentResult] = []
        self.alerts: list[Alert] = []
        self.settings = Settings(**settings)
        self.agent = self.worker()

    def worker(self) -> ConversationAgent:
        return ConversationAgent(self.settings, MODEL, self.read_back, clock=lambda: self.now)

    def read_back(self, topic: str, since_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        assert topic == CONVERSATIONS
        return iter([(key, value) for key, value, at_ms in self.stored if at_ms >= since_ms])

    def process(self, batch: Batch, partition: int = 0) -> list[Output]:
        records = [consumer_record(results.encode(each), topic=SENTIMENT, partition=partition) for each in batch]
        return asyncio.run(self.agent.process(records))

    def commit(self, batch: Batch, partition: int = 0) -> list[ConversationState]:
        self.now += 1_000
        outputs = self.process(batch, partition)
        self.counted += batch
        return self.written(outputs)

    def tick(self, *partitions: int) -> list[ConversationState]:
        return self.written(asyncio.run(self.agent.tick(self.now, dict.fromkeys(partitions, self.now))))

    def written(self, outputs: Sequence[Output]) -> list[ConversationState]:
        states = [output for output in outputs if output.topic == CONVERSATIONS]
        for output in states:
            assert output.key is not None
            self.stored.append((output.key, output.value, self.now))
        for output in outputs:
            if output.topic == ALERTS:
                self.alerts.append(alerts.decode(output.value))
                assert output.key == f"escalation/{self.alerts[-1].subject}".encode()
        assert {output.topic for output in outputs} <= {CONVERSATIONS, ALERTS}
        return [conversations.decode(output.value) for output in states]

    def raised(self) -> list[tuple[str, str]]:
        return [(alert.subject, alert.state) for alert in self.alerts]

    def abort(self, batch: Batch) -> None:
        self.now += 1_000
        self.process(batch)
        self.agent.positions_set_back([0])

    def states(self) -> dict[bytes, ConversationState]:
        return {key: conversations.decode(value) for key, value, _ in self.stored}

    def recounted(self) -> dict[bytes, ConversationState]:
        made: dict[bytes, Conversation] = {}
        for each in self.counted:
            key = each.conversation_id.encode()
            made.setdefault(key, Conversation(each.conversation_id)).add(each, 0)
        return {key: conversation.to_record(MODEL, 2.0, 0) for key, conversation in made.items()}

    def holds(self) -> bool:
        bare = {
            key: dataclasses.replace(state, updated_at=0, escalated_at=None) for key, state in self.states().items()
        }
        return bare == {
            key: conversations.decode(conversations.encode(state)) for key, state in self.recounted().items()
        }


@pytest.fixture
def line() -> Line:
    return Line()


def test_a_batch_writes_each_conversation_that_it_changes_once_and_whole(line: Line) -> None:
    first, second = line.commit([result("a", 0), result("b", 0), result("a", 1)])
    assert (first.conversation_id, first.turns[OVERALL], second.conversation_id) == ("a", 2, "b")
    [again] = line.commit([result("a", 2)])
    assert again.turns[OVERALL] == 3
    assert [key for key, _, _ in line.stored] == [b"a", b"b", b"a"]
    assert line.holds()


def test_where_it_came_from_and_when_it_was_written(line: Line) -> None:
    [state] = line.commit([result("a", 0)], partition=3)
    assert (state.partition, state.updated_at) == (3, line.now)
    assert state.risk_model == MODEL.id


def test_a_restart_goes_on_with_what_was_committed(line: Line) -> None:
    line.commit([result("a", 0), result("b", 0)])
    line.agent = line.worker()
    [state] = line.commit([result("a", 1)])
    assert state.turns[OVERALL] == 2
    assert line.holds()


def test_an_aborted_batch_counts_once_when_it_comes_again(line: Line) -> None:
    line.commit([result("a", 0)])
    line.abort([result("a", 1), result("new", 0)])
    line.commit([result("a", 1)])
    assert line.holds()


def test_another_worker_went_on_in_between(line: Line) -> None:
    line.commit([result("a", 0)])
    mine, line.agent = line.agent, line.worker()
    line.commit([result("a", 1)])
    line.agent = mine
    mine.positions_set_back([0])
    [state] = line.commit([result("a", 2)])
    assert state.turns[OVERALL] == 3


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "commit", "abort", "restart", "rebalance", "other"]),
        st.lists(
            st.builds(
                result, st.sampled_from("abc"), st.integers(0, 6), st.sampled_from([0.0, 0.25, 0.9]),
                st.sampled_from(["customer", "agent"]), scored_at=st.integers(NOON, NOON + 3),
            ),
            max_size=5,
        ),
    ),
    max_size=10,
)  # fmt: skip


@given(STEPS)
def test_the_topic_is_the_recount_whatever_becomes_of_the_transactions(
    steps: list[tuple[str, list[SentimentResult]]],
) -> None:
    line = Line()
    for what, batch in steps:
        if what == "commit":
            line.commit(batch)
        elif what == "abort":
            line.abort(batch)
        elif what == "restart":
            line.agent = line.worker()
        elif what == "rebalance":
            line.agent.positions_set_back([1])
        else:
            mine, line.agent = line.agent, line.worker()
            line.commit(batch)
            line.agent = mine
            mine.positions_set_back([0])
    assert line.holds()


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(line: Line) -> None:
    bad = [
        dataclasses.replace(result("a", 1), negative=float("nan")),
        dataclasses.replace(result("a", 1), positive=1.5),
        dataclasses.replace(result("a", 1), conversation_id=""),
        result("a", -1),
        result("a", 1, occurred_at=5),
        result("a", 1, scored_at=NOON + 2 * 86_400_000),
    ]
    values = [results.encode(each) for each in (*bad, *[result("a", 0)] * len(bad))] + [b"?"]
    outputs = asyncio.run(line.agent.process([consumer_record(value, topic=SENTIMENT) for value in values]))
    assert [output.topic for output in outputs] == [DEAD_LETTERS] * 7 + [CONVERSATIONS]
    reasons = [dict(output.headers)["edgewise-reason"] for output in outputs[:7]]
    assert reasons == [
        b"undecodable", b"undecodable", b"invalid_id", b"invalid_turn", b"invalid_timestamp", b"invalid_timestamp",
        b"undecodable",
    ]  # fmt: skip


def test_a_conversation_for_which_nothing_comes_is_over_and_opens_again_when_it_goes_on() -> None:
    line = Line(conversation_idle_s=60)
    line.commit([result("quiet", 0), result("busy", 0), result("ended", 0, last=True)])
    line.now += 59_000
    line.commit([result("busy", 1)])
    line.now -= 1
    assert line.tick(0) == []
    line.now += 1
    [quiet] = line.tick(0)
    assert (quiet.conversation_id, quiet.status) == ("quiet", "timed_out")
    assert (quiet.turns[OVERALL], quiet.updated_at) == (1, line.now)
    assert line.states()[b"ended"].status == "ended"
    [quiet] = line.commit([result("quiet", 1)])
    assert (quiet.status, quiet.turns[OVERALL]) == ("open", 2)


def test_a_conversation_is_not_over_while_its_turns_wait_to_be_read(line: Line) -> None:
    """As after an outage. Seen to fail by the time of day alone: its alert resolved, with its next turn there."""
    line.commit([result("waits", 0)])
    begun = line.now
    line.now += 10_000_000
    assert line.written(asyncio.run(line.agent.tick(line.now, {0: begun + 60_000}))) == []
    found = line.written(asyncio.run(line.agent.tick(line.now, {0: line.now})))
    assert [state.status for state in found] == ["timed_out"]


def test_a_conversation_is_over_once(line: Line) -> None:
    line.commit([result("quiet", 0)])
    line.now += 10_000_000
    assert [state.conversation_id for state in line.tick(0)] == ["quiet"]
    line.now += 10_000
    assert line.tick(0) == []


def test_a_tick_that_is_aborted_comes_again(line: Line) -> None:
    line.commit([result("quiet", 0)])
    line.now += 10_000_000
    asyncio.run(line.agent.tick(line.now, {0: line.now}))
    line.agent.positions_set_back([0])
    assert [state.status for state in line.tick(0)] == ["timed_out"]


def test_what_was_read_back_is_over_too_but_only_in_this_workers_partitions(line: Line) -> None:
    line.commit([result("mine", 0)], partition=0)
    line.commit([result("theirs", 0)], partition=1)
    line.agent = line.worker()
    line.now += 10_000_000
    assert [state.conversation_id for state in line.tick(0)] == ["mine"]
    assert [state.conversation_id for state in line.tick(0, 1)] == ["theirs"]


def test_a_risk_over_the_threshold_is_marked_once_and_for_all() -> None:
    line = Line(escalation_risk=0.6)
    [calm] = line.commit([result("a", 0, 0.1)])
    assert calm.escalated_at is None
    [angry] = line.commit([result("a", turn, 0.98) for turn in range(1, 6)])
    assert angry.risk >= 0.6
    assert angry.escalated_at == line.now
    line.agent = line.worker()
    [later] = line.commit([result("a", 6, 0.98)])
    assert later.escalated_at == angry.escalated_at


def angry(name: str, first: int = 0, **changes: Any) -> list[SentimentResult]:
    """Turns after which the risk is over 0.6; `changes` are the last one's."""
    turns = [result(name, turn, 0.98) for turn in range(first, first + 5)]
    return [*turns[:-1], dataclasses.replace(turns[-1], **changes)]


def test_an_escalation_raises_an_alert_once_which_resolves_when_the_conversation_ends() -> None:
    line = Line(escalation_risk=0.6)
    line.commit([result("a", 0, 0.1), result("calm", 0, 0.1)])
    line.commit(angry("a", 1))
    line.commit([result("a", 6, 0.98)])
    line.agent = line.worker()
    line.commit([result("a", 7, 0.98), result("a", 3, 0.9, scored_at=NOON)])  # a correction that comes late
    assert line.raised() == [("a", "firing")]
    [state] = line.commit([result("a", 8, 0.98, last=True)])
    line.now += 10_000_000
    line.tick(0)
    firing, resolved = line.alerts
    assert firing == Alert(
        rule="escalation", subject="a", alert_id=firing.alert_id, state="firing", severity="warning",
        summary=firing.summary, metric="risk", value=firing.value, bound=0.6, window_ms=0,
        started_at=state.escalated_at or 0, updated_at=state.escalated_at or 0,
    )  # fmt: skip
    assert firing.value is not None
    assert firing.value >= 0.6
    assert "displeasure" in firing.summary
    assert (resolved.alert_id, resolved.state, resolved.started_at) == (firing.alert_id, "resolved", firing.started_at)
    assert resolved.resolved_at == resolved.updated_at == state.updated_at


def test_the_alert_of_a_conversation_that_falls_silent_resolves_when_it_has_timed_out() -> None:
    line = Line(escalation_risk=0.6)
    line.commit(angry("a"))
    line.now += 10_000_000
    line.tick(0)
    line.tick(0)
    assert line.raised() == [("a", "firing"), ("a", "resolved")]


@pytest.mark.parametrize("restarts", [False, True])
def test_an_alert_of_the_last_turn_resolves_a_moment_later(restarts: bool) -> None:
    line = Line(escalation_risk=0.6)
    line.commit(angry("a", last=True))
    line.now += 9_999
    assert line.tick(0) == []
    if restarts:
        line.agent = line.worker()
        assert line.tick(0) == []
    line.now += 1
    [state] = line.tick(0)
    assert state.status == "ended"
    line.now += 10_000_000
    assert line.tick(0) == []
    assert line.raised() == [("a", "firing"), ("a", "resolved")]


def test_an_alert_of_the_last_turn_resolves_with_what_comes_after_it() -> None:
    line = Line(escalation_risk=0.6)
    line.commit(angry("a", last=True))
    line.commit([result("a", 1, 0.99, scored_at=NOON)])
    assert line.raised() == [("a", "firing"), ("a", "resolved")]


def test_a_conversation_that_goes_on_after_its_end_does_not_alarm_again() -> None:
    line = Line(escalation_risk=0.6)
    line.commit(angry("a"))
    line.now += 10_000_000
    line.tick(0)
    line.commit(angry("a", 5))
    line.agent = line.worker()
    line.commit(angry("a", 10))
    assert line.raised() == [("a", "firing"), ("a", "resolved")]


def test_an_alert_that_was_aborted_is_raised_when_its_turns_come_again() -> None:
    line = Line(escalation_risk=0.6)
    line.abort(angry("a"))
    assert line.raised() == []
    line.commit(angry("a"))
    assert line.raised() == [("a", "firing")]


def test_a_state_that_cannot_be_read_stops_the_agent(line: Line) -> None:
    line.stored.append((b"a", b"?", line.now))
    with pytest.raises(StateError, match="key a in topic conversations cannot be read"):
        line.process([result("a", 0)])


def test_the_model_is_loaded_and_named() -> None:
    agent = asyncio.run(build(Settings(), lambda _topic, _since: iter(())))
    shipped = json.loads((ARTIFACTS / "escalation" / MODEL_FILE).read_bytes())
    assert (agent.model, agent.source) == (f"{shipped['name']}@{shipped['version']}", "sentiment")
    asyncio.run(agent.close())
