"""What each webhook has been told of each alert, and what comes next."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from schemas.records import Alert, Notification
from streams.agents import metrics
from streams.monitoring.alerting import alert_key
from streams.webhooks.post import DEADLINE_S, Outcome
from streams.webhooks.webhook import Webhook

AT_ONCE: Final = 4
"""So many messages to a webhook are under way at once, one where it has failed: a killed worker leaves no more."""

FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 300_000
LONGEST_ASKED_MS: Final = 3_600_000  # by Retry-After: who asks for more is asked again then

START_MS: Final = 5_000
"""A claim that was not begun within it is made anew: this process may have been frozen."""

ABANDONED_MS: Final = START_MS + round(DEADLINE_S * 1000) + 15_000
"""A claim that is older was left by a worker that is gone. Clocks may differ by the last 15 s of it."""

LATE_MS: Final = 3_600_000
"""What has fired and resolved untold is no news any more after this."""

ClaimId = tuple[str, str, str, int, int]
"""What one claim differs in from every other: alert, state, status, tries, time."""

_ALERT_FIELDS: Final = frozenset(field.name for field in fields(Alert)) & {field.name for field in fields(Notification)}


def alert_of(told: Notification) -> Alert:
    """The alert in the state in which it is told. What resolved while its firing was being told is told of later."""
    shown = {name: getattr(told, name) for name in _ALERT_FIELDS}
    return Alert(**shown | {"resolved_at": told.resolved_at if told.state == "resolved" else None})


class Pace:
    """When a webhook may be sent to: after a failure not before a pause, which doubles from one to the next."""

    def __init__(self) -> None:
        self.failures = 0  # in a row; of those that were under way together one counts
        self._not_before = 0

    def may_send(self, now_ms: int) -> bool:
        """Whether it may be sent to at `now_ms`."""
        return now_ms >= self._not_before

    def took(self) -> None:
        """It has taken a message."""
        self.failures = 0

    def failed(self, now_ms: int, wait_s: float | None) -> float:
        """It has not; it asks to be left alone for `wait_s`. Seconds until the next try."""
        if self.may_send(now_ms) or not self.failures:  # none: another that was under way was taken meanwhile
            self.failures += 1
        pause = min(FIRST_PAUSE_MS << min(self.failures - 1, 20), LONGEST_PAUSE_MS)
        asked = 0 if wait_s is None else min(round(wait_s * 1000), LONGEST_ASKED_MS)
        self._not_before = max(self._not_before, now_ms + max(pause, asked))
        return (self._not_before - now_ms) / 1000


class Notifications:
    """The state of the `notify` agent, in memory: for each webhook and alert the latest `Notification`.

    A firing makes one for each webhook that wants it. It is `due` until it is claimed (`sending`) and taken (`sent`);
    when the alert resolves, that is due in turn, and once it is taken the notification is gone. So every state is told
    once, in its order, and what no longer holds is not told: a firing that was not taken before it resolved is told as
    resolved alone.

    What changes is kept for `changes`. Only claims that `changes` has given out and that were committed may be sent.
    """

    def __init__(self, webhooks: Sequence[Webhook]) -> None:
        self._webhooks = {webhook.name: webhook for webhook in webhooks}
        self.paces: Mapping[str, Pace] = {webhook.name: Pace() for webhook in webhooks}
        self._held: dict[bytes, Notification] = {}
        self._removed: set[str] = set()  # webhooks that the file no longer names
        self._open: dict[bytes, None] = {}  # those not sent, the longest waiting first
        self._changed: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: bytes) -> Notification | None:
        """The notification of `key`."""
        return self._held.get(key)

    def restore(self, held: Iterable[tuple[bytes, Notification]]) -> None:
        """Begins anew with what the topic holds."""
        self._held, self._open, self._changed = dict(held), {}, {}
        self._removed = {told.webhook for told in self._held.values()} - self._webhooks.keys()
        for key, told in list(self._held.items()):
            if told.status != "sent":
                self._open[key] = None
            if told.webhook in self._removed and told.resolved_at is not None:
                self._drop(key)

    def changes(self) -> list[tuple[bytes, Notification | None]]:
        """What has changed since the last call, None where it is gone."""
        found = [(key, self._held.get(key)) for key in self._changed]
        self._changed = {}
        return found

    def hear(self, alert: Alert, now_ms: int) -> None:
        """Takes in an alert as it is now."""
        place = b"/" + alert_key(alert.rule, alert.subject)
        for webhook in self._webhooks.values():
            key = webhook.name.encode() + place
            told = self._held.get(key)
            if told is not None and told.alert_id == alert.alert_id:
                self._hear_more(key, told, alert, now_ms)
            elif alert.state == "firing" and not alert.silenced and webhook.wants(alert.rule, alert.severity):
                if told is not None:
                    self._set_aside(key, told, now_ms)
                self._put(key, _first(webhook, alert, now_ms))
        for name in self._removed:
            if alert.state == "resolved" and name.encode() + place in self._held:
                self._drop(name.encode() + place)

    def claim(self, now_ms: int, silenced: Collection[str] = ()) -> list[tuple[bytes, Notification]]:
        """Claims what may be sent now, of the rules in `silenced` only the end of what was told; the claims."""
        claimed: list[bytes] = []
        busy = dict.fromkeys(self._webhooks, 0)
        waiting: dict[str, list[bytes]] = {name: [] for name in self._webhooks}
        for key in list(self._open):
            told = self._held[key]
            if told.webhook not in self._webhooks:
                continue
            if told.status == "sending" and now_ms - told.updated_at < ABANDONED_MS:
                busy[told.webhook] += 1
            elif told.state == "resolved" and told.told:
                waiting[told.webhook].append(key)
            elif told.state == "resolved" and (told.rule in silenced or now_ms - (told.resolved_at or 0) > LATE_MS):
                self._drop(key)
                metrics.NOTIFICATIONS.labels(told.webhook, "dropped").inc()
            elif told.rule not in silenced:
                waiting[told.webhook].append(key)
        for name, keys in waiting.items():
            pace = self.paces[name]
            free = (1 if pace.failures else AT_ONCE) - busy[name]
            if free <= 0 or not pace.may_send(now_ms):
                continue
            # One that is never taken does not hold back the others.
            claimed += sorted(keys, key=lambda key: self._held[key].tries)[:free]
        return [(key, self._claim(key, now_ms)) for key in claimed]

    def give_up(self, key: bytes, claim: Notification, now_ms: int) -> None:
        """A claim of this worker was not begun: it is due as before."""
        place = self.place_of(key, claim)
        if place is None:
            return
        key = place
        told = replace(self._held[key], status="due", tries=claim.tries - 1, updated_at=now_ms)
        self._put(key, told if told.resolved_at is None or told.state == "resolved" else _over(told, now_ms))

    def settle(self, key: bytes, claim: Notification, outcome: Outcome, now_ms: int) -> None:
        """Writes down what came of a claim; nothing, where it is no longer this worker's."""
        place = self.place_of(key, claim)
        if place is None:
            return
        key = place
        told = self._held[key]  # the alert in it may be later than that of the claim
        is_taken, may_be = outcome.result == "taken", outcome.result == "unknown"
        told = replace(told, told=told.told or (told.state == "firing" and (is_taken or may_be)), updated_at=now_ms)
        if told.resolved_at is not None and told.state == "firing":
            self._put(key, _over(told, now_ms))
        elif not is_taken:
            self._put(key, replace(told, status="due", in_doubt=told.in_doubt or may_be))
        elif told.state == "resolved":
            self._drop(key)
        else:
            self._put(key, replace(told, status="sent", in_doubt=False))

    @property
    def is_idle(self) -> bool:
        """Whether every webhook knows how every alert stands."""
        return not self._open

    def waiting(self) -> Iterator[tuple[str, int]]:
        """How many messages each webhook has yet to take."""
        counts = dict.fromkeys(self._webhooks, 0)
        for key in self._open:
            if (name := self._held[key].webhook) in counts:
                counts[name] += 1
        return iter(counts.items())

    def _hear_more(self, key: bytes, told: Notification, alert: Alert, now_ms: int) -> None:
        if told.resolved_at is not None:
            return  # it was heard of
        if alert.state == "firing":
            if told.status == "due" and alert.silenced and not told.in_doubt:
                self._drop(key)
            return
        latest = replace(told, **_shown(alert), resolved_at=alert.resolved_at or alert.updated_at)
        if told.status == "sending":
            self._put(key, latest)  # what is being sent goes on; its end is told after it
        elif alert.silenced and not told.told:
            self._drop(key)
        else:
            self._put(key, _over(latest, now_ms))

    def _claim(self, key: bytes, now_ms: int) -> Notification:
        told = self._held[key]
        is_abandoned = told.status == "sending"
        if is_abandoned and told.state == "firing":
            told = replace(told, told=True)
            if told.resolved_at is not None:
                told, is_abandoned = _over(told, now_ms), False
        in_doubt = told.in_doubt or is_abandoned
        claim = replace(told, status="sending", tries=told.tries + 1, in_doubt=in_doubt, updated_at=now_ms)
        self._put(key, claim)
        return claim

    def place_of(self, key: bytes, claim: Notification) -> bytes | None:
        """The key of what `claim`, made at `key`, is still the claim of; None where it is no longer this worker's.

        What the alert says may have changed since, and the next firing may have taken its place.
        """
        for place in (key, _aside(key, claim)):
            held = self._held.get(place)
            if held is not None and claim_id(held) == claim_id(claim):
                return place
        return None

    def _set_aside(self, key: bytes, told: Notification, now_ms: int) -> None:
        """The next firing takes the place of `told`, whose end is told all the same where its beginning was.

        Its end may never have been heard of: what replaces it in `alerts` is the next firing.
        """
        over = replace(told, resolved_at=now_ms if told.resolved_at is None else told.resolved_at)
        if told.status != "sending" and told.state == "firing":
            over = _over(over, now_ms)
        if told.status == "sending" or over.told:
            self._put(_aside(key, told), over)

    def _put(self, key: bytes, told: Notification) -> None:
        self._held[key] = told
        self._changed[key] = None
        if told.status == "sent":
            self._open.pop(key, None)
        else:
            self._open[key] = None

    def _drop(self, key: bytes) -> None:
        del self._held[key]
        self._open.pop(key, None)
        self._changed[key] = None


def _aside(key: bytes, told: Notification) -> bytes:
    return key + b"/" + told.alert_id.encode()


def claim_id(told: Notification) -> ClaimId:
    """What one claim differs in from every other."""
    return told.alert_id, told.state, told.status, told.tries, told.updated_at


def _shown(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in _ALERT_FIELDS - {"state", "updated_at", "resolved_at"}}


def _first(webhook: Webhook, alert: Alert, now_ms: int) -> Notification:
    return Notification(
        webhook=webhook.name,
        rule=alert.rule,
        subject=alert.subject,
        alert_id=alert.alert_id,
        severity=alert.severity,
        summary=alert.summary,
        metric=alert.metric,
        value=alert.value,
        bound=alert.bound,
        window_ms=alert.window_ms,
        started_at=alert.started_at,
        state="firing",
        status="due",
        tries=0,
        in_doubt=False,
        told=False,
        updated_at=now_ms,
    )


def _over(told: Notification, now_ms: int) -> Notification:
    """That it is over is due."""
    is_told = told.told or told.status == "sent" or told.in_doubt
    return replace(told, state="resolved", status="due", tries=0, in_doubt=False, told=is_told, updated_at=now_ms)
