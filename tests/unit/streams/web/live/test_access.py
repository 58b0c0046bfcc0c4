"""Who may look at the page, and by which name."""

import pytest
from starlette.requests import Request

from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.web.live.access import COOKIE, SESSION_S, Access

TOKEN = "a token of the tests"


def request(**headers: str) -> Request:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": given})


def access(now_ms: int = 0, **settings: str) -> Access:
    return Access(Settings(**settings), lambda: now_ms)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "page.example"])  # noqa: S104
def test_nobody_else_s_address_without_a_word_on_who_may_look(host: str) -> None:
    with pytest.raises(UsageError, match="EDGEWISE_PAGE_TOKEN_FILE"):
        access(page_host=host)
    access(page_host=host, page_token=TOKEN)
    access(page_host=host, page_user_header="X-Forwarded-User")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_machine_s_own_addresses_are_open(host: str) -> None:
    assert access(page_host=host).may_look(request())


def test_a_token_and_a_header_together_are_refused() -> None:
    with pytest.raises(UsageError, match="both set"):
        access(page_token=TOKEN, page_user_header="X-User")


def test_a_token_lets_in_as_bearer_and_by_a_session_that_ends() -> None:
    asked = access(page_token=TOKEN)
    assert not asked.may_look(request())
    assert asked.may_look(request(authorization=f"Bearer {TOKEN}"))
    for wrong in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", TOKEN, "Bearer \xe4"):
        assert not asked.may_look(request(authorization=wrong))
    session = asked.session()
    assert TOKEN not in session
    assert asked.may_look(request(cookie=f"{COOKIE}={session}"))
    assert access((SESSION_S - 1) * 1000, page_token=TOKEN).may_look(request(cookie=f"{COOKIE}={session}"))
    assert not access(SESSION_S * 1000, page_token=TOKEN).may_look(request(cookie=f"{COOKIE}={session}"))
    assert not access(page_token="another token, also long").may_look(request(cookie=f"{COOKIE}={session}"))


@pytest.mark.parametrize("forged", ["", ".", "99999999999.", "99999999999.00", "x.y", "1\u0661.aa"])
def test_a_session_that_nobody_gave_is_none(forged: str) -> None:
    asked = access(page_token=TOKEN)
    until, _, signature = asked.session().partition(".")
    assert not asked.may_look(request(cookie=f"{COOKIE}={forged}"))
    assert not asked.may_look(request(cookie=f"{COOKIE}={int(until) + 1}.{signature}"))


def test_a_proxy_s_word_lets_in() -> None:
    asked = access(page_user_header="X-Forwarded-User")
    assert asked.may_look(request(x_forwarded_user="ada"))
    assert not asked.may_look(request())
    assert not asked.may_look(request(x_forwarded_user=" "))
    assert not asked.asks_for_token


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("localhost", True), ("localhost:8090", True), ("LOCALHOST.:1", True), ("127.0.0.1:8090", True),
        ("[::1]:8090", True), ("page.example", True), ("desk.example:443", True), ("10.0.0.7:1", True),
        ("evil.example", False),
        ("", False),
        ("0.0.0.0", False),  # noqa: S104
        ("localhost.evil.example", False), ("[::1", True), ("page.example@evil", False),
    ],
)  # fmt: skip
def test_a_name_that_is_not_the_page_s_is_refused(host: str, right: bool) -> None:
    asked = access(page_host="10.0.0.7", page_names="page.example, Desk.example", page_token=TOKEN)
    assert asked.is_named_right(request(host=host)) is right
