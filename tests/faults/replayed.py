"""Fault 15: recordings replayed again, beside each other, and again after a kill."""

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.files.recorded_event import recorded_events
from streams.files.recording import digest, read_recording
from streams.ingest.replay import RECORDING_HEADER, ROW_HEADER, RUN_HEADER
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.system.clock import now_ms
from streams.system.processes import die_with_parent
from streams.verify.verdict import Verdict
from tests.faults.line import environ
from tests.faults.load import events
from tests.faults.scene import Fault, Scene
from tests.kafka.kafka_server import REPOSITORY

ROWS = 300
# The one that is killed takes three seconds for them, so that there is a half way.
PACE = f"{ROWS // 3}/s"
PATIENCE_S = 120.0


class Recorded(NamedTuple):
    """A recording, and how many runs of it there must be in `transcripts` in the end."""

    path: Path
    ids: frozenset[str]
    runs: int


class Sent(NamedTuple):
    """A record of `transcripts` that a replay sent."""

    row: int
    event_id: str
    conversation_id: str


def replays(scene: Scene) -> None:
    """A recording is replayed twice, one by two replays at once, one by a replay that is killed (-9) half way and
    resumed; then that is resumed once more, which has nothing to send.

    Every run brings in each row exactly once, a conversation's in order, under the same ids as the run before; what is
    resumed stays one run. Each has a result of its own.

    Seen to fail with an edge agent that leaves out ids it has seen before, and with --resume that starts anew.
    """
    recordings: list[Recorded] = []
    for number in scene.times():
        twice, beside, killed = (
            _recording(scene.folder / f"{name}-{number}.jsonl", runs)
            for name, runs in (("twice", 2), ("beside", 2), ("killed", 1))
        )
        recordings += twice, beside, killed
        with scene.fault():
            half = _replay(scene, killed, "--pace", PACE)
            others = [_replay(scene, each) for each in (twice, beside, beside)]
            _wait_for_half(scene, killed)
            half.kill()
            half.communicate()
            scene.must_go_on()
            for other in others:
                _finish(other)
            again = [_replay(scene, twice), _replay(scene, killed, "--resume")]
            said = [_finish(each) for each in again]
            if f"{ROWS} of {ROWS} events" not in said[1] or "from before" not in said[1]:
                raise RuntimeError(f"a replay that was killed half way was resumed, and said {said[1]!r}")
            said = [_finish(_replay(scene, killed, "--resume"))]
            if f"{ROWS} of them from before" not in said[0]:
                raise RuntimeError(f"a replay that was complete was resumed, and said {said[0]!r}")
            scene.watch.wait_for_all(set().union(*(each.ids for each in (twice, beside, killed))))
    scene.checks.append(lambda verdict: _check(scene, recordings, verdict))


def _recording(path: Path, runs: int) -> Recorded:
    """A recording without event ids, in conversations of three turns."""
    with path.open("w") as file:
        for event, _ in zip(events(path.stem), range(ROWS), strict=False):
            file.write(json.dumps({"conversation_id": event.conversation_id, "text": event.text}) + "\n")
    rows = recorded_events(read_recording(path), path, digest(path), {}, now_ms)
    return Recorded(path, frozenset(event.event_id for _, event in rows), runs)


def _replay(scene: Scene, recorded: Recorded, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "replay", str(recorded.path), *arguments],
        cwd=REPOSITORY,
        env=environ(scene.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509
    )


def _finish(replay: subprocess.Popen[str]) -> str:
    """What a replay said that has done its work."""
    try:
        said, complaint = replay.communicate(timeout=PATIENCE_S)
    finally:
        replay.kill()
    if replay.returncode:
        raise RuntimeError(f"a replay ended with {replay.returncode}: {complaint}")
    return said


def _wait_for_half(scene: Scene, recorded: Recorded) -> None:
    """Wait until about half of a recording has results."""
    deadline = time.monotonic() + PATIENCE_S
    while sum(each in scene.watch.seen for each in recorded.ids) < ROWS // 2:
        scene.watch.count()
        if time.monotonic() > deadline:
            raise RuntimeError(f"half of {recorded.path.name} has no results after {PATIENCE_S:g} s")
        time.sleep(0.02)


def _check(scene: Scene, recordings: list[Recorded], verdict: Verdict) -> None:
    repeated = sum((recorded.runs - 1) * ROWS for recorded in recordings)
    if verdict.repeated != repeated:
        raise RuntimeError(f"verify tells of {verdict.repeated} repeated ids, and there are {repeated}")
    sent = _sent(scene)
    for recorded in recordings:
        name, runs = recorded.path.name, sent[digest(recorded.path)]
        if len(runs) != recorded.runs:
            raise RuntimeError(f"{name}: {len(runs)} runs are in the topic, not {recorded.runs}")
        for records in runs.values():
            _check_run(name, records, recorded.ids)
        if len({frozenset((each.row, each.event_id) for each in records) for records in runs.values()}) > 1:
            raise RuntimeError(f"{name}: a row has another id in another run")
        if wrong := [each for each in recorded.ids if scene.watch.times[each] != recorded.runs]:
            raise RuntimeError(f"{name}: {len(wrong)} ids have not {recorded.runs} results, the first {wrong[0]}")


def _check_run(name: str, records: list[Sent], ids: frozenset[str]) -> None:
    rows = Counter(each.row for each in records)
    if sorted(rows) != list(range(1, ROWS + 1)) or max(rows.values()) > 1:
        raise RuntimeError(f"{name}: a run has {len(records)} records of {len(rows)} rows, not each of {ROWS} once")
    if {each.event_id for each in records} != ids:
        raise RuntimeError(f"{name}: a run has other ids")
    last: dict[str, int] = {}
    for each in records:
        if each.row < last.get(each.conversation_id, 0):
            raise RuntimeError(
                f"{name}: row {each.row} stands behind row {last[each.conversation_id]} of its conversation"
            )
        last[each.conversation_id] = each.row


def _sent(scene: Scene) -> dict[str, dict[str, list[Sent]]]:
    """What replays have sent, by recording and run; of each partition in order."""
    found: dict[str, dict[str, list[Sent]]] = defaultdict(lambda: defaultdict(list))
    decode = codec(scene.settings, TRANSCRIPTS).decode
    for message in read_topic(Cluster(scene.settings), TRANSCRIPTS):
        headers = {
            name: value.decode() for name, value in dict(message.headers() or ()).items() if isinstance(value, bytes)
        }
        if RECORDING_HEADER in headers:
            event = decode(message.value())
            record = Sent(int(headers[ROW_HEADER]), event.event_id, event.conversation_id)
            found[headers[RECORDING_HEADER]][headers[RUN_HEADER]].append(record)
    return found


FAULTS = (Fault(15, "replays", replays, brokers=(1,)),)
