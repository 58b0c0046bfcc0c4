"""Webhooks that are tried out."""

import asyncio

from streams.webhooks.post import Poster
from streams.webhooks.trial import Tried, try_out
from streams.webhooks.webhook import Webhook
from tests.alerts import NOON, webhook
from tests.http_server import answer, echo_error, serve


def tried(*webhooks: Webhook) -> list[Tried]:
    async def run() -> list[Tried]:
        async with Poster(lambda: NOON) as poster:
            return await try_out(webhooks, poster, lambda: NOON)

    return asyncio.run(run())


def test_each_is_told_that_it_is_a_test_though_it_wants_no_such_alerts() -> None:
    with serve(answer({})) as good, serve(echo_error(403)) as bad:
        first, second = tried(
            webhook(good.url, rules=frozenset({"escalation"}), severities=frozenset({"critical"})),
            webhook(bad.url, "slack", "team"),
        )
    assert (first.webhook.name, first.is_good) == ("own", True)
    assert (second.is_good, second.outcomes[0].detail) == (False, "HTTP 403")
    [request] = good.requests
    assert request.body["data"]["rule"] == "test"
    assert "nothing is wrong" in request.body["data"]["summary"]


def test_pagerduty_keeps_no_incident_open() -> None:
    with serve(answer({}, 202)) as server:
        [found] = tried(webhook(server.url, "pagerduty"))
    assert found.is_good
    assert [request.body["event_action"] for request in server.requests] == ["trigger", "resolve"]
    assert len({request.body["dedup_key"] for request in server.requests}) == 1
