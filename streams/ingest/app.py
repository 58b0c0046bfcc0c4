"""The HTTP door: requests to events, events to Kafka, and an answer that says what became of them."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

import prometheus_client
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from models.text_validation import validate_text
from schemas.codec import DecodeError, EncodeError
from schemas.records import Role
from schemas.topics import TRANSCRIPTS
from schemas.validation import validate_event
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.formats.error import FormatError
from streams.ingest import metrics
from streams.ingest.intake import Intake, KafkaAwayError, KafkaSlowError
from streams.ingest.json_events import BodyError, json_lines, json_value, read_events
from streams.ingest.once import EventRefusedError, Item
from streams.ingest.openapi import document, page
from streams.ingest.problems import Problem, too_large, unauthorized, unsupported
from streams.ingest.remembered import digest
from streams.ingest.secrets import Secrets
from streams.ingest.signatures import VENDORS, SignatureError, Signed, verify
from streams.ingest.webhooks import Delivered, read_webhook, url_validation
from streams.system.clock import Clock, now_ms
from streams.system.trace_context import Attributes, Span, TraceHeaders, carried
from streams.system.tracing import begin

logger = logging.getLogger(__name__)

EVENTS: Final = "/v1/events"
WEBHOOKS: Final = "/v1/webhooks/"

# A body comes within milliseconds. Who takes longer than this holds a connection for nothing.
_BODY_S: Final = 20.0

_JSON: Final = "application/json"
_LINES: Final = ("application/x-ndjson", "application/jsonl")
_FORM: Final = "application/x-www-form-urlencoded"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_LOADS_NOTHING: Final = "default-src 'none'; style-src 'unsafe-inline'"

# When a client may come again.
_SLOW: Final = {"Retry-After": "1"}
_AWAY: Final = {"Retry-After": "5"}


class _Answer(NamedTuple):
    """What a request is answered, and what the access log says of it besides."""

    response: Response
    note: str = ""


class Door:
    """The application. `intake` has to be running; `roles` is the user's map of who speaks."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        intake: Intake,
        roles: Mapping[str, Role],
        clock: Clock = now_ms,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._intake = intake
        self._roles = roles
        self._clock = clock
        self._clock_s = clock_s
        self._encode = codec(settings, TRANSCRIPTS).encode

    def application(self) -> Starlette:
        """The ASGI application."""
        application = Starlette(
            routes=[
                Route(EVENTS, self._logged(EVENTS, self._events), methods=["POST"]),
                *(
                    Route(path, self._logged(path, self._webhook(vendor)), methods=["POST"])
                    for vendor, path in ((vendor, WEBHOOKS + vendor) for vendor in VENDORS)
                ),
                Route("/livez", self._probe(self._intake.why_not_alive)),
                Route("/readyz", self._probe(self._intake.why_not_ready)),
                Route("/metrics", _metrics),
                Route("/openapi.json", self._logged("/openapi.json", _openapi)),
                Route("/docs", self._logged("/docs", _docs)),
            ],
            exception_handlers={HTTPException: _not_found},
        )
        # Else a path with a slash too many would be answered 307, to an address made of what the client calls the host.
        application.router.redirect_slashes = False
        return application

    def _logged(
        self, path: str, handle: Callable[[Request], Awaitable[_Answer]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """`handle`, whose refusals are answers, with an access log that has nothing of what was sent."""

        async def endpoint(request: Request) -> Response:
            begun_s = self._clock_s()
            method = request.method if request.method in _METHODS else "?"
            came = carried((name, value.encode("latin-1")) for name, value in request.headers.items())
            told: Attributes = {"http.request.method": method, "http.route": path}
            request.state.span = span = begin(f"{method} {path}", "server", came, told)
            try:
                response, note = await handle(request)
            except Problem as problem:
                response, note = problem.response(), ""
            except SignatureError as error:
                metrics.REFUSED.labels(path, error.why).inc()
                response, note = unauthorized(error.why).response(), error.why
            except ClientDisconnect:
                response, note = Response(status_code=HTTPStatus.BAD_REQUEST), "the client went away"
            except Exception as error:  # noqa: BLE001 - its text, and a traceback's, may have a customer's words
                response = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed").response()
                note = f"{type(error).__name__} {_place(error)}"
                logger.error("%s: a request failed: %s", path, note)  # noqa: TRY400
            took_s = self._clock_s() - begun_s
            metrics.REQUESTS.labels(path, str(response.status_code)).inc()
            metrics.REQUEST_SECONDS.labels(path).observe(took_s)
            span.tell({"http.response.status_code": response.status_code})
            span.end(str(response.status_code) if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "")
            logger.info("%s %s %d %.0f ms %s", method, path, response.status_code, took_s * 1000, note or "-")
            return response

        return endpoint

    async def _events(self, request: Request) -> _Answer:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._secrets.is_token(token.strip()):
            why = "wrong token" if token else "no token"
            metrics.REFUSED.labels(EVENTS, why).inc()
            raise unauthorized(f"{why}: Authorization: Bearer TOKEN is needed", "Bearer")
        kind = _content_type(request, (_JSON, *_LINES))
        body = await self._body(request)
        try:
            value = json_value(body) if kind == _JSON else json_lines(body)
            events = read_events(value, request.headers.get("idempotency-key") or None, self._clock())
        except BodyError as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        return await self._take(EVENTS, Delivered(events), request.state.span, ids=True)

    def _webhook(self, vendor: str) -> Callable[[Request], Awaitable[_Answer]]:
        async def handle(request: Request) -> _Answer:
            secrets = self._secrets.of(vendor)
            if not secrets:
                raise Problem(HTTPStatus.NOT_FOUND, f"no secret of {vendor} is set up here")
            kind = _content_type(request, (_JSON, _FORM) if vendor == "twilio" else (_JSON,))
            signed = Signed(
                {name.lower(): value for name, value in request.headers.items()},
                await self._body(request),
                self._url(request),
                is_form=kind == _FORM,
            )
            secret = verify(vendor, signed, secrets, self._clock())
            try:
                if vendor == "zoom" and (said := url_validation(signed.body, secret)) is not None:
                    return _Answer(JSONResponse(said), "address validated")
                delivered = read_webhook(vendor, signed, self._roles, self._clock())
            except (BodyError, FormatError) as error:
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
            return await self._take(WEBHOOKS + vendor, delivered, request.state.span)

        return handle

    async def _take(self, path: str, delivered: Delivered, span: Span, *, ids: bool = False) -> _Answer:
        """Puts events into Kafka. Raises Problem: one of them is not what it should be, or Kafka has not taken them."""
        events = delivered.events
        items = self._items(delivered, span.headers)
        try:
            new = await self._intake.put(items, self._settings.ingest_deadline_ms / 1000)
        except KafkaSlowError as error:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), _SLOW) from None
        except KafkaAwayError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), _AWAY) from None
        except EventRefusedError as error:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)) from None
        for outcome, count in Counter("new" if is_new else "repeated" for is_new in new).items():
            metrics.EVENTS.labels(path, outcome).inc(count)
        for why, count in delivered.left_out.items():
            metrics.LEFT_OUT.labels(path, why).inc(count)
        content = {"new": sum(new), "repeated": len(new) - sum(new), "left_out": dict(delivered.left_out)}
        note = f"{content['new']} new, {content['repeated']} repeated, {sum(delivered.left_out.values())} left out"
        return _Answer(JSONResponse(content | ({"ids": [event.event_id for event in events]} if ids else {})), note)

    def _items(self, delivered: Delivered, headers: TraceHeaders) -> list[Item]:
        now, events = self._clock(), delivered.events
        items = []
        for place, event in enumerate(events):
            try:
                validate_event(event, now_ms=now)
                if not delivered.is_vendors:  # else one turn would refuse a whole call for ever: a dead letter tells
                    validate_text(event.text, max_chars=self._settings.max_text_chars)
                value = self._encode(event)
            except (DecodeError, EncodeError) as error:
                where = f"events[{place}]: " if len(events) > 1 else ""
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where}{error}") from None
            key = event.conversation_id.encode()
            items.append(Item(digest(event.conversation_id, event.event_id), key, value, headers))
        return items

    async def _body(self, request: Request) -> bytes:
        """The body. Raises Problem: it is too large, by its header or as it comes, or comes too slowly."""
        limit = self._settings.ingest_max_body_bytes
        if int(request.headers.get("content-length", "0")) > limit:
            raise too_large(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_S):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise too_large(limit)
        except TimeoutError:
            metrics.LATE.labels("body").inc()
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {_BODY_S:g} s", {"Connection": "close"}
            ) from None
        return bytes(body)

    def _url(self, request: Request) -> str:
        """The address that the request went to, as the world sees it."""
        public, query = self._settings.ingest_public_url, request.url.query
        address = str(request.url.replace(query="")) if public is None else public + request.url.path
        return f"{address}?{query}" if query else address

    def _probe(self, why_not: Callable[[], str | None]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_request: Request) -> Response:
            why = why_not()
            status = HTTPStatus.OK if why is None else HTTPStatus.SERVICE_UNAVAILABLE
            return PlainTextResponse(f"{why or 'ok'}\n", status)

        return endpoint


