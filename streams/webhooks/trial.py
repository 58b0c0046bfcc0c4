"""A message that tries webhooks out: what each answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from schemas.records import Alert
from streams.system.clock import Clock, now_ms
from streams.webhooks.post import Outcome, Poster
from streams.webhooks.webhook import Webhook

RULE = "test"


class Tried(NamedTuple):
    """A webhook, and what came of each message that it was sent."""

    webhook: Webhook
    outcomes: Sequence[Outcome]

    @property
    def is_good(self) -> bool:
        """Whether it has taken all of them."""
        return all(outcome.result == "taken" for outcome in self.outcomes)


async def try_out(webhooks: Sequence[Webhook], poster: Poster, clock: Clock = now_ms) -> list[Tried]:
    """Sends each of `webhooks` a message that says that it is a test, whatever alerts it wants; all at once.

    An alert that fires; PagerDuty is told that it is over, too, so that no incident stays open.
    """
    now = clock()
    firing = Alert(
        rule=RULE,
        alert_id=f"{RULE}-{now}",
        state="firing",
        severity="info",
        summary="Edgewise tries this webhook out: nothing is wrong.",
        metric="test",
        window_ms=0,
        started_at=now,
        updated_at=now,
    )
    over = replace(firing, state="resolved", resolved_at=now)

    async def tried(webhook: Webhook) -> Tried:
        messages = [firing, over] if webhook.kind == "pagerduty" else [firing]
        return Tried(webhook, [await poster.post(webhook, message) for message in messages])

    return await asyncio.gather(*map(tried, webhooks))
