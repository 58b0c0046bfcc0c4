"""Fault 14: retention that passes a worker by."""

import re
import signal
import socket
import time
import urllib.request

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene
from tests.faults.waiting import wait_until

# Of each partition so many records are left to who comes too late.
LEFT = 5
# How long the workers read nothing: well within their session (6 s), for those that are only slow.
LATE_S = 2.0

REPORT = re.compile(r"transcripts\[(\d+)\]: retention deleted records (\d+) to (\d+)")


def retention_passes_by(scene: Scene) -> None:
    """Retention removes input that the edge's workers have yet to read: while they are stopped, or slow (frozen).

    What is gone is gone, but never in silence: the ranges of offsets in the workers' error lines are exactly those of
    the events that have no result, and the workers' metrics count them. Everything else has its result once.
    """
    removal = _Removal(scene)
    for number in scene.times(at_least=2):
        with scene.fault():
            if number % 2 == 0:
                removal.pass_by_stopped()
            else:
                removal.pass_by_frozen()
            removal.wait_for_reports()
            scene.must_go_on()
    scene.checks.append(lambda _: scene.note_read())


class _Removal:
    """What retention took, by who says so: the topic before and after, the workers' logs, their metrics."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._ids: dict[tuple[int, int], str] = {}  # by partition and offset
        self._ports: dict[int, int] = {}
        self._reported_before = 0  # of events, before the workers that run now were started

    def pass_by_stopped(self) -> None:
        """Stop the workers, let retention pass their positions, start them."""
        line = self._scene.line
        ups = {slot: line.ups("edge", slot) for slot in SLOTS}
        for slot in SLOTS:
            line.stop("edge", slot)
        self._pass_by()
        self._ports = {slot: _free_port() for slot in SLOTS}
        self._reported_before = len(self._scene.removed.unread)
        for slot, port in self._ports.items():
            line.start("edge", slot, environment={"EDGEWISE_METRICS_PORT": str(port)})
        for slot in SLOTS:
            line.wait_until_up("edge", slot, ups[slot] + 1)

    def pass_by_frozen(self) -> None:
        """The same with workers that stand still, and have records of before in memory."""
        for slot in SLOTS:
            self._scene.line.send_signal("edge", slot, signal.SIGSTOP)
        try:
            self._pass_by()
        finally:
            for slot in SLOTS:
                self._scene.line.send_signal("edge", slot, signal.SIGCONT)

    def _pass_by(self) -> None:
        """Let records come, note all that there are, and remove all but the last few."""
        settings, removed = self._scene.settings, self._scene.removed
        time.sleep(LATE_S)
        decode = codec(settings, TRANSCRIPTS).decode
        ends: dict[int, int] = {}
        for message in read_topic(Cluster(settings), TRANSCRIPTS):
            partition, offset = message.partition() or 0, message.offset() or 0
            self._ids[partition, offset] = decode(message.value()).event_id
            ends[partition] = offset + 1
        removed.begins |= {partition: end - LEFT for partition, end in ends.items()}
        admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers, "log_level": 0})
        topic = settings.topic(TRANSCRIPTS)
        wanted = [TopicPartition(topic, partition, low) for partition, low in removed.begins.items()]
        for future in admin.delete_records(wanted).values():
            future.result(30)

    def wait_for_reports(self) -> None:
        """Wait until every event sent up to now has its result, or is in a range that a worker has reported."""
        scene = self._scene
        before = set(scene.load.sent)

        def told() -> bool:
            scene.removed.unread |= self._reported()
            return before <= scene.watch.seen.keys() | scene.removed.unread

        wait_until(told, "each event's result, or a report that retention has taken it", 90.0)
        if not scene.removed.unread:
            raise RuntimeError("retention passed nobody by")
        wait_until(self._counted, "metrics that count what was reported")

    def _reported(self) -> set[str]:
        """The events whose offsets stand in the workers' error lines."""
        logs = "".join(self._scene.line.log("edge", slot) for slot in SLOTS)
        reports = [tuple(map(int, report)) for report in REPORT.findall(logs)]
        return {self._ids[partition, offset] for partition, first, last in reports for offset in range(first, last + 1)}

    def _counted(self) -> bool:
        """Whether the workers since the last start count as much as they reported, or more: what was not committed yet
        when a partition moved is reported by both of its workers."""
        counted = sum(_skipped(port) for port in self._ports.values())
        return counted >= len(self._scene.removed.unread) - self._reported_before > 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _skipped(port: int) -> float:
    """What a worker's metrics say of records that it could not read."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        families = list(text_string_to_metric_families(response.read().decode()))
    return sum(s.value for f in families for s in f.samples if s.name == "edgewise_skipped_records_total")


FAULTS = (Fault(14, "retention-passes-by", retention_passes_by),)
