"""Fault 10: a cloud that is slow, refuses, dies, hangs, talks nonsense, or does so now and then."""

import time
from pathlib import Path

from schemas.records import RoutingEvent
from schemas.topics import ROUTING_EVENTS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.faults.broken_scoring import GARBAGE, MISDEEDS
from tests.faults.cloud_worker import mood_file
from tests.faults.scene import Fault, Scene
from tests.faults.waiting import PATIENCE_S, wait_until

# A busy machine does not come near to it with a cloud that is slow by a tenth of it.
DEADLINE_MS = 3_000

# Enough that both workers' scoring processes have been asked; a second of load.
DEGRADED = 30
ANSWERED = 40

SHORT_DEEDS = ("refuses", "hangs", "slow", "flaps")
LONG_DEEDS = (*MISDEEDS, "slow", "flaps")

FLAPS = 6
FLAP_S = 0.5


def cloud_misbehaves(scene: Scene) -> None:
    """The cloud garbles answers, is slow, refuses, dies, hangs (before or within an answer), flaps: each in turn.
    In the short form it neither dies nor freezes.

    While it lasts, results go on coming, for everything that was sent: those that the cloud should have given are the
    edge's, marked as degraded with the reason `cloud_error`. A slow cloud's answers are waited for. Afterwards the
    cloud answers again, without anybody's doing. The audit trail says the same as the results.

    Seen to fail with a scoring process that is asked without a deadline.
    """
    garbage = scene.rng.sample(list(GARBAGE), len(GARBAGE))
    others = SHORT_DEEDS if scene.short else LONG_DEEDS
    deeds = ["garbage", *scene.rng.sample(others, len(others))]
    mood = mood_file(scene.folder)
    _wait_for_cloud(scene)
    for number in scene.times(at_least=len(deeds)):
        deed = deeds[number % len(deeds)]
        with scene.fault():
            if deed == "slow":
                _slow(scene, mood)
            elif deed == "flaps":
                _flap(scene, mood)
            else:
                _fail(scene, mood, garbage[number // len(deeds) % len(garbage)] if deed == "garbage" else deed)
            _be(mood, "")
        _wait_for_cloud(scene)
    scene.checks.append(lambda _: _audited(scene))


def _be(mood: Path, what: str) -> None:
    new = mood.with_suffix(".new")
    new.write_text(what)
    new.replace(mood)


def _fail(scene: Scene, mood: Path, deed: str) -> None:
    """No call is answered, and no event waits for the cloud to come back."""
    _be(mood, deed)
    earlier, degraded = set(scene.load.sent), len(scene.watch.degraded)
    what = f"{DEGRADED} degraded results while the cloud is broken: {deed}"
    wait_until(lambda: len(scene.watch.degraded) >= degraded + DEGRADED, what)
    scene.watch.wait_for_all(set(scene.load.sent), PATIENCE_S)
    if answered := scene.watch.cloud & (scene.load.sent.keys() - earlier):
        raise RuntimeError(f"{len(answered)} results are the cloud's while it is broken: {deed}")


def _slow(scene: Scene, mood: Path) -> None:
    """Well within its deadline: nothing is degraded."""
    degraded = len(scene.watch.degraded)
    _be(mood, "slow")
    _wait_for_answers(scene)
    if more := len(scene.watch.degraded) - degraded:
        raise RuntimeError(f"{more} results are degraded though the cloud answers within its deadline")


def _flap(scene: Scene, mood: Path) -> None:
    for flap in range(FLAPS):
        _be(mood, "" if flap % 2 else scene.rng.choice([*GARBAGE, *MISDEEDS]))
        time.sleep(FLAP_S)
    scene.must_go_on()


def _wait_for_cloud(scene: Scene) -> None:
    """Wait until the cloud has given so many answers in a row, as seen from downstream."""
    deadline = time.monotonic() + PATIENCE_S
    degraded = -1
    while degraded != len(scene.watch.degraded):
        if time.monotonic() > deadline:
            raise RuntimeError("the cloud is well again, and results are still degraded")
        degraded = len(scene.watch.degraded)
        _wait_for_answers(scene)


def _wait_for_answers(scene: Scene) -> None:
    goal = len(scene.watch.cloud) + ANSWERED
    wait_until(lambda: len(scene.watch.cloud) >= goal, f"{ANSWERED} answers of the cloud's")


def _audited(scene: Scene) -> None:
    """The audit trail tells of each degraded result why, and that the cloud was not paid for it."""
    decode = codec(scene.settings, ROUTING_EVENTS).decode
    events: list[RoutingEvent] = [
        decode(message.value()) for message in read_topic(Cluster(scene.settings), ROUTING_EVENTS)
    ]
    degraded = [event for event in events if event.degraded]
    if {event.event_id for event in degraded} != scene.watch.degraded:
        raise RuntimeError(
            f"{len(degraded):,} events are degraded in the audit trail, {len(scene.watch.degraded):,} seen"
        )
    for event in degraded:
        told = (event.stage, event.route, event.reason, event.cloud_label, event.cost_usd)
        if told != ("completed", "edge", "cloud_error", None, 0.0):
            raise RuntimeError(f"{event.event_id} is degraded, and the audit trail tells of it {told}")


FAULTS = (
    Fault(
        10,
        "cloud-misbehaves",
        cloud_misbehaves,
        settings={"cloud_deadline_ms": DEADLINE_MS, "random_cloud_rate": 0.3},
        module="tests.faults.cloud_worker",
    ),
)
