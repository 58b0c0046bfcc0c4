"""The notify agent between its two topics and its webhooks, whatever becomes of transactions, workers and webhooks."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.records import Alert, Notification, Silence
from schemas.topics import ALERTS, DEAD_LETTERS, NOTIFICATIONS, SILENCES
from streams.agents import notify
from streams.agents.agent import Output
from streams.agents.notifications import (
    ABANDONED_MS,
    AT_ONCE,
    FIRST_PAUSE_MS,
    LATE_MS,
    LONGEST_PAUSE_MS,
    START_MS,
)
from streams.agents.notify import NotifyAgent, build
from streams.agents.topic_state import StateError
from streams.config.settings import Settings
from streams.webhooks.post import Outcome
from streams.webhooks.webhook import Webhook, WebhookError
from tests.alerts import NOON, alert, webhook
from tests.events import consumer_record

alerts, notifications, silences = Codec(ALERTS), Codec(NOTIFICATIONS), Codec(SILENCES)

TAKEN, REFUSED = Outcome("taken", "HTTP 200"), Outcome("refused", "HTTP 404")
FAILED, UNKNOWN = Outcome("failed", "HTTP 500"), Outcome("unknown", "no answer within 10 s")


class Post:
    """Webhooks that do what they are told to, and remember what they were sent."""

    def __init__(self, received: list[tuple[str, str, str, bool]], answers: dict[str, list[Outcome | None]]) -> None:
        self.received = received
        self._answers = answers

    async def post(self, to: Webhook, of: Alert, *, is_repeated: bool = False) -> Outcome:
        self.received.append((to.name, of.alert_id, of.state, is_repeated))
        answers = self._answers.get(to.name, [])
        answer = TAKEN if not answers else answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            await asyncio.Event().wait()  # it hangs
            raise AssertionError
        return answer

    async def close(self) -> None:
        """Nothing is held."""


class Line:
    """The agent between its topics: what is committed stays, what is aborted never was."""

    def __init__(self, *webhooks: Webhook) -> None:
        self.now = NOON
        self.webhooks = webhooks or (webhook(),)
        self.loop = asyncio.new_event_loop()
        self.topic: list[tuple[bytes, bytes | None]] = []
        self.silences: list[tuple[bytes, bytes | None]] = []
        self.received: list[tuple[str, str, str, bool]] = []
        self.answers: dict[str, list[Outcome | None]] = {}
        self.agent = self.worker()

    def worker(self) -> NotifyAgent:
        post = Post(self.received, self.answers)
        return NotifyAgent(Settings(), self.webhooks, self.read_back, post, clock=lambda: self.now)

    def read_back(self, topic: str, _since_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        assert topic in (NOTIFICATIONS, SILENCES)
        return iter(list(self.topic if topic == NOTIFICATIONS else self.silences))

    def silence(self, rule: str, for_ms: int) -> None:
        silence = Silence(rule=rule, until=self.now + for_ms, created_at=self.now)
        self.silences.append((rule.encode(), silences.encode(silence)))

    def process(self, *heard: Alert) -> list[Output]:
        records = [consumer_record(alerts.encode(each), topic=ALERTS) for each in heard]
        return self.loop.run_until_complete(self.agent.process(records))

    def tick(self) -> list[Output]:
        self.now += 500
        return self.loop.run_until_complete(self.agent.tick(self.now, [0]))

    def commit(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            assert output.topic == NOTIFICATIONS
            assert output.key is not None
            self.topic.append((output.key, output.value))

    def hear(self, *heard: Alert) -> None:
        self.commit(self.process(*heard))

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.commit(self.tick())

    def abort(self) -> None:
        self.agent.positions_set_back([0])

    def restart(self) -> None:
        """As after kill -9: what was under way is gone."""
        self.loop.run_until_complete(self.agent.close())
        self.agent = self.worker()

    def told(self) -> list[tuple[str, str]]:
        return [(alert_id, state) for _, alert_id, state, _ in self.received]

    def held(self) -> dict[bytes, Notification]:
        latest = dict(self.topic)
        return {key: notifications.decode(value) for key, value in latest.items() if value is not None}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick waits no longer for what hangs than for what answers at once."""
    monkeypatch.setattr(notify, "WAIT_S", 0.005)


