"""What has come in during the last hours, in memory."""

import hashlib
from collections import deque
from collections.abc import Iterable
from typing import Final

DIGEST_BYTES: Final = 16
"""So short that a day's events fit into memory, so long that no two ids meet: 2**64 events before that is likely."""

# What is remembered is forgotten in steps: as many sets are looked through for each event.
_STEPS: Final = 8


def digest(conversation_id: str, event_id: str) -> bytes:
    """What an event is remembered by: 16 bytes of BLAKE2b (RFC 7693) of its ids."""
    return hashlib.blake2b(f"{conversation_id}\0{event_id}".encode(), digest_size=DIGEST_BYTES).digest()


class Remembered:
    """Digests, each kept for `span_ms` milliseconds at least and an eighth longer at most."""

    def __init__(self, span_ms: int) -> None:
        self._span_ms = span_ms
        self._step_ms = max(1, span_ms // _STEPS)
        self._steps: deque[tuple[int, set[bytes]]] = deque()

    def __contains__(self, digest: bytes) -> bool:
        return any(digest in digests for _, digests in self._steps)

    def __len__(self) -> int:
        return sum(len(digests) for _, digests in self._steps)

    def add(self, digests: Iterable[bytes], at_ms: int) -> None:
        """Remembers `digests`, which came in at `at_ms` (UTC), and forgets what is older than the span by then."""
        step = at_ms // self._step_ms
        if not self._steps or self._steps[-1][0] < step:
            self._steps.append((step, set()))
        self._steps[-1][1].update(digests)
        while (self._steps[0][0] + 1) * self._step_ms < at_ms - self._span_ms:
            self._steps.popleft()
