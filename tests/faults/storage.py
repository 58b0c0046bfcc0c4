"""Fault 12: disks that are full, and models that are altered under running workers.

What a command and a single worker say of a full disk is in tests/faults/test_disk.py, of a recording that is cut short
in tests/unit/test_replay.py.
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path

from models.artifact import MODEL, TOKENIZER
from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from tests.faults.ends import wait_for_end
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene
from tests.kafka.kafka_server import KafkaServer

# A broker's log goes on in files that are there; the next record does not fit. What a full disk says is ENOSPC, what a
# limit says is EFBIG: the broker's log is as broken by either. It works without a file system of one's own, for which
# one must be root.
NO_ROOM = 0
UNLIMITED = resource.RLIM_INFINITY


def disk_full(scene: Scene) -> None:
    """No worker can write to its disk any more; nor, after that, one broker, which ends itself and is started again.

    A worker has nothing on its disk but its log, and goes on. The only broker takes the line with it; of three, the
    others go on.
    Seen to fail with delivery that notes its positions in a file as well.
    """
    for _ in scene.times():
        since = len(scene.line.exits)
        with scene.fault():
            for agent in AGENTS:
                for slot in SLOTS:
                    _limit_files(scene.line.pid(agent, slot), NO_ROOM)
            scene.must_go_on(200)
            if ends := scene.line.exits[since:]:
                raise RuntimeError(f"workers ended because they could not write: {ends}")
            for agent in AGENTS:
                for slot in SLOTS:
                    _limit_files(scene.line.pid(agent, slot), UNLIMITED)
            server = scene.rng.choice(scene.servers)
            _limit_files(server.pid, NO_ROOM)
            _wait_until_down(server)
            if len(scene.servers) > 1:
                scene.must_go_on(200)
            server.start()


def model_altered(scene: Scene) -> None:
    """A model's files are altered, cut short, deleted, under running workers, and put back.

    The workers go on with what they have loaded. One that starts meanwhile is refused, in a line that names the file,
    with the exit code of a wrong set-up.
    Seen to fail with an artifact that is not verified.
    """
    deeds: list[Callable[[Path], object]] = [_alter, _cut, Path.unlink]
    for number in scene.times(at_least=2):
        agent, deed = ("edge", "cloud")[number % 2], deeds[number % len(deeds)]
        slot, since = scene.rng.choice(SLOTS), len(scene.line.exits)
        file = scene.folder / agent / scene.rng.choice((MODEL, TOKENIZER))
        whole = file.read_bytes()
        ups = scene.line.ups(agent, slot)
        with scene.fault():
            deed(file)
            scene.must_go_on(200)
            scene.line.kill(agent, slot)
            scene.line.start(agent, slot)
            end = wait_for_end(scene, agent, rf"edgewise: .*{file.name}", since)
            if end.code != 2:
                raise RuntimeError(f"a set-up that is wrong ends with 2: {end}")
            scene.must_go_on()  # the other worker has taken over what the one did
            file.write_bytes(whole)
            scene.line.wait_until_up(agent, slot, ups + 1)


def _alter(file: Path) -> None:
    """One byte in the middle, written in place."""
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(-1, 1)
        opened.write(b"#" if byte != b"#" else b"+")


def _cut(file: Path) -> None:
    """Half of it, in place."""
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def _limit_files(pid: int, size: int) -> None:
    """No file that the process writes may grow beyond so many bytes; what is there stays."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def _wait_until_down(server: KafkaServer, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while server.running():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the broker did not notice within {timeout_s:g} s that its disk is full")
        time.sleep(0.05)


FAULTS = (
    Fault(12, "disk-full", disk_full, restarts=True),
    Fault(12, "model-altered", model_altered, restarts=True),
)
