"""Tokens for OAUTHBEARER: OAuth 2.0's client credentials grant (RFC 6749, 4.4), for both Kafka clients."""

import math
import ssl
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from schemas.errors import EdgewiseError, UsageError
from streams.config.addresses import is_loopback
from streams.config.settings import Settings

if TYPE_CHECKING:  # few workers log in with a token, so only they pay for the import
    import httpx

# A connection waits for its token; identity providers answer within a second.
TIMEOUT_S = 10.0

# librdkafka asks for the next token after 80 % of a token's life, and must then get a new one.
_RENEW_AFTER = 0.75


class TokenError(EdgewiseError):
    """The token endpoint gave no token."""


class TokenRefusedError(UsageError):
    """The token endpoint refused the client."""


class TokenSource:
    """The current access token of one client; it is renewed before it runs out."""

    def __init__(self, settings: Settings, clock_s: Callable[[], float] = time.time) -> None:
        self._url = settings.kafka_oauth_token_url or ""
        self._client = settings.kafka_oauth_client_id or ""
        secret = settings.kafka_oauth_client_secret
        self._secret = secret.get_secret_value() if secret else ""
        self._form = {"grant_type": "client_credentials"}
        if settings.kafka_oauth_scope is not None:
            self._form["scope"] = settings.kafka_oauth_scope
        self._ca_file = settings.kafka_ca_file
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = self._expires_at = 0.0

    def token(self) -> tuple[str, float]:
        """The token and when it runs out, in seconds since 1970. Blocks while it is fetched.

        Raises TokenError, TokenRefusedError: what went wrong, without a word of what was sent or answered. UsageError:
        `kafka_ca_file` or a proxy of the environment cannot be used.
        """
        with self._lock:
            now = self._clock_s()
            if now >= self._renew_at:
                self._token, lifetime_s = self._fetch()
                self._renew_at, self._expires_at = now + _RENEW_AFTER * lifetime_s, now + lifetime_s
            return self._token, self._expires_at

    def _fetch(self) -> tuple[str, float]:
        import httpx

        from models.proxies import proxies_told

        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        login = httpx.BasicAuth(quote_plus(self._client), quote_plus(self._secret))
        with proxies_told():
            client = httpx.Client(
                follow_redirects=False,  # the secret is for this address alone, wherever it points
                timeout=TIMEOUT_S,
                verify=self._tls(),
                trust_env=not is_loopback(urlsplit(self._url).hostname or ""),  # whether by the environment's proxy
            )
        try:
            with client:
                answer = client.post(self._url, data=self._form, headers={"Accept": "application/json"}, auth=login)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise TokenError(f"{self._where()} does not answer: {_cause(error)}") from None
        if answer.status_code != HTTPStatus.OK:
            raise self._refused(answer)
        try:
            found = answer.json()
            token, lifetime_s = found["access_token"], float(found["expires_in"])
        except (ArithmeticError, KeyError, TypeError, ValueError):
            token, lifetime_s = "", 0.0
        if not (isinstance(token, str) and token and 0 < lifetime_s < math.inf):
            raise TokenError(f"{self._where()} answered without access_token and expires_in: is it one?")
        return token, lifetime_s

    def _refused(self, answer: "httpx.Response") -> EdgewiseError:
        status = answer.status_code
        if status in {400, 401, 403}:
            return TokenRefusedError(
                f"{self._where()} refused client {self._client!r} (HTTP {status}): check "
                "EDGEWISE_KAFKA_OAUTH_CLIENT_ID, EDGEWISE_KAFKA_OAUTH_CLIENT_SECRET and EDGEWISE_KAFKA_OAUTH_SCOPE"
            )
        what = f"HTTP {status}" + (", a redirect, which is not followed with a secret" if answer.is_redirect else "")
        return TokenError(f"{self._where()} answered {what}: check EDGEWISE_KAFKA_OAUTH_TOKEN_URL")

    def _where(self) -> str:
        parts = urlsplit(self._url)
        return f"the token endpoint {parts.scheme}://{parts.netloc}{parts.path}"

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except OSError as error:  # of which ssl.SSLError is one
                why = "it holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
                raise UsageError(f"setting kafka_ca_file is {self._ca_file!r}, which can't be used: {why}") from None
        return context


@lru_cache(maxsize=8)
def token_source(settings: Settings) -> TokenSource:
    """The source that all clients of `settings` in this process share."""
    return TokenSource(settings)


def _cause(error: BaseException) -> str:
    """What lies at the bottom of `error`, in a few words: what the library wrapped may repeat the request."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
