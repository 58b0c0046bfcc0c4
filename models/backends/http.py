"""What the services behind HTTP share: one client, a deadline over all tries, and which failures are tried again."""

import asyncio
import json
import logging
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, Self

import httpx

from models.backends.bill import Bill
from models.backends.circuit_breaker import CircuitBreaker
from models.backends.rate_limit import RateLimit, retry_after_s
from models.cloud import CloudError

TRIES = 4
"""Each try may be billed, so a few; the deadline mostly ends them sooner."""

FIRST_BACKOFF_S = 0.25
LAST_BACKOFF_S = 8.0
LONGEST_ANSWER = 1 << 20  # bytes; a batch's answer has some thousands

Kind = Literal[
    "unreachable",  # no connection, or the wrong certificate
    "refused",  # the key, the model or the quota: it takes a person
    "failed",  # the service failed, was cut off, or was too slow
    "nonsense",  # it answered what is no answer
    "declined",  # it does not answer this text; others it may
    "limited",  # the rate limit leaves no try within the deadline
    "unaffordable",  # the budget leaves no money for a try
]

_PASSING = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_LASTING = frozenset({401, 402, 403, 404, 405, 410})
_OWN_FAULT = frozenset({400, 413, 422, 424})

# The only words of an error body that are repeated: what else a service says of a request may quote the text in it.
_CODES = frozenset({
    "account_deactivated", "api_error", "authentication_error", "billing_hard_limit_reached", "billing_not_active",
    "content_filter", "context_length_exceeded", "exceed_context_size_error", "insufficient_quota", "invalid_api_key",
    "invalid_request_error", "model_not_found", "not_found_error", "overloaded", "overloaded_error",
    "permission_error", "rate_limit_error", "rate_limit_exceeded", "request_too_large", "server_error",
    "unsupported_parameter", "unsupported_value", "Backend", "Empty", "Overloaded", "Tokenizer", "Validation",
    "Unhealthy",
})  # fmt: skip
_NO_QUOTA = frozenset({
    "account_deactivated", "billing_hard_limit_reached", "billing_not_active", "insufficient_quota",
})  # fmt: skip
_REFUSING = ("support", "unrecogni", "not permitted", "not allowed", "deprecated")
# Triton answers a request that it cannot parse with a 500.
_UNPARSED = ("failed to parse", "parse the request json")

# httpx names the address of each request at INFO, httpcore the headers of each answer at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class CallError(CloudError):
    """A call that has no answer. The message has neither the text, nor the key, nor what the service said of them."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is and how it is called."""

    name: str  # for messages: the backend and the model that is asked for
    url: str  # what paths are put behind
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # among them the key
    ca_file: str | None = None
    certificate_file: str | None = None  # this client's
    key_file: str | None = None  # where the certificate's file does not hold the key
    concurrency: int = 8


