"""One request to one webhook, and what came of it."""

import asyncio
import logging
import os
import ssl
import time
from typing import Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit

import httpx

from models.backends.rate_limit import retry_after_s
from models.proxies import proxies_told
from schemas.records import Alert
from streams.config.addresses import is_loopback
from streams.system.clock import Clock, now_ms
from streams.webhooks.forms import message
from streams.webhooks.webhook import Webhook

DEADLINE_S: Final = 10.0
"""A request ends within it, whatever the other side does. Slack and PagerDuty answer within a second."""

# httpx names the address of each request at INFO, httpcore the headers at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Result = Literal[
    "taken",
    "failed",  # it did not arrive, or the webhook says that it was not taken now
    "refused",  # the webhook says that it will not take it
    "unknown",  # it was sent, and there is no answer: it may have been taken
]

# A gateway's word, which does not know what became of the request behind it.
_IN_BETWEEN: Final = frozenset({502, 504})
_PASSING: Final = frozenset({408, 425, 429})


class Outcome(NamedTuple):
    """What came of a request; `detail` has no address, no secret and nothing that the other side wrote."""

    result: Result
    detail: str
    wait_s: float | None = None  # how long the webhook asks to be left alone


class Poster:
    """Sends messages, in one event loop. Redirects are not followed.

    Proxies are those of the environment, and none for this machine. Raises UsageError: they can't be used.
    """

    def __init__(self, clock: Clock = now_ms, deadline_s: float = DEADLINE_S) -> None:
        self._clock = clock
        self._deadline_s = deadline_s
        tls = ssl.create_default_context()
        with proxies_told():
            self._clients = {
                by_proxy: httpx.AsyncClient(
                    verify=tls,
                    # The request as a whole is under the deadline. What no connection was made for has not arrived.
                    timeout=httpx.Timeout(None, connect=deadline_s / 2),
                    follow_redirects=False,
                    headers={"User-Agent": "edgewise", "Accept-Encoding": "identity"},
                    trust_env=by_proxy,
                )
                for by_proxy in (False, True)
            }

    async def post(self, webhook: Webhook, alert: Alert, *, is_repeated: bool = False) -> Outcome:
        """Sends `webhook` what `alert` says now. `is_repeated`: it may have been sent before."""
        body, headers = message(webhook, alert, self._clock(), is_repeated=is_repeated)
        client = self._clients[not is_loopback(urlsplit(webhook.url).hostname or "")]
        try:
            async with asyncio.timeout(self._deadline_s):
                request = client.build_request("POST", webhook.url, content=body, headers=headers)
                response = await client.send(request, stream=True)
                try:
                    return _judged(response)
                finally:  # what else it says is not wanted; Slack's "ok" is with the status
                    await response.aclose()
        except TimeoutError:
            return Outcome("unknown", f"no answer within {self._deadline_s:g} s")
        except httpx.ConnectTimeout:
            return Outcome("failed", f"no connection within {self._deadline_s / 2:g} s")
        except (httpx.ConnectError, httpx.ProxyError) as failure:
            return Outcome("failed", f"it cannot be reached ({_reason(failure)})")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as failure:
            return Outcome("unknown", f"it was cut off ({type(failure).__name__})")

    async def close(self) -> None:
        """Closes the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _judged(response: httpx.Response) -> Outcome:
    status, detail = response.status_code, f"HTTP {response.status_code}"
    if response.is_success:
        return Outcome("taken", detail)
    wait_s = retry_after_s(response.headers, time.time())
    if status in _IN_BETWEEN:
        return Outcome("unknown", detail, wait_s)
    if response.is_server_error or status in _PASSING:
        return Outcome("failed", detail, wait_s)
    if response.is_redirect:
        return Outcome("refused", f"{detail}, a redirect, which is not followed")
    return Outcome("refused", detail, wait_s)


def _reason(failure: Exception) -> str:
    """Why there was no connection, in the system's words, which name no address."""
    error: BaseException = failure
    while cause := error.__cause__ or error.__context__:
        error = cause
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    # Of its own text asyncio makes one with the address in it.
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
