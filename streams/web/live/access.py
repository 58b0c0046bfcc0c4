"""Who may look at the page: whoever is asked for by its settings, and by a name that is its own."""

import hashlib
import hmac
from typing import Final

from starlette.requests import Request

from schemas.errors import UsageError
from streams.config.addresses import is_loopback
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms

COOKIE: Final = "edgewise_page"

SESSION_S: Final = 12 * 60 * 60
"""After so long a browser is asked again: a working day."""

_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - a browser never names these
_OWN: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Access:
    """What the settings say about who may look.

    With a token: whoever has it, by a cookie that the form gives, or as a bearer token. With a proxy's header: whoever
    the proxy names. With neither: whoever reaches the page, which then listens at this machine alone.

    Raises UsageError: the settings let in everybody who can reach this machine, or contradict each other.
    """

    def __init__(self, settings: Settings, clock: Clock = now_ms) -> None:
        self._token = settings.page_token.get_secret_value().encode() if settings.page_token is not None else None
        self._header = settings.page_user_header
        self._clock = clock
        if self._token is not None and self._header is not None:
            raise UsageError(
                "EDGEWISE_PAGE_TOKEN and EDGEWISE_PAGE_USER_HEADER are both set: the page asks for a token, or goes by "
                "what a proxy says"
            )
        if self._token is None and self._header is None and not is_loopback(settings.page_host):
            raise UsageError(
                f"page_host is {settings.page_host!r}, where others than this machine's users could look: set "
                "EDGEWISE_PAGE_TOKEN_FILE, or EDGEWISE_PAGE_USER_HEADER behind a proxy that knows its users; without "
                "one of them allowed is 127.0.0.1, ::1 or localhost"
            )
        names = {name.strip().lower().strip("[]") for name in settings.page_names.split(",") if name.strip()}
        self._names = _OWN | names | ({settings.page_host.lower()} - _ANY)

    @property
    def asks_for_token(self) -> bool:
        """Whether a form asks for a token."""
        return self._token is not None

    def is_named_right(self, request: Request) -> bool:
        """Whether the request is for a name of this page.

        A name of a foreign site that its owner lets lead to this machine (DNS rebinding) is none.
        """
        host = request.headers.get("host", "").lower()
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return name.rstrip(".") in self._names

    def may_look(self, request: Request) -> bool:
        """Whether who sends the request may see the page."""
        if self._header is not None:
            return bool(request.headers.get(self._header, "").strip())
        if self._token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(given.strip())
        return self._is_session(request.cookies.get(COOKIE, ""))

    def is_token(self, given: str) -> bool:
        """Whether `given` is the token; the comparison takes as long whatever it is."""
        return self._token is not None and hmac.compare_digest(self._token, given.encode(errors="replace"))

    def session(self) -> str:
        """A cookie's value, which the token's owner alone can have: it ends, and ends with the token."""
        until = str(self._clock() // 1000 + SESSION_S)
        return f"{until}.{self._signed(until)}"

    def _is_session(self, value: str) -> bool:
        until, _, signature = value.partition(".")
        right = hmac.compare_digest(self._signed(until).encode(), signature.encode(errors="replace"))
        return right and until.isdecimal() and int(until) > self._clock() // 1000

    def _signed(self, until: str) -> str:
        return hmac.new(self._token or b"", f"edgewise page until {until}".encode(), hashlib.sha256).hexdigest()