class Reply(NamedTuple):
    """An answer in JSON, or the service's refusal of this one request."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def is_ok(self) -> bool:
        """Whether it is an answer."""
        return self.status == HTTPStatus.OK

    def says(self, word: str) -> bool:
        """Whether a refusal names the parameter `word`."""
        error = self.body.get("error") if isinstance(self.body, Mapping) else None
        if isinstance(error, Mapping) and isinstance(error.get("param"), str):
            return bool(error["param"] == word)
        message = error.get("message") if isinstance(error, Mapping) else error
        # It may quote a customer who speaks of a temperature.
        return isinstance(message, str) and word in message and any(verb in message.lower() for verb in _REFUSING)


class _Request(NamedTuple):
    """What is sent; `tokens_out` is how many it lets a model write."""

    path: str
    content: bytes | None
    tokens_out: int

    @classmethod
    def of(cls, path: str, body: Any) -> Self:
        """A POST of `body`, or a GET where that is None."""
        limits = [body.get(name) for name in ("max_tokens", "max_completion_tokens")] if body is not None else []
        content = None if body is None else json.dumps(body).encode()
        return cls(path, content, sum(limit for limit in limits if isinstance(limit, int)))


class _PassingError(Exception):
    """A try that failed by what may pass."""

    def __init__(self, error: CallError, wait_s: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.wait_s = wait_s  # what the service asks for


class Caller:
    """Calls one service: at most `concurrency` tries at once, in time with its rate limits.

    Redirects are not followed: text and key are for this address alone. The proxies are those of the environment
    (HTTPS_PROXY, HTTP_PROXY, NO_PROXY). All calls belong to one event loop.

    Raises OSError: one of the endpoint's files can't be used.
    """

    def __init__(self, endpoint: Endpoint, *, jitter: random.Random | None = None) -> None:
        self.endpoint = endpoint
        self.breaker = CircuitBreaker(time.monotonic)
        self._limit = RateLimit(endpoint.concurrency, time.monotonic, time.time)
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads tries, keeps no secret
        tls = ssl.create_default_context()
        if endpoint.ca_file is not None:
            tls.load_verify_locations(endpoint.ca_file)
        if endpoint.certificate_file is not None:
            # A password, so that a key which needs one is refused and nobody is asked for it at the terminal.
            tls.load_cert_chain(endpoint.certificate_file, endpoint.key_file, password="")
        self._client = httpx.AsyncClient(
            verify=tls,
            timeout=None,  # noqa: S113 - each try is under the call's own deadline
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "edgewise"},
            limits=httpx.Limits(max_connections=endpoint.concurrency, max_keepalive_connections=endpoint.concurrency),
        )

    async def call(self, path: str, body: Any, deadline: float, bill: Bill) -> Reply:
        """The answer of a POST of `body`, or of a GET where it is None, within `deadline` (by the loop's clock).

        Tries again what may pass, after a growing pause or the one that the service asks for; gives up at once where
        the pause is longer than what is left. A try that was sent and not answered is on the `bill`; what an answer
        costs, its reader puts there. A try that the bill's allowance does not cover is not made. A refusal of this one
        request (400, 413, 422, 424) is returned.

        Raises CallError.
        """
        request = _Request.of(path, body)
        last: CallError | None = None
        wait_s = 0.0
        for number in range(TRIES):
            if last is not None and self.breaker.is_open:
                break
            await self._turn(wait_s, deadline, last)
            try:
                return await self._try(request, deadline, bill, last)
            except _PassingError as passing:
                last = passing.error
                if last.kind != "limited":
                    self.breaker.failed(str(last))
                backoff_s = min(FIRST_BACKOFF_S * 2**number, LAST_BACKOFF_S) * self._jitter.uniform(0.5, 1)
                wait_s = backoff_s if passing.wait_s is None else max(passing.wait_s, backoff_s)
        assert last is not None  # noqa: S101 - for mypy: the loop ends by an answer or after a failure
        raise last

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def error(self, kind: Kind, what: str) -> CallError:
        """A CallError that begins with the service's name."""
        return CallError(kind, f"{self.endpoint.name} {what}")

    def refusal(self, reply: Reply) -> CallError:
        """What a refusal of one request amounts to."""
        return self.error("declined", f"refused the request (HTTP {reply.status}{_code_in_words(reply.body)})")

    async def _turn(self, wait_s: float, deadline: float, last: CallError | None) -> None:
        """Returns when a try may begin; raises CallError where that is not before the deadline."""
        clock_s = asyncio.get_running_loop().time
        due = clock_s() + wait_s
        while (delay_s := max(due - clock_s(), self._limit.delay_s())) > 0:
            if clock_s() + delay_s >= deadline:
                raise last or self.error("limited", "is not asked: its rate limit leaves no time within the deadline")
            await asyncio.sleep(delay_s)
        self._limit.take()

    async def _try(self, request: _Request, deadline: float, bill: Bill, last: CallError | None) -> Reply:
        clock_s = asyncio.get_running_loop().time
        begun_s: float | None = None
        try:
            async with asyncio.timeout_at(deadline), self._slots:
                begun_s = clock_s()
                if not bill.reserve(len(request.content or b""), request.tokens_out, deadline - begun_s):
                    raise last or self.error("unaffordable", "is not asked: the budget is spent")
                response, answer = await self._send(request)
        except TimeoutError:
            if begun_s is None:
                raise self.error("failed", "was not asked within the deadline: other calls took it") from None
            bill.lost()
            error = self.error("failed", "did not answer within the deadline")
            self.breaker.failed(str(error))
            raise error from None
        except (httpx.ConnectError, httpx.ProxyError) as failure:
            raise self._unreachable(failure) from None
        except (httpx.HTTPError, ssl.SSLError) as failure:  # httpx lets some of TLS through as they are
            bill.lost()
            why = failure.reason if isinstance(failure, ssl.SSLError) else type(failure).__name__
            raise _PassingError(self.error("failed", f"was cut off ({why})")) from None
        if answer is None:
            bill.lost()
            raise self.error("nonsense", f"answered more than {LONGEST_ANSWER:,} bytes")
        bill.reached(clock_s() - begun_s)
        self._limit.observe(response.headers)
        return self._judged(response, answer, bill)

    async def _send(self, request: _Request) -> tuple[httpx.Response, bytes | None]:
        content = request.content
        headers = {**self.endpoint.headers, **({} if content is None else {"Content-Type": "application/json"})}
        method, url = "GET" if content is None else "POST", self.endpoint.url + request.path
        async with self._client.stream(method, url, content=content, headers=headers) as response:
            return response, await _read(response)

    def _unreachable(self, failure: Exception) -> Exception:
        cause = _cause(failure)
        if isinstance(cause, ssl.SSLCertVerificationError):
            error = self.error(
                "unreachable",
                f"has a certificate that is not accepted ({cause.verify_message}): check EDGEWISE_CLOUD_URL and "
                "EDGEWISE_CLOUD_CA_FILE",
            )
            self.breaker.failed(str(error), at_once=True)
            return error
        why = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
        return _PassingError(self.error("unreachable", f"cannot be reached ({why})"))

    def _judged(self, response: httpx.Response, answer: bytes, bill: Bill) -> Reply:
        status = response.status_code
        try:
            body = json.loads(answer)
        except (ValueError, RecursionError):
            body = None
        if status != HTTPStatus.OK:
            return self._failed(response, body)
        if body is None:
            bill.charge(None)
            raise self.error("nonsense", "answered what is no JSON")
        return Reply(status, body, response.headers)

    def _failed(self, response: httpx.Response, body: Any) -> Reply:
        """A refusal of this one request. Raises CallError, and _PassingError for what may be tried again."""
        status, code = response.status_code, _code(body)
        error = self.error("failed", f"answered HTTP {status}{_code_in_words(body)}")
        if code in _NO_QUOTA or status in _LASTING or response.is_redirect:
            raise self._lasting(error, status, code, is_redirect=response.is_redirect)
        if status in _OWN_FAULT:
            return Reply(status, body, response.headers)
        told = response.headers.get("x-should-retry")
        passes = told == "true" if told in {"true", "false"} else status in _PASSING and not _is_unparsed(body)
        if not passes:
            if not _is_unparsed(body):
                self.breaker.failed(str(error))
            raise error
        wait_s = retry_after_s(response.headers, time.time())
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            error.kind = "limited"
            if wait_s is not None:
                self._limit.pause(wait_s)
        raise _PassingError(error, wait_s)

    def _lasting(self, error: CallError, status: int, code: str | None, *, is_redirect: bool) -> CallError:
        if is_redirect:
            hint = ", a redirect, which is not followed: check EDGEWISE_CLOUD_URL"
        elif code in _NO_QUOTA:
            hint = ": its account has no money or quota left"
        elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            hint = ": check EDGEWISE_CLOUD_API_KEY"
        else:
            hint = ": check EDGEWISE_CLOUD_URL and EDGEWISE_CLOUD_MODEL_NAME"
        refused = CallError("refused", f"{error}{hint}")
        self.breaker.failed(str(refused), at_once=True)
        return refused


async def _read(response: httpx.Response) -> bytes | None:
    """The body; None for one over `LONGEST_ANSWER`."""
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > LONGEST_ANSWER:
            return None
    return bytes(content)


def _code(body: Any) -> str | None:
    """The error's code where it is one of those known: OpenAI's `code` or `type`, Anthropic's `type`, TEI's."""
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    given = [error.get("code"), error.get("type")] if isinstance(error, Mapping) else [body.get("error_type")]
    return next((code for code in given if isinstance(code, str) and code in _CODES), None)


def _code_in_words(body: Any) -> str:
    code = _code(body)
    return "" if code is None else f", {code}"


def _is_unparsed(body: Any) -> bool:
    error = body.get("error") if isinstance(body, Mapping) else None
    return isinstance(error, str) and any(words in error.lower() for words in _UNPARSED)


def _cause(error: BaseException) -> BaseException:
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
