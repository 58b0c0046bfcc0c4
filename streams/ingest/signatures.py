"""Whether a webhook is from its vendor: what each of them signs, and how.

| vendor | header `x-…` | what is signed | HMAC |
|---|---|---|---|
| zoom | `zm-signature` | `v0:{x-zm-request-timestamp}:{body}` | SHA-256, `v0=` and hexadecimal |
| twilio | `twilio-signature` | URL and sorted form fields; of JSON the URL, which has `bodySHA256` | SHA-1, base64 |
| zendesk | `zendesk-webhook-signature` | `{x-zendesk-webhook-signature-timestamp}{body}` | SHA-256, base64 |
| intercom | `hub-signature` | body | SHA-1, `sha1=` and hexadecimal |
| chatwoot | `chatwoot-signature` | `{x-chatwoot-timestamp}.{body}` | SHA-256, `sha256=` and hexadecimal |
| deepgram | `dg-token`, without `x-` | nothing: the header is the secret | |
| generic | `webhook-signature`, without `x-` | `{webhook-id}.{webhook-timestamp}.{body}` | SHA-256, `v1,` and base64 |

What has a time in it must be fresh. `generic` is Standard Webhooks (https://www.standardwebhooks.com): several
signatures may stand in its header with spaces between, and a secret may begin with `whsec_`, with base64 behind.
Twilio's way is https://www.twilio.com/docs/usage/webhooks/webhooks-security.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit, urlunsplit

FRESH_MS: Final = 300_000
"""How old a signature may be, and how far ahead of this clock: five minutes."""

Fault = Literal["no signature", "wrong signature", "no time", "old"]


class SignatureError(Exception):
    """A request that is not known to be the vendor's; `why` says no more than what may be logged."""

    def __init__(self, why: Fault) -> None:
        super().__init__(why)
        self.why: Fault = why


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it came: its headers by their names in lower case, its raw body, and its URL for the world."""

    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    is_form: bool = False


def verify(vendor: str, signed: Signed, secrets: Sequence[str], now_ms: int) -> str:
    """The one of `secrets` that `signed` was signed with. `vendor` is one of `VENDORS`, `now_ms` UTC milliseconds.

    Every secret is tried and compared in constant time. Raises SignatureError.
    """
    scheme = _SCHEMES[vendor]
    given = signed.headers.get(scheme.header, "")
    if not given:
        raise SignatureError("no signature")
    at_ms = scheme.time(signed) if scheme.time is not None else now_ms
    if at_ms is None:
        raise SignatureError("no time")
    found: str | None = None
    for secret in secrets:
        right = False
        for expected in scheme.expected(signed, secret):
            for each in given.split(" ") if scheme.several else [given]:
                right |= hmac.compare_digest(expected.encode(), each.encode(errors="replace"))
        found = secret if right and found is None else found
    if found is None:
        raise SignatureError("wrong signature")
    if abs(now_ms - at_ms) > FRESH_MS:  # only now: who can't sign is told nothing of the time
        raise SignatureError("old")
    return found


def hex_sha256(secret: str, content: bytes) -> str:
    """HMAC-SHA256 of `content`, in hexadecimal."""
    return hmac.digest(secret.encode(), content, "sha256").hex()


def _base64(secret: bytes, content: bytes, algorithm: str) -> str:
    return base64.b64encode(hmac.digest(secret, content, algorithm)).decode()


def _zoom(signed: Signed, secret: str) -> Iterable[str]:
    at = signed.headers["x-zm-request-timestamp"].encode()
    return ["v0=" + hex_sha256(secret, b"v0:" + at + b":" + signed.body)]


def _zendesk(signed: Signed, secret: str) -> Iterable[str]:
    at = signed.headers["x-zendesk-webhook-signature-timestamp"].encode()
    return [_base64(secret.encode(), at + signed.body, "sha256")]


def _intercom(signed: Signed, secret: str) -> Iterable[str]:
    return ["sha1=" + hmac.digest(secret.encode(), signed.body, "sha1").hex()]


def _chatwoot(signed: Signed, secret: str) -> Iterable[str]:
    at = signed.headers["x-chatwoot-timestamp"].encode()
    return ["sha256=" + hex_sha256(secret, at + b"." + signed.body)]


def _deepgram(_signed: Signed, secret: str) -> Iterable[str]:
    return [secret]


def _generic(signed: Signed, secret: str) -> Iterable[str]:
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:  # no base64, or no ASCII
            return []
    head = f"{signed.headers.get('webhook-id', '')}.{signed.headers['webhook-timestamp']}."
    return ["v1," + _base64(key, head.encode() + signed.body, "sha256")]


def _twilio(signed: Signed, secret: str) -> Iterable[str]:
    fields = ""
    if signed.is_form:
        form = parse_qs(signed.body.decode(errors="replace"), keep_blank_values=True)
        fields = "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    else:
        named = parse_qs(urlsplit(signed.url).query).get("bodySHA256", [""])[0]
        if not hmac.compare_digest(hashlib.sha256(signed.body).hexdigest(), named.lower()):
            return []
    return [_base64(secret.encode(), (url + fields).encode(), "sha1") for url in _with_and_without_port(signed.url)]


def _with_and_without_port(url: str) -> list[str]:
    """`url` as it is, with the scheme's port, and without: Twilio signs it in either way."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = 443 if parts.scheme == "https" else 80
    return [url, *(urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{port}"))]


def _seconds(name: str) -> Callable[[Signed], int | None]:
    def read(signed: Signed) -> int | None:
        text = signed.headers.get(name, "")
        return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) < 12 else None

    return read


def _iso(name: str) -> Callable[[Signed], int | None]:
    def read(signed: Signed) -> int | None:
        try:
            moment = datetime.fromisoformat(signed.headers.get(name, ""))
            return round(moment.timestamp() * 1000) if moment.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None

    return read


@dataclass(frozen=True, slots=True)
class _Scheme:
    header: str
    expected: Callable[[Signed, str], Iterable[str]]
    time: Callable[[Signed], int | None] | None = None  # UTC milliseconds, of what is signed
    several: bool = False  # the header may hold more than one


_SCHEMES: Final[Mapping[str, _Scheme]] = {
    "zoom": _Scheme("x-zm-signature", _zoom, _seconds("x-zm-request-timestamp")),
    "twilio": _Scheme("x-twilio-signature", _twilio),
    "zendesk": _Scheme("x-zendesk-webhook-signature", _zendesk, _iso("x-zendesk-webhook-signature-timestamp")),
    "intercom": _Scheme("x-hub-signature", _intercom),
    "chatwoot": _Scheme("x-chatwoot-signature", _chatwoot, _seconds("x-chatwoot-timestamp")),
    "deepgram": _Scheme("dg-token", _deepgram),
    "generic": _Scheme("webhook-signature", _generic, _seconds("webhook-timestamp"), several=True),
}

VENDORS: Final = tuple(_SCHEMES)
"""Whose webhooks are taken, by the names in their paths."""
