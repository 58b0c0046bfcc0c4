"""A vendor that sends webhooks to servers that die: each until it is answered 200, and some again after that."""

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.door import signed

PATIENCE_S = 300.0
_PAUSE_S = 0.2  # before a webhook that was not answered 200 is sent again
_TIMEOUT_S = 15.0  # a vendor's; some give up sooner


class Webhooks:
    """Sends `number` webhooks of Chatwoot, by `threads` at once, each to any of `urls`, which may change meanwhile.

    A webhook that is not answered 200 is sent again, to any server, with the same body. So is, with probability
    `again`, one that was: a vendor whose connection broke has not heard the answer. `answered` has the ids of events
    that were acknowledged, `sent` how many requests were made, `statuses` how many were answered what.
    """

    def __init__(self, number: int, *, threads: int = 8, again: float = 0.2, seed: int = 1, name: str = "hook") -> None:
        self.urls: Sequence[str] = ()
        self.answered: set[str] = set()
        self.sent = 0
        self.statuses: dict[int, int] = {}
        self._number = number
        self._again = again
        self._seed = seed
        self._name = name
        self._numbers = count()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(place,)) for place in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def event_id(self, number: int) -> str:
        """The id of the event that webhook `number` makes."""
        return f"{self._name}/{number % 97}/{number}"

    def wait_for(self, answered: int, timeout_s: float = PATIENCE_S) -> None:
        """Wait until so many are acknowledged. Raises RuntimeError when there is no progress for so long."""
        last, since = -1, time.monotonic()
        while len(self.answered) < min(answered, self._number):
            if len(self.answered) != last:
                last, since = len(self.answered), time.monotonic()
            if time.monotonic() - since > timeout_s:
                raise RuntimeError(f"{last:,} of {answered:,} webhooks were answered 200: {self.statuses}")
            time.sleep(0.02)

    def _run(self, place: int) -> None:
        rng = random.Random(f"{self._seed}/{place}")
        while not self._ending.is_set():
            with self._lock:
                number = next(self._numbers)
            if number >= self._number:
                return
            body = json.dumps(self._body(number)).encode()
            while not self._ending.is_set() and self._post(body, rng) != 200:
                self._ending.wait(_PAUSE_S * rng.random())
            if not self._ending.is_set():
                self.answered.add(self.event_id(number))
            if rng.random() < self._again:
                self._post(body, rng)

    def _post(self, body: bytes, rng: random.Random) -> int:
        """The status; 0 where there was no answer."""
        urls = list(self.urls)
        if not urls:
            return 0
        url = urlsplit(rng.choice(urls))
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=_TIMEOUT_S)
        status = 0
        try:
            connection.request("POST", "/v1/webhooks/chatwoot", body, signed("chatwoot", body))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        with self._lock:
            self.sent += 1
            self.statuses[status] = self.statuses.get(status, 0) + 1
        return status

    def _body(self, number: int) -> dict[str, Any]:
        return {
            "event": "message_created",
            "id": number,
            "content": f"My parcel number {number} is late.",
            "created_at": "2026-01-05 09:55:14 UTC",
            "message_type": "incoming",
            "account": {"id": self._name},
            "conversation": {"id": number % 97, "channel": "Channel::WebWidget"},
        }
