"""One request, to a real server that answers well, badly, late, in part or never."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.errors import UsageError
from streams.ingest.signatures import Signed, verify
from streams.webhooks.post import Outcome, Poster
from streams.webhooks.webhook import Kind, Webhook
from tests.alerts import KEY, NOON, alert, webhook
from tests.http_server import Fault, answer, cut, drip, echo_error, flood, hang, raw, serve
from tests.kafka.certificates import Authority

QUICK_S = 0.2


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def post(*to: Webhook, deadline_s: float = 10.0) -> Sequence[Outcome]:
    async def run() -> Sequence[Outcome]:
        async with Poster(lambda: NOON, deadline_s) as poster:
            return [await poster.post(each, alert()) for each in to]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "result", "detail"),
    [
        (raw(b"ok"), "taken", "HTTP 200"),
        (answer({"status": "success"}, 202), "taken", "HTTP 202"),
        (raw(b"", 204), "taken", "HTTP 204"),
        (flood, "taken", "HTTP 200"),
        (drip, "taken", "HTTP 200"),
        (echo_error(500), "failed", "HTTP 500"),
        (echo_error(503), "failed", "HTTP 503"),
        (echo_error(429), "failed", "HTTP 429"),
        (echo_error(502), "unknown", "HTTP 502"),
        (echo_error(504), "unknown", "HTTP 504"),
        (echo_error(400), "refused", "HTTP 400"),
        (echo_error(404), "refused", "HTTP 404"),
        (echo_error(410), "refused", "HTTP 410"),
        (answer({}, 302, Location="http://127.0.0.1:1/"), "refused", "HTTP 302, a redirect, which is not followed"),
    ],
)
def test_what_came_of_it_is_what_the_status_says(fault: Fault, result: str, detail: str) -> None:
    with serve(fault) as server:
        [outcome] = post(webhook(f"{server.url}/alerts"))
    assert (outcome.result, outcome.detail) == (result, detail)
    assert [request.path for request in server.requests] == ["/alerts"]


def test_who_asks_to_be_left_alone_says_for_how_long() -> None:
    with serve(answer({}, 429, Retry_After="7"), answer({}, 503, Retry_After="8"), answer({}, 200)) as server:
        outcomes = post(*[webhook(server.url)] * 3)
    assert [outcome.wait_s for outcome in outcomes] == [7.0, 8.0, None]


def test_a_proxy_of_the_environment_gets_nothing_that_is_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(raw(b"ok")) as server, serve(raw(b"ok")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        post(webhook(f"{server.url}/alerts"), webhook("http://elsewhere.test/alerts"))
    assert [request.path for request in server.requests] == ["/alerts"]
    assert [request.path for request in proxy.requests] == ["http://elsewhere.test/alerts"]


def test_a_proxy_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(UsageError, match="HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"):
        post(webhook("http://127.0.0.1:1"))


def test_what_was_sent_and_not_answered_may_have_arrived() -> None:
    def abort(_handler: object, _: object) -> None:
        raise OSError

    with serve(hang) as slow, serve(abort) as broken:
        [late] = post(webhook(slow.url), deadline_s=QUICK_S)
        [gone] = post(webhook(broken.url))
    assert late == Outcome("unknown", "no answer within 0.2 s")
    assert gone.result == "unknown"
    assert "it was cut off" in gone.detail


def test_an_answer_that_is_cut_after_its_status_is_one() -> None:
    with serve(cut) as server:
        assert post(webhook(server.url))[0].result == "taken"


def test_what_cannot_be_reached_has_not_arrived() -> None:
    assert post(webhook("http://127.0.0.1:1/SECRET")) == [
        Outcome("failed", "it cannot be reached (Connection refused)")
    ]


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    with serve(answer({}), certificate=Authority(tmp_path, "stranger").issue("server", "127.0.0.1")) as server:
        [outcome] = post(webhook(server.url))
    assert outcome.result == "failed"
    assert "certificate is not accepted" in outcome.detail
    assert server.requests == []


def test_what_arrives_is_signed_over_its_very_bytes() -> None:
    with serve(answer({})) as server:
        post(webhook(server.url))
    [request] = server.requests
    assert verify("generic", Signed(request.headers, request.content), [KEY.decode()], NOON)
    with pytest.raises(Exception, match="wrong signature"):
        verify("generic", Signed(request.headers, request.content + b" "), [KEY.decode()], NOON)


@pytest.mark.parametrize("kind", ["slack", "teams", "pagerduty", "json"])
def test_no_address_and_no_secret_is_logged_or_told(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(echo_error(500), hang) as server:
        to = webhook(f"{server.url}/SECRET?token=SECRET", kind)
        told = post(to, to, webhook("http://127.0.0.1:1/SECRET", kind), deadline_s=QUICK_S)
    assert len(told) == 3
    said = caplog.text + repr(told)
    assert "SECRET" not in said
    assert KEY.decode() not in said
