"""A circuit breaker (Nygard, *Release It!*): a service that keeps failing is left alone, then asked once."""

from collections.abc import Callable

FAILURES = 5
"""Failed tries in a row that open the circuit: fewer may be chance, more keep every batch waiting for its deadline."""

FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0


class CircuitBreaker:
    """Says whether a service may be asked.

    Closed, it admits every call. `FAILURES` failures in a row, or one that cannot pass by itself, open it: it admits
    none for a pause, then one call, the probe. The probe's success closes it; its failure opens it for twice as long.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until: float | None = None  # None: closed
        self._probing = False
        self.why = ""  # it is open, in words

    @property
    def is_open(self) -> bool:
        """Whether a call that is under way had better not be tried again."""
        return self._open_until is not None and not self._probing

    def admits(self) -> bool:
        """Whether a call may be made now. Each that is admitted ends with `succeeded`, `failed` or `abandoned`."""
        if self._open_until is None:
            return True
        if self._probing or self._clock_s() < self._open_until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Closes the circuit."""
        self._failures, self._pause_s = 0, FIRST_PAUSE_S
        self._open_until, self._probing = None, False

    def failed(self, why: str, *, at_once: bool = False) -> None:
        """Counts a failure; `at_once` opens the circuit for the longest pause: it takes a person to mend the cause."""
        self._failures += 1
        if at_once:
            self._pause_s = LAST_PAUSE_S
        if not (at_once or self._probing or (self._open_until is None and self._failures >= FAILURES)):
            return
        self.why = why
        self._open_until, self._probing = self._clock_s() + self._pause_s, False
        self._pause_s = min(2 * self._pause_s, LAST_PAUSE_S)

    def abandoned(self) -> None:
        """A call ended without a word about the service; were it the probe, the next call is one."""
        self._probing = False
