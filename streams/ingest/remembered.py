"""What has come in during the last hours, in memory."""

import hashlib
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

DIGEST_BYTES: Final = 16
"""So short that a day's events fit into memory, so long that no two ids meet: 2**64 events before that is likely."""

# What is remembered is forgotten in steps: as many sets are looked through for each event.
_STEPS: Final = 8


def digest(conversation_id: str, event_id: str) -> bytes:
    """What an event is remembered by: 16 bytes of BLAKE2b (RFC 7693) of its ids."""
    return hashlib.blake2b(f"{conversation_id}\0{event_id}".encode(), digest_size=DIGEST_BYTES).digest()


class _Sealed(Sequence[bytes]):
    """Digests in their order and one behind the other, in as many bytes as they have: in a set each takes a hundred."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        self._joined = b"".join(sorted(digests))

    def __len__(self) -> int:
        return len(self._joined) // DIGEST_BYTES

    def __getitem__(self, place: Any) -> Any:
        return self._joined[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]

    def __contains__(self, digest: object) -> bool:
        place = bisect_left(self, digest)
        return place < len(self) and bool(self[place] == digest)


class Remembered:
    """Digests, each kept for `span_ms` milliseconds at least and an eighth longer at most."""

    def __init__(self, span_ms: int) -> None:
        self._span_ms = span_ms
        self._step_ms = max(1, span_ms // _STEPS)
        self._newest: set[bytes] = set()
        self._step = -1  # of the newest
        self._steps: deque[tuple[int, _Sealed]] = deque()  # those before it

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._newest or any(digest in digests for _, digests in self._steps)

    def __len__(self) -> int:
        return len(self._newest) + sum(len(digests) for _, digests in self._steps)

    def add(self, digests: Iterable[bytes], at_ms: int) -> None:
        """Remembers `digests`, which came in at `at_ms` (UTC), and forgets what is older than the span by then."""
        step = at_ms // self._step_ms
        if self._step < step:
            self._steps.append((self._step, _Sealed(self._newest)))
            self._newest, self._step = set(), step
        self._newest.update(digests)
        while self._steps and (self._steps[0][0] + 1) * self._step_ms < at_ms - self._span_ms:
            self._steps.popleft()