@pytest.fixture
def line(impatient: None) -> Iterator[Line]:  # noqa: ARG001
    made = Line()
    yield made
    made.restart()
    made.loop.close()


@pytest.fixture
def lines(impatient: None) -> Iterator[Any]:  # noqa: ARG001
    made: list[Line] = []

    def build_line(*webhooks: Webhook) -> Line:
        made.append(Line(*webhooks))
        return made[-1]

    yield build_line
    for each in made:
        each.restart()
        each.loop.close()


def test_each_state_is_told_once_in_its_order(line: Line) -> None:
    line.hear(alert())
    assert line.received == []  # only what is claimed and committed is sent
    line.turn()
    assert line.told() == [("edge_share-1", "firing")]
    line.hear(alert(), alert(value=0.6), alert())  # as once a day
    line.turn(5)
    line.hear(alert(over=True))
    line.turn(5)
    line.hear(alert(over=True))
    line.turn(5)
    assert line.told() == [("edge_share-1", "firing"), ("edge_share-1", "resolved")]
    assert line.held() == {}


def test_the_next_firing_is_another(line: Line) -> None:
    for number in (1, 2):
        line.hear(alert(firing=number))
        line.turn()
        line.hear(alert(firing=number, over=True))
        line.turn()
    assert [alert_id for alert_id, _ in line.told()] == ["edge_share-1"] * 2 + ["edge_share-2"] * 2


def test_a_restart_knows_what_was_told(line: Line) -> None:
    line.hear(alert())
    line.turn()
    line.restart()
    line.hear(alert())
    line.turn(5)
    assert line.told() == [("edge_share-1", "firing")]
    line.restart()
    line.hear(alert(over=True))
    line.turn()
    assert line.told()[1:] == [("edge_share-1", "resolved")]


def test_what_was_claimed_and_aborted_is_not_sent(line: Line) -> None:
    line.process(alert())
    line.abort()
    line.turn(3)
    assert line.received == []
    line.hear(alert())
    line.turn()
    assert len(line.received) == 1


def test_what_was_taken_is_not_sent_again_when_its_transaction_is_aborted(line: Line) -> None:
    line.hear(alert())
    line.tick()  # it is sent, and that it was is not committed
    line.abort()
    line.turn(200)
    assert line.received == [("own", "edge_share-1", "firing", False)]
    assert [told.status for told in line.held().values()] == ["sent"]


def test_a_claim_that_was_committed_after_all_is_sent(line: Line) -> None:
    """The answer to the commit was lost, and the topic has it."""
    line.hear(alert())
    line.abort()
    line.turn()
    assert len(line.received) == 1


def test_killed_in_a_request_it_is_sent_again_with_the_same_id_and_says_so(line: Line) -> None:
    line.answers["own"] = [None, TAKEN]
    line.hear(alert())
    line.turn()
    line.restart()
    line.turn(2)
    assert len(line.received) == 1  # another worker may be about to write what came of it
    line.now += ABANDONED_MS
    line.turn(2)
    assert line.received == [("own", "edge_share-1", "firing", False), ("own", "edge_share-1", "firing", True)]
    line.turn(200)
    assert len(line.received) == 2


def test_what_another_worker_is_sending_is_left_to_it(line: Line) -> None:
    line.answers["own"] = [None]
    line.hear(alert())
    line.turn()
    mine, line.agent = line.agent, line.worker()
    line.turn(10)
    assert len(line.received) == 1
    line.loop.run_until_complete(mine.close())


def test_an_alert_that_was_over_meanwhile_is_not_told_as_firing_again(line: Line) -> None:
    line.answers["own"] = [None, TAKEN]
    line.hear(alert())
    line.turn()
    line.restart()
    line.hear(alert(over=True))
    line.now += ABANDONED_MS
    line.turn(3)
    assert line.told() == [("edge_share-1", "firing"), ("edge_share-1", "resolved")]
    assert line.held() == {}


