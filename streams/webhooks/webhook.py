"""The file of EDGEWISE_WEBHOOKS: who is told of which alerts."""

import base64
import binascii
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import UsageError
from schemas.records import Severity
from streams.config.addresses import is_loopback

Kind = Literal["slack", "teams", "pagerduty", "json"]

PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"

_ROUTING_KEY: Final = 32  # characters; PagerDuty would refuse every event with another

# It is part of a Kafka key, and a label of metrics.
_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"

_ALLOWED: Final = {
    "name": "up to 40 small letters, digits, hyphens and underscores, a letter or a digit first",
    "kind": "one of " + ", ".join(get_args(Kind)),
    "severities": "a list of " + ", ".join(get_args(Severity)),
    "rules": "a list of rules' names, such as escalation",
}
_TEXT: Final = "text"

# Whoever knows such an address, or such a key, can send in the installation's name.
_SECRETIVE: Final = ("slack", "teams", "pagerduty")
_SIGNED: Final = ("pagerduty", "json")


class WebhookError(UsageError):
    """The file of webhooks, or a file that it names, cannot be used."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One that is told. Neither its address nor its secrets are shown."""

    name: str
    kind: Kind
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)  # json: those that sign; pagerduty: the routing key
    severities: frozenset[Severity] = frozenset(get_args(Severity))
    rules: frozenset[str] | None = None  # None: all

    def wants(self, rule: str, severity: Severity) -> bool:
        """Whether it is to be told of an alert of `rule`."""
        return severity in self.severities and (self.rules is None or rule in self.rules)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=_NAME)
    kind: Kind
    url: str | None = None
    url_file: str | None = None
    secret_file: str | None = None
    severities: list[Severity] = Field(default=list(get_args(Severity)), min_length=1)
    rules: list[Annotated[str, Field(min_length=1)]] | None = Field(default=None, min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    webhook: list[_Entry] = Field(min_length=1)


def load_webhooks(path: Path) -> tuple[Webhook, ...]:
    """The webhooks in the TOML file at `path`; files that it names are looked for beside it.

    Raises WebhookError, whose message has neither an address nor a secret.
    """
    try:
        read: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise WebhookError(f"webhooks is {str(path)!r}, which can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The library's own words may quote the line, and an address stands in one.
        raise WebhookError(f"webhooks is {str(path)!r}, which is no TOML: allowed are tables [[webhook]]") from None
    try:
        entries = _File.model_validate(read).webhook
    except ValidationError as failure:
        raise WebhookError(_refusal(path, failure, read)) from None
    names = [entry.name for entry in entries]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise WebhookError(f"{path}: there are two webhooks {twice!r}: give each a name of its own")
    return tuple(_webhook(path, entry) for entry in entries)


def _webhook(path: Path, entry: _Entry) -> Webhook:
    def refuse(what: str) -> WebhookError:
        return WebhookError(f"{path}: webhook {entry.name!r}: {what}")

    if entry.url is not None and entry.url_file is not None:
        raise refuse("url and url_file are both given: give the address or the file that it is in")
    if entry.url_file is not None:
        url = _lines(path, entry.url_file, "url_file", refuse)[0]
    elif entry.url is not None:
        url = entry.url
    elif entry.kind == "pagerduty":
        url = PAGERDUTY_URL
    else:
        raise refuse("it has no address: give url_file, a file that holds it, or url")
    if (entry.secret_file is not None) != (entry.kind in _SIGNED):
        needs = "the routing key" if entry.kind == "pagerduty" else "secrets to sign with, one a line"
        raise refuse(
            f"give secret_file, a file that holds {needs}"
            if entry.kind in _SIGNED
            else f"secret_file is not for {entry.kind}, whose address is the secret"
        )
    secrets = [] if entry.secret_file is None else _lines(path, entry.secret_file, "secret_file", refuse)
    try:
        keys = tuple(map(_key, secrets) if entry.kind == "json" else (secret.encode() for secret in secrets))
    except binascii.Error:
        raise refuse("a secret in secret_file begins with whsec_: base64 must come after it") from None
    if url == PAGERDUTY_URL and len(keys[0]) != _ROUTING_KEY:
        raise refuse(f"secret_file holds {len(keys[0])} characters: a routing key of PagerDuty's has {_ROUTING_KEY}")
    if fault := _fault(url, is_secret=entry.kind in _SECRETIVE):
        raise refuse(f"its address can't be used: allowed is {fault}")
    rules = None if entry.rules is None else frozenset(entry.rules)
    return Webhook(entry.name, entry.kind, url, keys, frozenset(entry.severities), rules)


def _lines(path: Path, name: str, key: str, refuse: Callable[[str], WebhookError]) -> list[str]:
    """The lines of a file that holds something secret, at least one."""
    try:
        text = (path.parent / name).read_text("utf-8-sig")
    except OSError as error:
        raise refuse(f"{key} is {name!r}, which can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise refuse(f"{key} is {name!r}, which is no text: allowed is UTF-8") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise refuse(f"{key} is {name!r}, which is empty")
    return lines


def _key(secret: str) -> bytes:
    """What signs by `secret`: `whsec_` and base64, as Standard Webhooks has it, or plain text."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def _fault(url: str, *, is_secret: bool) -> str | None:
    """What is allowed, where `url` is not."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one, parts = False, urlsplit("")
    if not is_one or parts.username is not None or parts.fragment or not url.isprintable() or " " in url:
        return "an http:// or https:// address without a user or a password"
    if is_secret and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return "https://, for anyone between could read what is secret"
    return None


def _refusal(path: Path, failure: ValidationError, read: dict[str, Any]) -> str:
    """What is wrong first, without the value: it may be an address."""
    error = failure.errors(include_url=False, include_input=False)[0]
    place, *inside = [*error["loc"], ""][1:] if error["loc"][:1] == ("webhook",) else ("", "")
    if not isinstance(place, int):
        return f"{path}: tables [[webhook]] are allowed, one or more, and nothing else"
    found = read["webhook"][place]
    given = found.get("name") if isinstance(found, dict) else None
    who = f"webhook {given!r}" if isinstance(given, str) else f"webhook {place + 1}"
    key = str(inside[0])
    if not key:
        return f"{path}: {who} is no table: allowed are tables [[webhook]]"
    if error["type"] == "missing":
        return f"{path}: {who}: {key} is missing: allowed is {_ALLOWED.get(key, _TEXT)}"
    if error["type"] == "extra_forbidden":
        return f"{path}: {who}: there is no {key!r}: allowed are {', '.join(_Entry.model_fields)}"
    return f"{path}: {who}: {key} is not allowed: it may be {_ALLOWED.get(key, _TEXT)}"
