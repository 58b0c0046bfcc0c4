"""What is not taken is tried again, and holds back nobody else."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from schemas.records import Alert
from streams.agents.notifications import (
    ABANDONED_MS,
    AT_ONCE,
    FIRST_PAUSE_MS,
    LATE_MS,
    LONGEST_PAUSE_MS,
    Pace,
)
from streams.agents.notify import NotifyAgent
from streams.config.settings import Settings
from streams.webhooks.post import Outcome
from streams.webhooks.webhook import Webhook
from tests.alerts import alert, webhook
from tests.notify_lines import FAILED, REFUSED, TAKEN, UNKNOWN, Line, Post


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


def test_one_that_is_taken_between_two_that_are_not_counts_for_the_pause() -> None:
    """Seen to fail with a shift by a negative count: the agent ended, and sent all of them again."""
    pace = Pace()
    assert pace.failed(0, 30.0) == 30.0
    pace.took()
    assert pace.failed(10, None) == pytest.approx(29.99)
    assert pace.failures == 1


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