def test_what_is_over_while_it_is_being_told_is_told_after_it(lines: Any) -> None:
    line = lines(webhook(), webhook(name="slow"))
    line.answers["slow"] = [None]
    line.hear(alert())
    line.turn()
    line.hear(alert(over=True))
    line.turn()
    assert [(name, state) for name, _, state, _ in line.received] == [
        ("own", "firing"), ("slow", "firing"), ("own", "resolved"),
    ]  # fmt: skip
    assert [told.state for told in line.held().values()] == ["firing"]


@pytest.mark.parametrize("outcome", [FAILED, REFUSED, UNKNOWN])
def test_what_is_not_taken_is_tried_again_ever_more_seldom_as_long_as_it_stands(line: Line, outcome: Outcome) -> None:
    line.answers["own"] = [outcome]
    line.hear(alert())
    tried: list[int] = []
    for _ in range(4 * 3_600):  # half an hour
        before = len(line.received)
        line.turn()
        tried += [line.now] * (len(line.received) - before)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE_MS, abs=1_000)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_MS, abs=1_500)
    assert line.received[-1][3] is (outcome is UNKNOWN)
    line.answers["own"] = [TAKEN]
    line.agent = line.worker()
    line.now += ABANDONED_MS
    line.turn(5)
    assert [told.status for told in line.held().values()] == ["sent"]


def test_who_asks_to_be_left_alone_is(line: Line) -> None:
    line.answers["own"] = [FAILED._replace(wait_s=60.0), TAKEN]
    line.hear(alert(), alert("cost"))
    line.turn(1)
    first = len(line.received)
    line.turn(110)
    assert len(line.received) == first
    line.turn(20)
    assert Counter(line.told()) == {("edge_share-1", "firing"): 2, ("cost-1", "firing"): 1}


def test_one_that_hangs_holds_back_nobody_else(lines: Any) -> None:
    line = lines(webhook(name="stuck"), webhook(name="down"), webhook())
    line.answers |= {"stuck": [None], "down": [FAILED]}
    for number in range(10):
        line.hear(alert(f"rule{number}"))
        line.turn(3)
    assert len({alert_id for name, alert_id, _, _ in line.received if name == "own"}) == 10
    assert sum(name == "stuck" for name, *_ in line.received) == AT_ONCE


def test_messages_that_are_never_taken_hold_back_no_other(line: Line) -> None:
    """Seen to fail with the longest waiting always first."""

    class Picky(Post):
        async def post(self, to: Webhook, of: Alert, *, is_repeated: bool = False) -> Outcome:
            await super().post(to, of)
            return REFUSED if of.rule.startswith("bad") else TAKEN

    line.agent = NotifyAgent(Settings(), line.webhooks, line.read_back, Picky(line.received, {}), lambda: line.now)
    bad, good = {f"bad{number}" for number in range(AT_ONCE)}, {f"rule{number}" for number in range(20)}
    line.hear(*map(alert, sorted(bad)), *map(alert, sorted(good)))
    line.turn(200)
    assert {told.rule for told in line.held().values() if told.status == "sent"} == good
    assert {told.rule for told in line.held().values() if told.status != "sent"} == bad


def test_a_flood_is_sent_a_few_at_a_time(line: Line) -> None:
    line.hear(*[alert("escalation", number, subject=f"c-{number}") for number in range(30)])
    line.turn()
    assert len(line.received) == AT_ONCE
    line.turn(10)
    assert len(line.told()) == len(set(line.told())) == 30


def test_what_was_over_before_it_could_be_told_is_told_as_that_alone(line: Line) -> None:
    line.hear(alert(), alert(over=True))
    line.turn(3)
    assert line.told() == [("edge_share-1", "resolved")]


def test_what_came_and_went_while_a_webhook_was_down_is_no_news_after_an_hour(line: Line) -> None:
    line.answers["own"] = [FAILED]
    line.hear(alert(), alert("stays"))
    line.turn()
    line.hear(alert(over=True))
    line.now += 60_000 + LATE_MS
    line.answers["own"] = [TAKEN]
    line.restart()
    line.turn(5)
    assert line.told()[-1:] == [("stays-1", "firing")]
    assert ("edge_share-1", "resolved") not in line.told()
    assert {told.rule for told in line.held().values()} == {"stays"}


