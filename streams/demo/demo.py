"""`edgewise demo`: the whole line on this machine, real traffic through it, and a report that can be checked."""

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from models.artifact import load_artifact
from models.classifier import Classifier
from schemas.errors import EdgewiseError, UsageError
from schemas.records import LABELS, TranscriptEvent
from schemas.topics import ROUTING_EVENTS, SENTIMENT, Topic
from streams.agents.topology import VERIFIED_AGENTS
from streams.config.codecs import codec
from streams.config.kafka_settings import KafkaSettings
from streams.config.page_settings import PageSettings
from streams.config.settings import Settings, variable
from streams.config.words import is_secret
from streams.demo.answers import Answers
from streams.demo.door import Door, door_settings
from streams.demo.processes import Processes
from streams.demo.report import Accuracy, Report
from streams.demo.view import State, shown
from streams.files.recorded_event import recorded_events
from streams.files.recording import digest, read_recording
from streams.kafka.client import Cluster
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.kafka.reader import read_topic
from streams.operate.live_windows import LiveWindows
from streams.operate.topics import create
from streams.system.clock import now_ms
from streams.verify.drain import agents_behind
from streams.verify.read_line import verify

SAMPLES = tuple(Path(__file__).parents[2] / "samples" / name for name in ("airline.csv", "care.jsonl"))
PAGE = "page"
REPORT = "report.html"
"""The file in the demo's folder."""
# All of the samples, some 2,900 events, are through in 50 s: long enough to watch, short enough not to be waited for.
EVENTS_PER_S = 60
_REFRESH_S = 0.2
_EVENTS_PER_STEP = round(EVENTS_PER_S * _REFRESH_S)  # by HTTP
_TEXTS_PER_STEP = 100  # the larger model does some hundreds a second
# Cold, on a busy machine of two cores, a group is ready after 10 s, and what is under way is done in 1 s.
_READY_TIMEOUT_S = 120.0
_DRAIN_TIMEOUT_S = 120.0
_SECRETS = tuple(filter(is_secret, Settings.model_fields))


class DemoError(EdgewiseError):
    """The demo did not get to its end."""


class InterruptedDemo(Exception):  # noqa: N818 - nothing is wrong
    """The demo was told to end."""


class _Demo(NamedTuple):
    """What the steps of a demo share."""

    cluster: Cluster
    processes: Processes
    windows: LiveWindows
    answers: Answers
    show: Callable[[State], None]
    expected: int
    told_to_end: Callable[[], bool]

    @property
    def settings(self) -> Settings:
        """The demo's own settings."""
        return self.cluster.settings

    def step(self, phase: str, began: float | None) -> None:
        """Take in and show what has come.

        Raises `ProcessDiedError` when an agent has ended, `InterruptedDemo` when the demo is to.
        """
        if self.told_to_end():
            raise InterruptedDemo
        self.windows.update(_REFRESH_S)
        elapsed = 0.0 if began is None else time.monotonic() - began
        self.show(
            State(phase, elapsed, self.expected, self.windows.total(), self.processes.health(), self.answers.latest())
        )
        self.processes.require(*VERIFIED_AGENTS)


