"""Fault 1 again, of what reaches people: conversations that escalate, and the webhook that is told of each."""

from collections import Counter

from schemas.records import Alert
from schemas.topics import ALERTS
from streams.agents.notifications import AT_ONCE
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.verify.drain import wait_until_drained
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene
from tests.faults.waiting import wait_until
from tests.http_server import Server, answer, serve

KILLS = 4

# After a kill nobody knows what became of the messages that were under way: they are sent again half a minute later.
TOLD_S = 150.0


def escalations_under_kills(scene: Scene) -> None:
    """Every conversation escalates with its first turn, and the workers that raise and tell alerts are killed in turn.

    Each conversation fires one alert. The webhook is told of each; of no more than were under way in a kill it is told
    twice, with the same id.
    """
    with serve(answer({})) as server:
        settings = _told(scene, server)
        for slot in SLOTS:
            _start(scene, slot, settings)
        kills = 0
        for number in scene.times(at_least=KILLS):
            told = len(server.requests)
            wait_until(lambda told=told: len(server.requests) > told, "a message")  # type: ignore[misc]
            agent, slot = ("notify", "conversation")[number % 2], scene.rng.choice(SLOTS)
            kills += agent == "notify"
            with scene.fault():
                scene.line.kill(agent, slot)
                scene.must_go_on()
                if agent == "notify":
                    _start(scene, slot, settings)
                else:
                    scene.line.start(agent, slot)
        scene.load.stop()
        scene.watch.wait_for_all(set(scene.load.sent))
        wait_until_drained(scene.settings, TOLD_S)
        fired = [alert.alert_id for alert in _alerts(scene) if alert.state == "firing"]
        wait_until(lambda: len(_told_of(server)) >= len(set(fired)), "word of every alert", TOLD_S)
        requests = Counter(request.headers["webhook-id"] for request in server.requests)
    scene.checks.append(lambda _: _sound(scene, fired, requests, kills))


def _told(scene: Scene, server: Server) -> Settings:
    """The settings of the workers that tell `server`."""
    (scene.folder / "key").write_text("key")
    file = scene.folder / "webhooks.toml"
    file.write_text(f'[[webhook]]\nname = "own"\nkind = "json"\nurl = "{server.url}"\nsecret_file = "key"\n')
    return scene.settings.model_copy(update={"webhooks": str(file)})


def _start(scene: Scene, slot: int, settings: Settings) -> None:
    ups = scene.line.ups("notify", slot)
    scene.line.start("notify", slot, settings=settings, environment={"NO_PROXY": "127.0.0.1"})
    scene.line.wait_until_up("notify", slot, ups + 1)


def _alerts(scene: Scene) -> list[Alert]:
    decode = codec(scene.settings, ALERTS).decode
    return [decode(message.value()) for message in read_topic(Cluster(scene.settings), ALERTS)]


def _told_of(server: Server) -> set[str]:
    return {request.body["data"]["alert_id"] for request in list(server.requests)}


def _sound(scene: Scene, fired: list[str], requests: Counter[str], kills: int) -> None:
    """Raises RuntimeError: an alert fired twice or never, or the webhook was told too often."""
    conversations = {alert.subject for alert in _alerts(scene)}
    if not len(fired) == len(set(fired)) == len(conversations):
        raise RuntimeError(f"{len(conversations)} conversations fired {len(fired)} alerts, {len(set(fired))} different")
    twice = sum(times - 1 for times in requests.values())
    if twice > kills * AT_ONCE:
        raise RuntimeError(f"{twice} messages came again, after {kills} kills")


FAULTS = (Fault(1, "escalations-under-kills", escalations_under_kills, settings={"escalation_risk": 0.0}, rate=50.0),)