def test_nobody_is_told_of_what_is_silenced(line: Line) -> None:
    line.hear(alert(silenced=True))
    line.turn(3)
    line.hear(alert(over=True, silenced=True))
    line.turn(3)
    assert line.received == []
    line.hear(alert(firing=2, silenced=True))
    line.turn(3)
    line.hear(alert(firing=2))
    line.turn(3)
    assert line.told() == [("edge_share-2", "firing")]


def test_the_end_of_what_was_told_is_told_though_it_is_silenced(line: Line) -> None:
    """Else an incident would stay open for good."""
    line.hear(alert())
    line.turn()
    line.hear(alert(silenced=True))
    line.hear(alert(over=True, silenced=True))
    line.turn(3)
    assert line.told() == [("edge_share-1", "firing"), ("edge_share-1", "resolved")]


def test_what_is_silenced_while_it_waits_is_not_sent(line: Line) -> None:
    line.answers["own"] = [FAILED]
    line.hear(alert())
    line.turn()
    line.hear(alert(silenced=True))
    line.answers["own"] = [TAKEN]
    line.turn(20)
    assert len(line.received) == 1
    assert line.held() == {}


def test_a_silence_holds_what_its_rule_has_to_tell_until_it_is_over(line: Line) -> None:
    """That of an escalation, say: the agent that writes its alerts knows no silences."""
    line.silence("escalation", 60_000)
    line.hear(alert("escalation", subject="c-1"), alert("escalation", 2, subject="c-2"), alert())
    line.turn(3)
    assert line.told() == [("edge_share-1", "firing")]
    line.hear(alert("escalation", over=True, subject="c-1", resolved_at=NOON))
    line.turn(100)
    assert line.told()[1:] == []
    line.turn(30)
    assert line.told()[1:] == [("escalation-2", "firing")]


def test_a_silence_that_is_ended_is_none_and_what_cannot_be_read_is_none_either(line: Line) -> None:
    line.silence("escalation", 60_000)
    line.silences += [(b"escalation", None), (b"edge_share", b"?")]
    line.hear(alert("escalation"), alert())
    line.turn()
    assert len(line.received) == 2


def test_each_webhook_is_told_of_what_it_wants(lines: Any) -> None:
    line = lines(
        webhook(name="all"),
        webhook(name="calls", rules=frozenset({"escalation"})),
        webhook(name="bad", severities=frozenset({"critical"})),
    )
    line.hear(alert("escalation", subject="c-1"), alert("cost", severity="critical"), alert("lag", severity="info"))
    line.turn(3)
    assert {(name, alert_id) for name, alert_id, *_ in line.received} == {
        ("all", "escalation-1"), ("all", "cost-1"), ("all", "lag-1"), ("calls", "escalation-1"), ("bad", "cost-1"),
    }  # fmt: skip


def test_who_is_no_longer_in_the_file_is_forgotten_when_the_alert_is_over(lines: Any) -> None:
    line = lines(webhook(name="left"), webhook())
    line.hear(alert())
    line.turn()
    line.webhooks = (webhook(),)
    line.restart()
    line.hear(alert(over=True))
    line.turn(3)
    assert [name for name, *_ in line.received] == ["left", "own", "own"]
    assert line.held() == {}


def test_a_worker_that_was_frozen_claims_anew(line: Line) -> None:
    line.hear(alert())
    line.now += START_MS + 1
    line.turn()
    assert line.received == []
    line.turn()
    assert line.received == [("own", "edge_share-1", "firing", False)]


def test_a_stop_while_a_webhook_hangs_is_at_once(line: Line) -> None:
    """Seen to hang without the cancelling: the test's own time-out ended it."""
    line.answers["own"] = [None]
    line.hear(alert())
    line.turn()
    line.loop.run_until_complete(line.agent.close())


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(line: Line) -> None:
    records = [consumer_record(value, topic=ALERTS) for value in (b"?", alerts.encode(alert()))]
    outputs = line.loop.run_until_complete(line.agent.process(records))
    assert [output.topic for output in outputs] == [DEAD_LETTERS, NOTIFICATIONS]


def test_what_cannot_be_read_back_stops_the_agent(line: Line) -> None:
    line.topic.append((b"own/edge_share", b"?"))
    with pytest.raises(StateError, match="the value of key own/edge_share in topic notifications cannot be read"):
        line.hear(alert())