def demo(
    settings: Settings,
    folder: Path,
    events: int | None,
    told_to_end: Callable[[], bool],
    watch: Callable[[], AbstractContextManager[Callable[[State], None]]] = shown,
    end: Callable[[Report, str | None], None] = lambda _report, _page: None,
    *,
    with_page: bool = False,
) -> Report:
    """Run the line on an embedded broker, replay `events` of the samples (default: all) through it, and judge it.

    Logs go to `folder`. Models, router and prices are those of `settings`; broker, topics and worker id are the demo's
    own. However it ends, no process is left. `told_to_end` is asked several times a second whether it shall. `watch`
    opens what is handed each state of the line. `end` is told the report, and where the live page is: `with_page` it is
    served from the start, and the line then stays up until `told_to_end`. The period's report lies in `folder`.

    Raises UsageError: more events than there are. InterruptedDemo. EdgewiseError: a process died, or the line stood
    still.
    """
    samples = _samples(events)
    with ExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker())
        own = settings.model_copy(
            update={name: field.default for name, field in KafkaSettings.model_fields.items()}
            | {
                "bootstrap_servers": broker.bootstrap_servers,
                "topic_prefix": "",
                "worker_id": "demo",
                "replication_factor": 1,
                "schema_registry_url": None,
                "schema_registry_user": None,
                "schema_registry_password": None,
                "metrics_port": 0,
            }
            | _page_settings(settings.page_port)
            | door_settings(folder)
        )
        cluster = Cluster(own)
        create(own)
        processes = stack.enter_context(Processes(folder, _written(own, folder / "edgewise.toml"), _secrets(own)))
        windows = stack.enter_context(LiveWindows(cluster))
        sent = [event for sample in samples for event in sample.events]
        answers = stack.enter_context(Answers(cluster, sent))
        with watch() as show:
            line = _Demo(cluster, processes, windows, answers, show, len(sent), told_to_end)
            if with_page:
                processes.start(PAGE, "page")
            report = _judged(line, samples, _run(line, samples))
        end(report, f"http://{own.page_host}:{own.page_port}" if with_page else None)
        while with_page and not told_to_end():
            processes.require(PAGE, *VERIFIED_AGENTS)
            time.sleep(_REFRESH_S)
        return report


def _page_settings(port: int) -> dict[str, object]:
    """The settings of a page for this machine alone, at `port` or, where that is taken, at one that is free.

    It shows texts: the samples are public.
    """
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    plain = {name: field.default for name, field in PageSettings.model_fields.items()}
    return plain | {"page_port": port, "page_texts": "shown"}


def _write_report(line: _Demo, began: float) -> None:
    line.processes.start("report", "report", "--since", "1d", "--output", str(line.processes.folder / REPORT))
    _until(lambda: line.processes.ended("report"), line, "writing the report", began, _DRAIN_TIMEOUT_S)


