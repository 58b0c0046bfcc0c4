"""A share that was counted, with the exact interval of what it estimates."""

from typing import Final, NamedTuple

from streams.monitoring.binomial import interval

CONFIDENCE: Final = 0.95


class Share(NamedTuple):
    """So many of so many."""

    successes: int
    trials: int

    @property
    def value(self) -> float | None:
        """The share; None of none."""
        return self.successes / self.trials if self.trials else None

    @property
    def limits(self) -> tuple[float, float]:
        """The two-sided interval of Clopper and Pearson at `CONFIDENCE`; 0 to 1 where nothing was counted."""
        return interval(self.successes, self.trials, CONFIDENCE) if self.trials else (0.0, 1.0)
