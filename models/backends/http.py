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
from models.backends.reply import Lasting, Reply
from models.cloud import CloudError
from models.proxies import proxies_told

TRIES = 4
"""Each try may be billed, so a few; the deadline mostly ends them sooner."""

FIRST_BACKOFF_S = 0.25
LAST_BACKOFF_S = 8.0
LONGEST_ANSWER = 1 << 20  # bytes; a batch's answer has some thousands

Kind = Literal[
    "unreachable",  # no connection, or the wrong certificate
    "unauthorised",  # the key is missing or wrong
    "refused",  # the address, the model or the quota: it takes a person
    "failed",  # the service failed, was cut off, or was too slow
    "nonsense",  # it answered what is no answer
    "declined",  # it does not answer this text; others it may
    "limited",  # the rate limit leaves no try within the deadline
    "unaffordable",  # the budget leaves no money for a try
]

_PASSING = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
# A gateway's word, which does not know what became of the request behind it.
_IN_BETWEEN = frozenset({408, 502, 504})
_OWN_FAULT = frozenset({400, 403, 413, 422, 424})  # with 403 a parameter is refused: another one is the key's fault
_TO_MEND: Mapping[Lasting, str] = {
    "redirect": ", a redirect, which is not followed: check EDGEWISE_CLOUD_URL",
    "quota": ": its account has no money or quota left",
    "key": ": check EDGEWISE_CLOUD_API_KEY",
    "model": ": check EDGEWISE_CLOUD_URL and EDGEWISE_CLOUD_MODEL_NAME",
}

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
    by_proxy: bool = True  # of the environment, where it names one


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
    (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY). All calls belong to one event loop.

    Raises OSError: one of the endpoint's files can't be used; UsageError: the proxies can't.
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
        most = httpx.Limits(max_connections=endpoint.concurrency, max_keepalive_connections=endpoint.concurrency)
        with proxies_told():
            self._client = httpx.AsyncClient(
                verify=tls,
                timeout=None,  # noqa: S113 - each try is under the call's own deadline
                follow_redirects=False,
                headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "edgewise"},
                limits=most,
                trust_env=endpoint.by_proxy,
            )

    async def call(self, path: str, body: Any, deadline: float, bill: Bill) -> Reply:
        """The answer of a POST of `body`, or of a GET where it is None, within `deadline` (by the loop's clock).

        Tries again what may pass, after a growing pause or the one that the service asks for; gives up at once where
        the pause is longer than what is left. A try that was sent and not answered, or by a gateway alone, is on the
        `bill`; what an answer costs, its reader puts there. A try that the bill's allowance does not cover is not made.
        A refusal of this one request (400, 413, 422, 424, and a parameter's by 403) is returned.

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
        return self.error("declined", f"refused the request ({reply.in_words})")

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
                untried = self.error("limited", "was not asked within the deadline: other calls took it")
                raise last or untried from None
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
        if response.status_code in _IN_BETWEEN:
            bill.lost()
        else:
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
        try:
            body = json.loads(answer)
        except (ValueError, RecursionError):
            body = None
        reply = Reply(response.status_code, body, response.headers)
        if not reply.is_ok:
            return self._failed(reply)
        if body is None:
            bill.charge(None)
            raise self.error("nonsense", "answered what is no JSON")
        return reply

    def _failed(self, reply: Reply) -> Reply:
        """A refusal of this one request. Raises CallError, and _PassingError for what may be tried again."""
        error = self.error("failed", f"answered {reply.in_words}")
        if reply.lasting:
            kind: Kind = "unauthorised" if reply.lasting == "key" else "refused"
            refused = CallError(kind, f"{error}{_TO_MEND[reply.lasting]}")
            self.breaker.failed(str(refused), at_once=True)
            raise refused
        if reply.status in _OWN_FAULT:
            return reply
        told = reply.headers.get("x-should-retry")
        passes = told == "true" if told in {"true", "false"} else reply.status in _PASSING and not reply.is_unparsed
        if not passes:
            if not reply.is_unparsed:
                self.breaker.failed(str(error))
            raise error
        wait_s = retry_after_s(reply.headers, time.time())
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            error.kind = "limited"
            if wait_s is not None:
                self._limit.pause(wait_s)
        raise _PassingError(error, wait_s)


async def _read(response: httpx.Response) -> bytes | None:
    """The body; None for one over `LONGEST_ANSWER`."""
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > LONGEST_ANSWER:
            return None
    return bytes(content)


def _cause(error: BaseException) -> BaseException:
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