class _Sample(NamedTuple):
    path: Path
    events: list[TranscriptEvent]

    @property
    def by_http(self) -> list[TranscriptEvent]:
        """The last fifth of the events, which come by HTTP; the others are replayed."""
        return self.events[len(self.events) - len(self.events) // 5 :]


def _samples(limit: int | None) -> list[_Sample]:
    """The recordings and the first `limit` events of them, which is what replaying so many rows sends."""
    samples: list[_Sample] = []
    left = limit
    for path in SAMPLES:
        events = [event for _, event in recorded_events(read_recording(path), path, digest(path), {}, now_ms)][:left]
        left = None if left is None else left - len(events)
        if events:
            samples.append(_Sample(path, events))
    if left:
        raise UsageError(f"--events {limit}: the samples have {(limit or 0) - left:,} events")
    return samples


def _run(line: _Demo, samples: list[_Sample]) -> float:
    """Start the agents, replay the samples, wait until everything is done; the seconds from first event to last."""
    for agent in VERIFIED_AGENTS:
        line.processes.start(agent, "worker", agent)
    door = Door(line.processes, str(line.settings.ingest_secrets_folder), line.settings.ingest_port)
    door.start()
    admin = line.cluster.admin()
    _until(lambda: _ready(admin, line.settings), line, "starting the agents", None, _READY_TIMEOUT_S)
    _until(door.is_ready, line, "opening the HTTP door", None, _READY_TIMEOUT_S)
    began = time.monotonic()
    for sample in samples:
        name = f"replay {sample.path.name}"
        replayed = len(sample.events) - len(sample.by_http)
        arguments = ("--limit", str(replayed), "--pace", f"{EVENTS_PER_S}/s", str(sample.path))
        line.processes.start(name, "replay", *arguments)
        while not line.processes.ended(name):
            line.step(f"replaying {sample.path.name}", began)
        step = partial(line.step, f"sending the rest of {sample.path.name} by HTTP", began)
        for first in range(0, len(sample.by_http), _EVENTS_PER_STEP):
            door.send(sample.by_http[first : first + _EVENTS_PER_STEP], step)
            step()
    _until(lambda: _drained(line.cluster), line, "finishing what is under way", began, _DRAIN_TIMEOUT_S)
    return time.monotonic() - began


def _judged(line: _Demo, samples: list[_Sample], seconds: float) -> Report:
    """The report on a line that has come to rest after `seconds`."""
    began = time.monotonic() - seconds
    line.step("verifying", began)
    verdict = verify(line.settings)
    accuracy = _accuracy(line, [event for sample in samples for event in sample.events], began)
    found = dict(_answers(line.cluster, ROUTING_EVENTS, "pii"))
    _write_report(line, began)
    line.step("done", began)
    redacted = sum(bool(kinds) for kinds in found.values())
    return Report(verdict, line.windows.total(), accuracy, redacted, seconds)


def _until(done: Callable[[], bool], line: _Demo, phase: str, began: float | None, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        line.step(phase, began)
        if time.monotonic() > deadline:
            raise DemoError(f"{phase}: not done after {timeout_s:g} s; the logs are in {line.processes.folder}")


def _ready(admin: AdminClient, settings: Settings) -> bool:
    """Whether every agent's group has shared out its partitions."""
    groups = [settings.group(agent) for agent in VERIFIED_AGENTS]
    try:
        described = [future.result() for future in admin.describe_consumer_groups(groups).values()]
    except KafkaException:
        return False  # a coordinator that is still loading
    return all(group.state == ConsumerGroupState.STABLE for group in described)


def _drained(cluster: Cluster) -> bool:
    """Whether every agent has done its input."""
    return not agents_behind(cluster)


def _accuracy(line: _Demo, events: list[TranscriptEvent], began: float) -> Accuracy:
    """Accuracy against the samples' labels of the edge model, the cloud model and the line as a whole.

    The edge has scored every event, and says in its audit event what it made of it. The cloud was asked about the
    difficult ones only, and what it got right of those says nothing about it: so it scores all labelled texts here.
    """
    settings = line.settings
    labels = {event.event_id: event.attributes["label"] for event in events if event.attributes.get("label")}
    labelled = [event for event in events if event.event_id in labels]
    cloud = Classifier(
        load_artifact(settings.cloud_model), threads=settings.model_threads, token_budget=settings.token_budget
    )
    answers: list[tuple[str, str]] = []
    for i in range(0, len(labelled), _TEXTS_PER_STEP):
        line.step("scoring all labelled texts with the cloud model too", began)
        part = labelled[i : i + _TEXTS_PER_STEP]
        best = cloud.score([event.text for event in part]).argmax(axis=1).tolist()
        answers += [(event.event_id, LABELS[label]) for event, label in zip(part, best, strict=True)]
    return Accuracy(
        labelled=len(labels),
        edge=_share_right(labels, _answers(line.cluster, ROUTING_EVENTS, "edge_label")),
        cloud=_share_right(labels, answers),
        line=_share_right(labels, _answers(line.cluster, SENTIMENT, "label")),
    )


def _answers(cluster: Cluster, topic: Topic[Any], field: str) -> Iterator[tuple[str, Any]]:
    decode = codec(cluster.settings, topic).decode
    for message in read_topic(cluster, topic):
        record = decode(message.value())
        yield record.event_id, getattr(record, field)


def _share_right(labels: dict[str, str], answers: Iterable[tuple[str, str]]) -> float | None:
    """The share of `labels` that `answers` (event id, label) agree with; of an event's answers, the last counts."""
    given = dict(answers)
    return sum(given.get(event_id) == label for event_id, label in labels.items()) / len(labels) if labels else None


def _written(settings: Settings, path: Path) -> Path:
    """`settings` but its secrets as a TOML file, for the processes and for whoever wants to see what was run."""
    values = settings.model_dump(exclude_none=True, exclude=set(_SECRETS))
    # JSON's strings are TOML's too, unless they hold halves of a surrogate pair; of its numbers infinity is not.
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)}\n"
        for name, value in values.items()
    ]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _secrets(settings: Settings) -> dict[str, str]:
    """The secrets of `settings`, by their variables."""
    given = ((name, getattr(settings, name)) for name in _SECRETS)
    return {variable(name): secret.get_secret_value() for name, secret in given if secret is not None}
