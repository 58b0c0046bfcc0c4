"""Stops a worker when most of what it reads is poison: then the fault is ours, not the input's."""

from collections import deque

from schemas.errors import UsageError

# Long enough that a burst of bad records from one sender does not stop the line, short enough that a wrong topic or
# registry is noticed within a second of traffic.
WINDOW_RECORDS = 1000


class TooManyDeadLettersError(UsageError):
    """The share of dead letters is over the limit."""


class DeadLetterLimit:
    """The share of dead letters among the last 1,000 records, held against a limit.

    It is checked before a batch is committed, so the batch that goes over the limit stays unread.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._batches: deque[tuple[int, int]] = deque()  # records, dead letters
        self._records = 0
        self._dead = 0

    def check(self, agent: str, records: int, dead: int) -> None:
        """Counts a batch of `records` of which `dead` are dead letters, those left out that were redriven in vain.

        Raises TooManyDeadLettersError.
        """
        self._batches.append((records, dead))
        self._records += records
        self._dead += dead
        while self._records - self._batches[0][0] >= WINDOW_RECORDS:
            old_records, old_dead = self._batches.popleft()
            self._records -= old_records
            self._dead -= old_dead
        if self._records >= WINDOW_RECORDS and self._dead > self._limit * self._records:
            raise TooManyDeadLettersError(
                f"{agent}: {self._dead:,} of the last {self._records:,} records could not be read, over the limit "
                f"of {self._limit:.0%} (EDGEWISE_DEAD_LETTER_LIMIT): right topic, prefix, registry? "
                "The reasons stand in the headers: `edgewise consume dead-letters`"
            )