def test_failures_are_logged_by_name_without_the_address(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.answers["own"] = [REFUSED]
    line.hear(alert())
    line.turn()
    [record] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert record.getMessage() == (
        "webhook own was not told that edge_share is firing, try 1: HTTP 404; it is tried again in 1 s"
    )
    assert "SECRET" not in caplog.text


def test_the_agent_is_made_by_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    async def made(settings: Settings) -> None:
        agent = await build(settings, lambda _topic, _since: iter(()))
        await agent.close()

    asyncio.run(made(Settings()))
    assert "nobody is told of alerts: EDGEWISE_WEBHOOKS names no file" in caplog.text
    with pytest.raises(WebhookError, match=r"gone\.toml"):
        asyncio.run(made(Settings(webhooks="gone.toml")))


OUTCOMES = st.sampled_from([TAKEN, TAKEN, FAILED, REFUSED])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fire"), st.sampled_from("abc")),
        st.tuples(st.just("resolve"), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["tick", "aborted tick", "set back", "restart", "later"]), st.just("")),
    ),
    max_size=25,
)


class FickleLine(Line):
    """Two webhooks that answer as `outcomes` has it, and then take all; restarts are orderly.

    So nothing is under way at a restart, and what came of it is committed.
    """

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        self.taken: Counter[tuple[str, str, str]] = Counter()
        self.firing: dict[str, int] = {}
        self._count = 0
        super().__init__(webhook(), webhook(name="other"))

    def worker(self) -> NotifyAgent:
        line = self

        class Fickle(Post):
            async def post(self, to: Webhook, of: Alert, *, is_repeated: bool = False) -> Outcome:
                outcome = line.outcomes.pop() if line.outcomes else TAKEN
                line.taken[to.name, of.alert_id, of.state] += outcome is TAKEN
                return outcome

        return NotifyAgent(Settings(), self.webhooks, self.read_back, Fickle([], {}), clock=lambda: self.now)

    def step(self, what: str, rule: str) -> None:
        if what == "fire" and rule not in self.firing:
            self._count += 1
            self.firing[rule] = self._count
            self.hear(alert(rule, self._count, started_at=self.now))
        elif what == "resolve" and rule in self.firing:
            self.hear(alert(rule, self.firing.pop(rule), over=True, resolved_at=self.now))
        elif what in ("tick", "restart"):
            self.turn()
        elif what == "aborted tick":
            self.tick()
        if what in ("aborted tick", "set back"):
            self.abort()
        elif what == "restart":
            self.agent = self.worker()
            self.now += ABANDONED_MS
        elif what == "later":
            self.now += LONGEST_PAUSE_MS


@given(STEPS, st.lists(OUTCOMES, max_size=8))
def test_no_state_is_taken_twice_and_in_the_end_each_webhook_knows_how_it_stands(
    steps: Sequence[tuple[str, str]], outcomes: list[Outcome]
) -> None:
    line = FickleLine(outcomes)
    for what, rule in steps:
        line.step(what, rule)
    outcomes.clear()
    line.now += LONGEST_PAUSE_MS
    line.turn(40)
    line.loop.close()
    assert all(times <= 1 for times in line.taken.values())
    standing = {f"{rule}-{number}" for rule, number in line.firing.items()}
    for name in ("own", "other"):
        assert {told.alert_id for told in line.held().values() if told.webhook == name} == standing
        assert all(line.taken[name, alert_id, "firing"] for alert_id in standing)
    assert all(told.status == "sent" for told in line.held().values())


def test_a_notification_says_what_the_alert_does(line: Line) -> None:
    of = alert("escalation", subject="c-1", metric="risk", value=0.9, bound=0.7)
    line.hear(of)
    [(key, told)] = line.held().items()
    assert key == b"own/escalation/c-1"
    assert replace(told, updated_at=0) == Notification(
        webhook="own", rule="escalation", subject="c-1", alert_id=of.alert_id, severity="warning", summary=of.summary,
        metric="risk", value=0.9, bound=0.7, window_ms=of.window_ms, started_at=NOON, state="firing", status="sending",
        tries=1, in_doubt=False, told=False, updated_at=0,
    )  # fmt: skip
