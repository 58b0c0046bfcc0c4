"""Fault 17: servers of the HTTP door killed (-9) while a vendor sends to them."""

from collections import Counter
from pathlib import Path

from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.door import Door, secrets_folder, start
from tests.faults.scene import Fault, Scene
from tests.faults.webhooks import Webhooks

SERVERS = 2
WEBHOOKS = 300


def door_settings(settings: Settings, folder: Path, number: int) -> Settings:
    """Settings of server `number` of the line of `settings`."""
    return settings.model_copy(
        update={
            "worker_id": f"door-{number}",
            "ingest_port": 0,
            "ingest_secrets_folder": str(secrets_folder(folder / "secrets")),
        }
    )


def kill(door: Door) -> None:
    """Ends a server at once."""
    door.process.kill()
    door.process.wait()


def counted(settings: Settings, ids: set[str]) -> Counter[str]:
    """How often each of `ids` is in `transcripts`, for a reader of committed records."""
    decode = codec(settings, TRANSCRIPTS).decode
    found = (decode(message.value()).event_id for message in read_topic(Cluster(settings), TRANSCRIPTS))
    return Counter(each for each in found if each in ids)


def door_killed(scene: Scene) -> None:
    """Two servers take webhooks, of which a fifth is sent a second time, to either; each server is killed and started
    again, one after the other, in the short form one of them.

    Every webhook is sent until it is answered 200. Then each event is in `transcripts` once, and has one result.

    Seen to fail, as `door_run`, with a server that reads `deliveries` neither when it starts nor when others wrote.
    """
    settings = [door_settings(scene.settings, scene.folder, number) for number in range(SERVERS)]
    doors = [start(each) for each in settings]
    try:
        for number in scene.times(at_least=1 if scene.short else SERVERS):
            victim = number % SERVERS
            with Webhooks(WEBHOOKS, seed=scene.seed, name=f"hook{number}") as vendor:
                with scene.fault():
                    vendor.urls = [door.url for door in doors]
                    vendor.wait_for(scene.rng.randrange(50, WEBHOOKS // 2))
                    kill(doors[victim])
                    scene.must_go_on()
                    doors[victim] = start(settings[victim])
                    vendor.urls = [door.url for door in doors]
                vendor.wait_for(WEBHOOKS)
                ids = {vendor.event_id(each) for each in range(WEBHOOKS)}
            times = counted(scene.settings, ids)
            if wrong := [each for each in ids if times[each] != 1]:
                raise RuntimeError(
                    f"{len(wrong)} events of webhooks are not there once, the first {times[wrong[0]]} times"
                )
            scene.watch.wait_for_all(ids)
            if twice := [each for each in ids if scene.watch.times[each] != 1]:
                raise RuntimeError(f"{len(twice)} events of webhooks have more than one result")
    finally:
        for door in doors:
            kill(door)


FAULTS = (Fault(17, "door-killed", door_killed, brokers=(1,)),)
