"""Tokens for OAUTHBEARER: OAuth 2.0's client credentials grant (RFC 6749, 4.4), for both Kafka clients."""

import base64
import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import lru_cache

from schemas.errors import EdgewiseError, UsageError
from streams.config.settings import Settings

# A connection waits for its token; identity providers answer within a second.
TIMEOUT_S = 10.0

# librdkafka asks for the next token after 80 % of a token's life, and is then to get a new one.
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

        Raises TokenError, TokenRefusedError: what went wrong, without a word of what was sent or answered.
        """
        with self._lock:
            now = self._clock_s()
            if now >= self._renew_at:
                self._token, lifetime_s = self._fetch()
                self._renew_at, self._expires_at = now + _RENEW_AFTER * lifetime_s, now + lifetime_s
            return self._token, self._expires_at

    def _fetch(self) -> tuple[str, float]:
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        login = f"{urllib.parse.quote_plus(self._client)}:{urllib.parse.quote_plus(self._secret)}"
        request = urllib.request.Request(  # noqa: S310 - the setting is an http(s) address
            self._url,
            urllib.parse.urlencode(self._form).encode(),
            {"Authorization": "Basic " + base64.b64encode(login.encode()).decode(), "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._tls()) as answer:  # noqa: S310
                found = json.load(answer)
            return str(found["access_token"]), float(found["expires_in"])
        except urllib.error.HTTPError as error:
            error.close()
            raise self._refused(error.code) from None
        except urllib.error.URLError as error:
            raise TokenError(f"{self._where()} does not answer: {_reason(error.reason)}") from None
        except (OSError, http.client.HTTPException) as error:
            raise TokenError(f"{self._where()} does not answer: {_reason(error)}") from None
        except (ValueError, KeyError, TypeError):
            raise TokenError(f"{self._where()} answered without access_token and expires_in: is it one?") from None

    def _refused(self, status: int) -> EdgewiseError:
        if status in {400, 401, 403}:
            return TokenRefusedError(
                f"{self._where()} refused client {self._client!r} (HTTP {status}): check "
                "EDGEWISE_KAFKA_OAUTH_CLIENT_ID, EDGEWISE_KAFKA_OAUTH_CLIENT_SECRET and EDGEWISE_KAFKA_OAUTH_SCOPE"
            )
        return TokenError(f"{self._where()} answered HTTP {status}: check EDGEWISE_KAFKA_OAUTH_TOKEN_URL")

    def _where(self) -> str:
        parts = urllib.parse.urlsplit(self._url)
        return f"the token endpoint {parts.scheme}://{parts.netloc}{parts.path}"

    def _tls(self) -> ssl.SSLContext | None:
        if not self._url.startswith("https:"):
            return None
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        return context


@lru_cache(maxsize=8)
def token_source(settings: Settings) -> TokenSource:
    """The source that all clients of `settings` in this process share."""
    return TokenSource(settings)


def _reason(error: object) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
