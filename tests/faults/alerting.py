"""Fault 1 again, of the agent that raises alerts: its workers are killed while alerts fire and resolve."""

from itertools import groupby
from pathlib import Path

from schemas.records import Alert
from schemas.topics import ALERTS
from streams.agents.topology import VERIFIED_AGENTS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.system.clock import now_ms
from tests.faults.line import SLOTS
from tests.faults.orders import Point, give, take_back
from tests.faults.scene import Fault, Scene
from tests.faults.waiting import wait_until

RULE = "pulse"
POINTS: tuple[Point, ...] = ("any", "produced", "offsets", "committing", "committed", "assigning")

# So few events a second that the rule misses its bound.
LOW_RATE = 0.5

TURNS = 2


def alerts_under_kills(scene: Scene) -> None:
    """The load goes down and up, so that an alert fires and resolves, and health workers die meanwhile: in the middle
    of a batch, in the transaction before or after its offsets are sent, while it commits, after that, in a rebalance.

    Each time the load goes down one alert fires, once, and each time that it is back it resolves, once.

    Seen to fail with alerts that are not read back after a restart.
    """
    turns = 0
    for _ in scene.times(at_least=TURNS):
        turns += 1
        with scene.fault(count=2):
            rate, scene.load.rate = scene.load.rate, LOW_RATE
            _die(scene)
            _wait_for(scene, turns, "firing")
            scene.load.rate = rate
            _die(scene)
            _wait_for(scene, turns, "resolved")
    # When the load ends after this it fires anew, and rightly, if what is left takes longer than its window.
    ended_ms = now_ms()
    scene.checks.append(lambda _: _sound(scene, turns, ended_ms))


def _die(scene: Scene) -> None:
    """The worker that has the windows' partition dies at a point, and the other one perhaps once it has it."""
    point = scene.rng.choice(POINTS)
    died = len(scene.line.exits)
    for slot in SLOTS:
        give(scene.folder, "health", slot, "kill", point)
    if point == "assigning":
        scene.line.kill("health", slot := scene.rng.choice(SLOTS))
        scene.line.start("health", slot)
    scene.line.wait_for_exits(died + 1)
    for slot in SLOTS:
        take_back(scene.folder, "health", slot)


def _wait_for(scene: Scene, firings: int, state: str) -> None:
    def is_there() -> bool:
        written = _alerts(scene)
        return len({alert.alert_id for alert in written}) >= firings and written[-1].state == state

    wait_until(is_there, f"alert number {firings} is {state}")


def _alerts(scene: Scene) -> list[Alert]:
    """Every record of the rule, in the order of the topic's one partition."""
    decode = codec(scene.settings, ALERTS).decode
    written = [decode(message.value()) for message in read_topic(Cluster(scene.settings), ALERTS)]
    return [alert for alert in written if alert.rule == RULE]


def _sound(scene: Scene, turns: int, ended_ms: int) -> None:
    """Each firing until `ended_ms` is one record that fires and one that resolves; raises RuntimeError if not."""
    written = [alert for alert in _alerts(scene) if alert.started_at <= ended_ms]
    firings = [[alert.state for alert in group] for _, group in groupby(written, lambda alert: alert.alert_id)]
    if firings != [["firing", "resolved"]] * turns:
        raise RuntimeError(f"the load went down {turns} times, and these alerts were written: {firings}")


FAULTS = (
    Fault(
        1,
        "alerts-under-kills",
        alerts_under_kills,
        agents=(*VERIFIED_AGENTS, "health"),
        settings={"health_rules": str(Path(__file__).parent / "pulse_rules.toml"), "window_s": 1},
        module="tests.faults.faulty_worker",
        restarts=True,
    ),
)
