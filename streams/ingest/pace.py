"""How fast a recording is replayed."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pace:
    """Events per second, or a multiple of the recorded speed, or neither: as fast as can be.

    Of the recorded speed, no pause is longer than `longest_pause_s`.
    """

    per_second: float | None = None
    factor: float | None = None
    longest_pause_s: float = math.inf

    @classmethod
    def parse(cls, text: str) -> "Pace":
        """`max`, `200/s` or `10x`. Raises UsageError for anything else."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(/s|x)", text.strip())
        number = float(match[1]) if match else 0.0
        if text.strip() == "max":
            return cls()
        if match is None or number == 0 or not math.isfinite(number):
            raise UsageError(
                f"pace {text!r}: give max, a rate such as 200/s, or a multiple of recorded time such as 10x"
            )
        return cls(per_second=number) if match[2] == "/s" else cls(factor=number)


class Pacer:
    """Says how long to wait before each event, by `clock_s`, which runs on by itself.

    Due times count from the first event, so that a wait that took too long is made up for and the mean is kept.
    """

    def __init__(self, pace: Pace, clock_s: Callable[[], float]) -> None:
        self._pace = pace
        self._clock_s = clock_s
        self._began: float | None = None
        self._events = 0
        self._latest_ms: int | None = None
        self._due_s = 0.0  # from the beginning

    def due_s(self, occurred_at: int | None) -> float:
        """When, by the clock, the next event, recorded at `occurred_at` (UTC ms), is due.

        One that was recorded before an earlier one, or at a time that nobody knows (None), is due with that one.
        """
        if self._began is None:
            self._began = self._clock_s()
        events, self._events = self._events, self._events + 1
        if self._pace.per_second is not None:
            return self._began + events / self._pace.per_second
        if self._pace.factor is not None:
            if occurred_at is not None:
                latest_ms = occurred_at if self._latest_ms is None else self._latest_ms
                pause_s = max(0, occurred_at - latest_ms) / 1000 / self._pace.factor
                self._due_s += min(pause_s, self._pace.longest_pause_s)
                self._latest_ms = max(occurred_at, latest_ms)
            return self._began + self._due_s
        return self._began

    def wait_s(self, due_s: float) -> float:
        """How long it is until then; 0 or less when it is past."""
        return due_s - self._clock_s()
