"""The page as an application: addresses to views, and what every answer and every request must be."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl
from zlib import crc32

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from schemas.errors import EdgewiseError
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.health_rules import bounds, load_health_rules
from streams.system.clock import Clock, now_ms
from streams.system.threads import in_daemon_thread
from streams.web.live.access import COOKIE, SESSION_S, Access
from streams.web.live.alerts_view import alerts_view
from streams.web.live.assets import PAGE_STYLE, SCRIPT
from streams.web.live.board import Board
from streams.web.live.conversations_view import STATUSES, conversation_view, conversations_view
from streams.web.live.event_filter import EventFilter, FilterError
from streams.web.live.events_view import event_view, events_view
from streams.web.live.headers import WithHeaders
from streams.web.live.health_view import health_view
from streams.web.live.layout import Frame, View, page_html, sign_in
from streams.web.live.overview import overview
from streams.web.live.report_view import report_view
from streams.web.live.span import SPANS, SpanName

logger = logging.getLogger(__name__)

CHANGES_S: Final = 2.0
"""How often a browser that looks on is told that there is something new."""

_STILL_HERE_S: Final = 15.0  # proxies close a connection on which nothing comes for a minute or so
_MOST_FORM_BYTES: Final = 8_192
_LOOKS_UP_AT_ONCE: Final = 2  # requests that read topics; more wait


class Page:
    """The application. `board` has to be open; `closing` ends what would else go on without end.

    Raises UsageError: the rules of health are not what they should be.
    """

    def __init__(
        self, cluster: Cluster, board: Board, access: Access, closing: asyncio.Event, clock: Clock = now_ms
    ) -> None:
        self._cluster = cluster
        self._settings: Settings = cluster.settings
        self._board = board
        self._access = access
        self._closing = closing
        self._bounds = bounds(load_health_rules(self._settings.health_rules))
        self._clock = clock
        self._looking_up = asyncio.Semaphore(_LOOKS_UP_AT_ONCE)

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                *(
                    Route(path, self._shown(find))
                    for path, find in (
                        ("/", self._overview),
                        ("/health", self._health),
                        ("/report", self._report),
                        ("/conversations", self._conversations),
                        ("/conversation", self._conversation),
                        ("/events", self._events),
                        ("/event", self._event),
                        ("/alerts", self._alerts),
                    )
                ),
                Route("/changes", self._guarded(self._changes)),
                Route("/login", self._named(self._login), methods=["POST"]),
                Route("/logout", self._named(self._logout), methods=["POST"]),
                Route("/page.css", self._named(_asset(PAGE_STYLE, "text/css"))),
                Route("/page.js", self._named(_asset(SCRIPT, "text/javascript"))),
                Route("/livez", _alive),
                Route("/readyz", self._ready),
            ],
            middleware=[Middleware(WithHeaders)],
            exception_handlers={HTTPStatus.NOT_FOUND: _not_here, HTTPStatus.METHOD_NOT_ALLOWED: _not_here},
        )

    def _named(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """`answer`, to those who ask for this page by its own name."""

        async def endpoint(request: Request) -> Response:
            if not self._access.is_named_right(request):
                said = "This page is not known by that name: EDGEWISE_PAGE_NAMES has its names.\n"
                return PlainTextResponse(said, HTTPStatus.MISDIRECTED_REQUEST)
            return await answer(request)

        return endpoint

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """`answer`, to those who may look."""

        async def endpoint(request: Request) -> Response:
            if self._access.may_look(request):
                return await answer(request)
            if not self._access.asks_for_token:
                return PlainTextResponse("The proxy in front of this page has not said who asks.\n", 403)
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return self._asking(asked, wrong="authorization" in request.headers)

        return self._named(endpoint)

    def _shown(self, find: Callable[[Request], Awaitable[View]]) -> Callable[[Request], Awaitable[Response]]:
        """What `find` finds, as a page; what it cannot find, too."""

        async def endpoint(request: Request) -> Response:
            frame = await in_daemon_thread(self._frame)  # it may have to wait for what is being added up
            try:
                view = await find(request)
            except FilterError as error:
                view = View("Not asked well", request.url.path, [f"{error}."], status=HTTPStatus.BAD_REQUEST)
            except EdgewiseError as error:
                logger.warning("%s", error)
                view = View("Not now", request.url.path, [f"{error}."], status=HTTPStatus.SERVICE_UNAVAILABLE)
            return HTMLResponse(page_html(view, frame), view.status)

        return self._guarded(endpoint)

    def _frame(self) -> Frame:
        version = self._board.version  # before the rest: what comes meanwhile is to be drawn anew
        notices = [each for each in (self._board.fault(), self._board.reading()) if each is not None]
        seen = f"{version}-{crc32(' '.join(notices).encode())}"
        return Frame(self._settings.topic_prefix.rstrip("."), notices, self._access.asks_for_token, seen)

    def _asking(self, leads_to: str, *, wrong: bool) -> Response:
        view = View("Sign in", "", ["Who has the token may look."], [], status=HTTPStatus.UNAUTHORIZED)
        view = View(view.title, view.path, [*view.lead, sign_in(wrong, leads_to)], status=view.status)
        return HTMLResponse(page_html(view, Frame()), view.status)

    async def _login(self, request: Request) -> Response:
        try:
            form = await _form(request)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        leads_to = _own_address(form.get("next", ""))
        if not self._access.is_token(form.get("token", "")):
            logger.warning("page: somebody gave a wrong token")
            return self._asking(leads_to, wrong=True)
        answer = RedirectResponse(leads_to, HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            self._access.session(),
            max_age=SESSION_S,
            secure=request.headers.get("x-forwarded-proto", request.url.scheme) == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _logout(self, _request: Request) -> Response:
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def _changes(self, request: Request) -> Response:
        told = self._told(request.query_params.get("seen"))
        return StreamingResponse(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _told(self, seen: str | None) -> AsyncIterator[str]:
        """Events of what is new, until the browser leaves or the server stops; `seen`: what it has drawn last."""
        seen, quiet_s = seen or (await in_daemon_thread(self._frame)).seen, 0.0
        yield "retry: 3000\n\n"
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(CHANGES_S):
                    await self._closing.wait()
            except TimeoutError:
                quiet_s += CHANGES_S
            if (now := (await in_daemon_thread(self._frame)).seen) != seen:
                seen, quiet_s = now, 0.0
                yield f"event: change\ndata: {seen}\n\n"
            elif quiet_s >= _STILL_HERE_S:
                quiet_s = 0.0
                yield ": still here\n\n"

    async def _ready(self, _request: Request) -> Response:
        why = self._board.fault()
        return PlainTextResponse(f"{why or 'ok'}\n", HTTPStatus.OK if why is None else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _overview(self, request: Request) -> View:
        return await in_daemon_thread(
            partial(overview, self._board, self._settings, self._bounds, _span(request), self._clock())
        )

    async def _health(self, request: Request) -> View:
        return await in_daemon_thread(partial(health_view, self._board, self._bounds, _span(request), self._clock()))

    async def _report(self, _request: Request) -> View:
        return await in_daemon_thread(partial(report_view, self._board, self._settings, self._clock()))

    async def _alerts(self, _request: Request) -> View:
        return alerts_view(self._board, self._clock())

    async def _conversations(self, request: Request) -> View:
        status = request.query_params.get("status") or None
        if status is not None and status not in STATUSES:
            raise FilterError(f"status is one of {', '.join(STATUSES)}")
        skip = _number(request, "skip", 1_000_000) or 0
        return await in_daemon_thread(partial(conversations_view, self._board, self._settings, status, skip))

    async def _conversation(self, request: Request) -> View:
        found = partial(conversation_view, self._cluster, self._board, _given(request, "id"))
        async with self._looking_up:
            return await in_daemon_thread(partial(found, _number(request, "at", _LAST_MS), self._clock()))

    async def _events(self, request: Request) -> View:
        wanted = EventFilter.parse(request.query_params, self._clock)
        async with self._looking_up:
            return await in_daemon_thread(
                partial(events_view, self._cluster, wanted, request.query_params, self._clock())
            )

    async def _event(self, request: Request) -> View:
        conversation, event = _given(request, "conversation"), _given(request, "id")
        at_ms = _number(request, "at", _LAST_MS)
        if at_ms is None:
            raise FilterError("at says when it was recorded, in milliseconds since 1970")
        async with self._looking_up:
            return await in_daemon_thread(partial(event_view, self._cluster, conversation, event, at_ms))


_LAST_MS: Final = 9_999_999_999_999  # of the year 2286


def _span(request: Request) -> SpanName:
    asked = request.query_params.get("span", SPANS[0])
    for name in SPANS:
        if name == asked:
            return name
    raise FilterError(f"span is one of {', '.join(SPANS)}")


def _given(request: Request, name: str) -> str:
    value = request.query_params.get(name, "")
    if not value:
        raise FilterError(f"{name} is missing")
    return value


def _number(request: Request, name: str, most: int) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 15 and int(text) <= most):
        raise FilterError(f"{name} is a number from 0 to {most:,}")
    return int(text)


def _own_address(text: str) -> str:
    """`text` where it is an address of this page, else the page's own: a sign-in leads to no other site."""
    inside = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if inside else "/"


async def _form(request: Request) -> dict[str, str]:
    """What a form holds; nothing where it is too large for one of ours, or has too many fields."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM_BYTES:
            return {}
    try:
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        return {}


def _asset(text: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_request: Request) -> Response:
        return Response(text, media_type=kind)

    return endpoint


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _not_here(_request: Request, _refusal: Exception) -> Response:
    return PlainTextResponse("There is nothing here.\n", HTTPStatus.NOT_FOUND)
