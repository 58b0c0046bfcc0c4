"""What a service says about how fast it may be asked: its rate-limit headers, and Retry-After."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# OpenAI's `x-ratelimit-remaining-requests`, Anthropic's `anthropic-ratelimit-input-tokens-remaining`.
_REMAINING = re.compile(
    r"^x-ratelimit-remaining-(?P<openai>requests|tokens)$"
    r"|^anthropic-ratelimit-(?P<anthropic>requests|tokens|input-tokens|output-tokens)-remaining$"
)
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")

# A header that says more is taken for this much: the circuit's probes find out sooner that it is over.
LONGEST_S = 3600.0


class RateLimit:
    """Spaces calls by what the answers said: none before a pause is over, and few left until a reset are spread out."""

    def __init__(self, concurrency: int, clock_s: Callable[[], float], wall_s: Callable[[], float]) -> None:
        self._concurrency = concurrency
        self._clock_s = clock_s
        self._wall_s = wall_s
        self._paused_until = -math.inf
        self._spaced_until = -math.inf
        self._interval_s = 0.0
        self._interval_ends = -math.inf

    def delay_s(self) -> float:
        """Seconds until a call may be made; 0: now."""
        return max(0.0, max(self._paused_until, self._spaced_until) - self._clock_s())

    def take(self) -> None:
        """A call is made now: the next is due an interval later."""
        now = self._clock_s()
        if now < self._interval_ends:
            self._spaced_until = max(self._spaced_until, now + self._interval_s)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Takes in an answer's rate-limit headers.

        Nothing left: no call until the reset. Fewer requests left than calls may be in flight: spread until the reset.
        """
        for name, value in headers.items():
            found = _REMAINING.match(name.lower())
            remaining = _number(value) if found else None
            if found is None or remaining is None:
                continue
            reset_s = parse_duration_s(headers.get(name.lower().replace("remaining", "reset"), ""), self._wall_s())
            if reset_s is None:
                continue
            if remaining < 1:
                self.pause(reset_s)
            elif "requests" in found.groups():
                self._space(min(reset_s, LONGEST_S), remaining)

    def pause(self, seconds: float) -> None:
        """No call for so long."""
        self._paused_until = max(self._paused_until, self._clock_s() + min(seconds, LONGEST_S))

    def _space(self, reset_s: float, remaining: float) -> None:
        """What is left now, and until when, takes the place of what was said before the last call."""
        now = self._clock_s()
        if remaining >= self._concurrency:
            self._interval_ends = self._spaced_until = -math.inf
            return
        self._interval_s = reset_s / (remaining + 1)
        self._interval_ends = now + reset_s
        self._spaced_until = min(self._spaced_until, now + self._interval_s)


def retry_after_s(headers: Mapping[str, str], wall_s: float) -> float | None:
    """The seconds that Retry-After (RFC 9110, 10.2.3) or OpenAI's retry-after-ms asks for; None without either.

    A LiteLLM proxy passes it on by another name, its own limits' too.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("retry-after") or headers.get("llm_provider-retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        when = parsedate_to_datetime(value)
        return max(0.0, when.replace(tzinfo=when.tzinfo or UTC).timestamp() - wall_s)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parse_duration_s(value: str, wall_s: float) -> float | None:
    """Seconds of a Go duration (`6m0s`, `120ms`), a plain number, or until an RFC 3339 time; None for anything else."""
    seconds = _number(value)
    if seconds is not None:
        return max(0.0, seconds)
    parts = _GO_PART.findall(value)
    if parts and "".join(number + unit for number, unit in parts) == value:
        return sum(float(number) * _GO_UNITS[unit] for number, unit in parts)
    try:
        when = datetime.fromisoformat(value)
        return max(0.0, when.replace(tzinfo=when.tzinfo or UTC).timestamp() - wall_s)
    except (ValueError, OverflowError):
        return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
