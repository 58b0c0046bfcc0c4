"""The notify agent between its topics: what is committed stays, what is aborted never was."""

import asyncio
from collections.abc import Iterable, Iterator

from schemas.codec import Codec
from schemas.records import Alert, Notification, Silence
from schemas.topics import ALERTS, NOTIFICATIONS, SILENCES
from streams.agents.agent import Output
from streams.agents.notify import NotifyAgent
from streams.config.settings import Settings
from streams.webhooks.post import Outcome
from streams.webhooks.webhook import Webhook
from tests.alerts import NOON, webhook
from tests.events import consumer_record

alerts, notifications, silences = Codec(ALERTS), Codec(NOTIFICATIONS), Codec(SILENCES)

TAKEN, REFUSED = Outcome("taken", "HTTP 200"), Outcome("refused", "HTTP 404")
FAILED, UNKNOWN = Outcome("failed", "HTTP 500"), Outcome("unknown", "no answer within 10 s")


class Post:
    """Webhooks that do what they are told to, and remember what they were sent."""

    def __init__(self, received: list[tuple[str, str, str, bool]], answers: dict[str, list[Outcome | None]]) -> None:
        self.received = received
        self._answers = answers

    async def post(self, to: Webhook, of: Alert, *, is_repeated: bool = False) -> Outcome:
        self.received.append((to.name, of.alert_id, of.state, is_repeated))
        answers = self._answers.get(to.name, [])
        answer = TAKEN if not answers else answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            await asyncio.Event().wait()  # it hangs
            raise AssertionError
        return answer

    async def close(self) -> None:
        """Nothing is held."""


class Line:
    """The agent between its topics: what is committed stays, what is aborted never was."""

    def __init__(self, *webhooks: Webhook) -> None:
        self.now = NOON
        self.webhooks = webhooks or (webhook(),)
        self.loop = asyncio.new_event_loop()
        self.topic: list[tuple[bytes, bytes | None]] = []
        self.silences: list[tuple[bytes, bytes | None]] = []
        self.received: list[tuple[str, str, str, bool]] = []
        self.answers: dict[str, list[Outcome | None]] = {}
        self.agent = self.worker()

    def worker(self) -> NotifyAgent:
        post = Post(self.received, self.answers)
        return NotifyAgent(Settings(), self.webhooks, self.read_back, post, clock=lambda: self.now)

    def read_back(self, topic: str, _since_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        assert topic in (NOTIFICATIONS, SILENCES)
        return iter(list(self.topic if topic == NOTIFICATIONS else self.silences))

    def silence(self, rule: str, for_ms: int) -> None:
        silence = Silence(rule=rule, until=self.now + for_ms, created_at=self.now)
        self.silences.append((rule.encode(), silences.encode(silence)))

    def process(self, *heard: Alert) -> list[Output]:
        records = [consumer_record(alerts.encode(each), topic=ALERTS) for each in heard]
        return self.loop.run_until_complete(self.agent.process(records))

    def tick(self) -> list[Output]:
        self.now += 500
        return self.loop.run_until_complete(self.agent.tick(self.now, [0]))

    def commit(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            assert output.topic == NOTIFICATIONS
            assert output.key is not None
            self.topic.append((output.key, output.value))

    def hear(self, *heard: Alert) -> None:
        self.commit(self.process(*heard))

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.commit(self.tick())

    def abort(self) -> None:
        self.agent.positions_set_back([0])

    def restart(self) -> None:
        """As after kill -9: what was under way is gone."""
        self.loop.run_until_complete(self.agent.close())
        self.agent = self.worker()

    def told(self) -> list[tuple[str, str]]:
        return [(alert_id, state) for _, alert_id, state, _ in self.received]

    def held(self) -> dict[bytes, Notification]:
        latest = dict(self.topic)
        return {key: notifications.decode(value) for key, value in latest.items() if value is not None}