def _content_type(request: Request, allowed: Sequence[str]) -> str:
    """The one of `allowed` that the body is said to be. Raises Problem: it is something else, or packed."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if (kind := kind.strip().lower()) not in allowed:
        raise unsupported(f"Content-Type: {' or '.join(allowed)}")
    charset = parameters.partition("charset=")[2].strip().strip('"').lower()
    if charset not in {"", "utf-8", "utf8"}:
        raise unsupported("UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise unsupported("a body that is not compressed")
    return kind


def _place(error: BaseException) -> str:
    """Where an exception comes from: file and line."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    return f"at {traceback.tb_frame.f_code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}"


async def _metrics(_request: Request) -> Response:
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def _openapi(_request: Request) -> _Answer:
    return _Answer(JSONResponse(document()))


async def _docs(_request: Request) -> _Answer:
    return _Answer(HTMLResponse(page(), headers={"Content-Security-Policy": _LOADS_NOTHING}))


async def _not_found(_request: Request, refusal: Exception) -> Response:
    status, headers = (refusal.status_code, refusal.headers or {}) if isinstance(refusal, HTTPException) else (404, {})
    metrics.REQUESTS.labels("other", str(status)).inc()
    detail = "there is nothing here: see /docs" if status == HTTPStatus.NOT_FOUND else "the method is not allowed here"
    return Problem(status, detail, headers).response()
