"""No state is taken twice, whatever happens in whatever order."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Alert
from streams.agents.notifications import (
    ABANDONED_MS,
    LONGEST_PAUSE_MS,
)
from streams.agents.notify import NotifyAgent
from streams.config.settings import Settings
from streams.webhooks.post import Outcome
from streams.webhooks.webhook import Webhook
from tests.alerts import alert, webhook
from tests.notify_lines import FAILED, REFUSED, TAKEN, Line, Post

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
    begun = {(name, alert_id) for (name, alert_id, state), times in line.taken.items() if state == "firing" and times}
    assert all(line.taken[*each, "resolved"] for each in begun if each[1] not in standing), "each that was told ends"
