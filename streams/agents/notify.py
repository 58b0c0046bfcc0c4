"""The notify agent: alerts go to webhooks, each state once."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from schemas.codec import DecodeError
from schemas.records import Alert, Notification
from schemas.topics import ALERTS, NOTIFICATIONS, SILENCES
from streams.agents import metrics
from streams.agents.agent import Agent, KafkaRecord, Output, ReadBack
from streams.agents.decoding import Decoder
from streams.agents.notifications import START_MS, ClaimId, Notifications, alert_of, claim_id
from streams.agents.topic_state import StateError
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms
from streams.system.threads import in_daemon_thread
from streams.webhooks.post import Outcome, Poster
from streams.webhooks.webhook import Webhook, load_webhooks

logger = logging.getLogger(__name__)

TICK_S = 0.5

# A tick waits so long for answers, so that what was taken is written down at once: a worker that is stopped has time to
# end its tick. What takes longer goes on beside it, and does not hold back new alerts.
WAIT_S = 0.4

# While anything waits to be sent, silences are read so often: one that is asked for holds from then on.
SILENCES_MS = 2_000


class Post(Protocol):
    """What sends a message: `Poster`."""

    async def post(self, webhook: Webhook, alert: Alert, *, is_repeated: bool = False) -> Outcome:
        """What came of sending `webhook` what `alert` says. It ends by itself, and raises nothing."""

    async def close(self) -> None:
        """Nothing more is sent."""


@dataclass(eq=False, slots=True)
class _Flight:
    """A claim that is being sent."""

    claim: Notification
    sending: "asyncio.Task[Outcome]"


class NotifyAgent(Agent):
    """alerts -> webhooks, and notifications: what each has been told; what is poison -> dead-letters.

    A message is claimed in one transaction, sent once that is committed, and what came of it is written in the next.
    Transactions are fenced, so that of two workers that both think they have the partition one claims. A worker that is
    killed between sending and writing leaves a claim whose end nobody knows: it is sent again, with the same id.

    `alerts` has one partition, so one worker sends; others wait to take its place.
    """

    name = "notify"
    tick_s = TICK_S

    def __init__(
        self, settings: Settings, webhooks: Sequence[Webhook], read_back: ReadBack, poster: Post, clock: Clock = now_ms
    ) -> None:
        self.source = settings.topic(ALERTS)
        self.chunk_records = settings.chunk_records
        self._webhooks = {webhook.name: webhook for webhook in webhooks}
        self._read_back = read_back
        self._poster = poster
        self._clock = clock
        self._alerts = Decoder(settings, self.name, ALERTS)
        self._codec = codec(settings, NOTIFICATIONS)
        self._topic = settings.topic(NOTIFICATIONS)
        self._silences = codec(settings, SILENCES)
        self._silenced: frozenset[str] = frozenset()
        self._silenced_at = 0
        self._state = Notifications(webhooks)
        self._is_stale = True
        self._claimed: dict[bytes, Notification] = {}  # by this worker, and not begun
        self._flights: dict[tuple[bytes, ClaimId], _Flight] = {}
        self._landed: list[tuple[bytes, Notification, Outcome]] = []  # written down, and perhaps not committed

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """Claims of what `records` have to be told. Raises what reading back raises, and `TooManyDeadLettersError`."""
        await self._begin()
        good, outputs = self._alerts.decode_all(records)
        for _, alert in good:
            self._state.hear(alert, self._clock())
        return outputs + await self._written(self._clock())

    async def tick(self, now_ms: int, partitions: Collection[int]) -> list[Output]:
        """Sends what was claimed; what came of it, and claims of what is due again. Raises what reading back raises."""
        await self._begin()
        self._send(now_ms)
        if self._flights:
            await asyncio.wait([flight.sending for flight in self._flights.values()], timeout=WAIT_S)
        self._land()
        return await self._written(self._clock())

    def positions_set_back(self, partitions: Collection[int]) -> None:
        """What was written since the last commit is not there, and others may have written: it is read back."""
        self._is_stale = True

    async def close(self) -> None:
        """Ends what is being sent: whoever comes next does not know whether it arrived."""
        flights = [flight.sending for flight in self._flights.values()]
        for sending in flights:
            sending.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._poster.close()

    async def _begin(self) -> None:
        """What the last call gave is committed by now, or the topic says what is."""
        if not self._is_stale:
            self._landed.clear()
            return
        held = await in_daemon_thread(self._read)
        self._is_stale = False
        self._state.restore(held.items())
        now = self._clock()
        for key, claim, outcome in self._landed:
            self._state.settle(key, claim, outcome, now)

    def _read(self) -> dict[bytes, Notification]:
        latest: dict[bytes, bytes] = {}
        for key, value in self._read_back(NOTIFICATIONS, 0):
            if key is not None and value is not None:
                latest[key] = value
            elif key is not None:
                latest.pop(key, None)
        return {key: self._restored(key, value) for key, value in latest.items()}

    def _read_silences(self, now: int) -> frozenset[str]:
        """The rules of which nobody is to be told now. What cannot be read silences nothing."""
        until: dict[bytes, int] = {}
        for key, value in self._read_back(SILENCES, 0):
            if key is not None:
                with suppress(DecodeError):
                    until[key] = 0 if value is None else self._silences.decode(value).until
        return frozenset(rule.decode(errors="replace") for rule, end in until.items() if end > now)

    def _restored(self, key: bytes, value: bytes) -> Notification:
        try:
            return self._codec.decode(value)
        except DecodeError as error:
            raise StateError(key, self._topic, error) from None

    def _send(self, now: int) -> None:
        """Begins what this worker has claimed, now that the claims are committed."""
        for key, claim in self._claimed.items():
            place = self._state.place_of(key, claim)
            if place is None:
                continue
            if now - claim.updated_at > START_MS or place != key:  # the next firing has taken its place
                self._state.give_up(key, claim, now)
                continue
            webhook = self._webhooks[claim.webhook]
            sending = asyncio.create_task(self._poster.post(webhook, alert_of(claim), is_repeated=claim.in_doubt))
            self._flights[key, claim_id(claim)] = _Flight(claim, sending)
        self._claimed = {}

    def _land(self) -> None:
        now = self._clock()
        for (key, claimed), flight in list(self._flights.items()):
            if not flight.sending.done():
                continue
            del self._flights[key, claimed]
            claim, outcome = flight.claim, flight.sending.result()
            self._state.settle(key, claim, outcome, now)
            self._landed.append((key, claim, outcome))
            metrics.NOTIFICATIONS.labels(claim.webhook, outcome.result).inc()
            pace = self._state.paces[claim.webhook]
            if outcome.result == "taken":
                pace.took()
                logger.info("webhook %s was told that %s is %s", claim.webhook, claim.rule, claim.state)
            else:
                wait_s = pace.failed(now, outcome.wait_s)
                logger.warning(
                    "webhook %s was not told that %s is %s, try %d: %s; it is tried again in %g s",
                    claim.webhook, claim.rule, claim.state, claim.tries, outcome.detail, wait_s,
                )  # fmt: skip

    async def _written(self, now: int) -> list[Output]:
        if not self._state.is_idle and now - self._silenced_at >= SILENCES_MS:
            self._silenced = await in_daemon_thread(partial(self._read_silences, now))
            self._silenced_at = now
        self._claimed.update(self._state.claim(now, self._silenced))
        for webhook, count in self._state.waiting():
            metrics.NOTIFICATIONS_WAITING.labels(webhook).set(count)
        return [
            Output(self._topic, key, None if told is None else self._codec.encode(told))
            for key, told in self._state.changes()
        ]


def _names(webhooks: Iterable[Webhook]) -> str:
    return ", ".join(f"{webhook.name} ({webhook.kind})" for webhook in webhooks)


async def build(settings: Settings, read_back: ReadBack) -> NotifyAgent:
    """The agent, which reads back what was told when it begins.

    Raises WebhookError: the file of webhooks, or one that it names, cannot be used.
    """
    webhooks = () if settings.webhooks is None else load_webhooks(Path(settings.webhooks))
    if webhooks:
        logger.info("alerts are told to %s", _names(webhooks))
    else:
        logger.warning("nobody is told of alerts: EDGEWISE_WEBHOOKS names no file")
    return NotifyAgent(settings, webhooks, read_back, Poster())
