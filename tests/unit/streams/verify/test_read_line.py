import dataclasses
import json
from collections.abc import Callable
from typing import Self

import pytest
from confluent_kafka import TopicPartition
from typer.testing import CliRunner, Result

from schemas.records import CloudRequest, Record, SentimentResult
from schemas.topics import (
    CLOUD_INFERENCE,
    CONVERSATIONS,
    DEAD_LETTERS,
    MONITORING,
    ROUTING_EVENTS,
    SENTIMENT,
    TOPICS,
    TRANSCRIPTS,
)
from streams.agents.dead_letter import dead_letter
from streams.agents.open_windows import WindowKey
from streams.cli.main import app
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import watermarks
from streams.monitoring.window import Window
from streams.operate.dead_letter_box import contents, survey
from streams.operate.redrive import drop, redrive
from streams.operate.topics import create
from streams.verify.drain import NotDrainedError, agents_behind, wait_until_drained
from streams.verify.read_line import verify
from tests.conversations import states_of
from tests.events import RESULT, TRANSCRIPT, consumer_record, routing_event

EVENTS = 50
REQUEST = CloudRequest(
    event_id="e1",
    conversation_id="c1",
    turn=1,
    text="hello",
    occurred_at=TRANSCRIPT.occurred_at,
    language=None,
    ingested_at=TRANSCRIPT.occurred_at,
    requested_at=TRANSCRIPT.occurred_at,
    reason="low_confidence",
    complexity=0.1,
    length=0.1,
    syntax=0.1,
    uncertainty=0.1,
    emotion=0.0,
    edge_negative=0.5,
    edge_neutral=0.3,
    edge_positive=0.2,
    edge_model="edge@1",
    router="default@1",
)

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])


@pytest.fixture
def backend() -> str:
    return "embedded"


class Line:
    """Topics as a line leaves them that did its work; what a test changes, it sends itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.window = Window(0, 60_000, 0)
        self.results: list[SentimentResult] = []
        create(settings)
        self.producer = Cluster(settings).producer(transactional_id=settings.topic("line"))
        self.producer.init_transactions(30)
        self.producer.begin_transaction()
        for i in range(EVENTS):
            self.input(f"e{i}")
            self.answer(f"e{i}")
        self.monitor()
        self.commit()

    def send(self, topic: str, record: Record, key: bytes = b"c1") -> None:
        if isinstance(record, SentimentResult):
            self.results.append(record)
        self.producer.produce(
            self.settings.topic(topic), codec(self.settings, TOPICS[topic]).encode(record), key, partition=0
        )

    def input(self, event_id: str) -> None:
        self.send(TRANSCRIPTS, dataclasses.replace(TRANSCRIPT, event_id=event_id))

    def answer(self, event_id: str, *, audited: bool = True, monitored: bool = True) -> None:
        event = routing_event(event_id=event_id)
        if audited:
            self.send(ROUTING_EVENTS, event)
        if monitored:
            self.window.add([event])
        self.send(SENTIMENT, dataclasses.replace(RESULT, event_id=event_id))

    def monitor(self) -> None:
        self.send(MONITORING, self.window.to_record(1), WindowKey(0, 0).encoded())
        for state in states_of(self.results):
            self.send(CONVERSATIONS, state, state.conversation_id.encode())

    def commit(self) -> None:
        self.producer.commit_transaction(30)

    def __enter__(self) -> Self:
        self.producer.begin_transaction()
        return self

    def __exit__(self, *_: object) -> None:
        self.monitor()
        self.commit()

    def faults(self) -> dict[str, int]:
        return {kind: fault.count for kind, fault in verify(self.settings).faults.items() if fault.count}


@pytest.fixture
def line(settings: Settings, backend: str) -> Line:  # noqa: ARG001 - which broker it is, the mark has decided
    return Line(settings)


@both
def test_a_line_that_kept_its_promise(line: Line) -> None:
    verdict = verify(line.settings)
    assert verdict.holds
    assert (verdict.events, verdict.results, verdict.routing_events, verdict.windows) == (EVENTS, EVENTS, EVENTS, 1)
    assert verdict.conversations == 1


@both
def test_a_lost_event(line: Line) -> None:
    with line:
        line.input("lost")
    assert line.faults() == {"lost": 1}


@both
def test_a_duplicated_result(line: Line) -> None:
    with line:
        line.answer("e7")
    assert line.faults() == {"duplicated": 1}


def test_results_in_the_wrong_order(line: Line) -> None:
    with line:
        line.input("first")
        line.input("second")
        line.answer("second")
        line.answer("first")
    assert line.faults() == {"out_of_order": 1}


def test_a_result_without_audit_event(line: Line) -> None:
    with line:
        line.input("unaudited")
        line.answer("unaudited", audited=False, monitored=False)
    assert line.faults() == {"audit": 1}


def test_an_event_that_the_monitor_missed(line: Line) -> None:
    with line:
        line.input("missed")
        line.answer("missed", monitored=False)
    assert line.faults().keys() == {"totals"}


def test_only_the_latest_record_of_a_window_counts(line: Line) -> None:
    for _ in range(3):
        with line:
            pass
    assert line.faults() == {}


def test_a_window_that_was_deleted_no_longer_counts(line: Line) -> None:
    line.producer.begin_transaction()
    line.producer.produce(line.settings.topic(MONITORING), None, WindowKey(0, 0).encoded())
    line.commit()
    assert line.faults().keys() == {"totals"}


def test_poison_with_its_dead_letter_and_without(line: Line) -> None:
    name = line.settings.topic(TRANSCRIPTS)
    with line:
        line.producer.produce(name, b"poison", b"k", partition=0)
    assert line.faults() == {"lost": 1}
    record = consumer_record(b"poison", topic=name, offset=EVENTS + 1)  # behind a transaction's marker
    letter = dead_letter(line.settings, "edge", record, "undecodable", "of no kind")
    with line:
        line.producer.produce(letter.topic, letter.value, letter.key, headers=list(letter.headers))
    verdict = verify(line.settings)
    assert verdict.holds
    assert verdict.dead_letters == 1


def buried(line: Line, topic: str, record: Record | bytes, offset: int) -> None:
    """Puts `record` on `topic`, where it gets `offset`, and the letter that is made of it into `dead-letters`."""
    value = record if isinstance(record, bytes) else codec(line.settings, TOPICS[topic]).encode(record)
    source = consumer_record(value, topic=line.settings.topic(topic), offset=offset)
    letter = dead_letter(line.settings, "edge", source, "undecodable", "of no kind")
    if topic != CLOUD_INFERENCE:  # which verify does not read
        line.producer.produce(source.topic, value, source.key, partition=0)
    line.producer.produce(letter.topic, letter.value, letter.key, headers=list(letter.headers))


@both
def test_a_redriven_input(line: Line) -> None:
    with line:
        buried(line, TRANSCRIPTS, dataclasses.replace(TRANSCRIPT, event_id="mended"), EVENTS + 1)
    redrive(Cluster(line.settings), survey(Cluster(line.settings)), by="ann")
    assert line.faults() == {"lost": 1}, "not answered yet"
    with line:
        line.answer("mended")
    verdict = verify(line.settings)
    assert verdict.holds
    assert (verdict.dead_letters, verdict.redriven, verdict.repeated) == (1, 1, 1)
    redrive(Cluster(line.settings), survey(Cluster(line.settings)), by="ann", again=True)
    with line:
        line.answer("mended")
    verdict = verify(line.settings)
    assert verdict.holds
    assert verdict.redriven == 2


def test_a_record_put_back_by_hand_is_an_input_like_any_other(line: Line) -> None:
    with line:
        buried(line, TRANSCRIPTS, dataclasses.replace(TRANSCRIPT, event_id="mended"), EVENTS + 1)
    [letter] = contents(Cluster(line.settings), {survey(Cluster(line.settings))[0].id})
    with line:
        headers: list[tuple[str, str | bytes | None]] = [("edgewise-letter", b"0:77"), *letter.headers]
        line.producer.produce(line.settings.topic(TRANSCRIPTS), letter.value, letter.key, 0, headers=headers)
        line.answer("mended")
    assert line.faults() == {}


def claiming(line: Line, letter: bytes) -> None:
    """Puts an event into `transcripts` that says that it was `letter`, and answers it."""
    value = codec(line.settings, TRANSCRIPTS).encode(dataclasses.replace(TRANSCRIPT, event_id="mended"))
    headers: list[tuple[str, str | bytes | None]] = [("edgewise-attempts", b"1"), ("edgewise-letter", letter)]
    line.producer.produce(line.settings.topic(TRANSCRIPTS), value, b"c1", 0, headers=headers)
    line.answer("mended")


def test_a_redriven_record_without_its_mark(line: Line) -> None:
    with line:
        buried(line, TRANSCRIPTS, dataclasses.replace(TRANSCRIPT, event_id="mended"), EVENTS + 1)
    [letter] = survey(Cluster(line.settings))
    with line:
        claiming(line, str(letter.id).encode())
    assert line.faults() == {"redrives": 1}


def test_a_record_that_claims_to_have_been_a_letter_that_never_was_is_an_input_like_any_other(line: Line) -> None:
    """Whoever feeds the line can write such a header, and made `verify` fail."""
    with line:
        claiming(line, b"0:4711")
    assert line.faults() == {}


def test_dropped_letters_stay_letters(line: Line) -> None:
    with line:
        buried(line, TRANSCRIPTS, b"poison", EVENTS + 1)
    drop(Cluster(line.settings), survey(Cluster(line.settings)), by="ann", why="a test")
    verdict = verify(line.settings)
    assert verdict.holds
    assert (verdict.dead_letters, verdict.redriven) == (1, 0)


def test_what_comes_of_a_redriven_request_may_be_late(line: Line) -> None:
    with line:
        line.input("slow")
        line.input("fast")
        buried(line, CLOUD_INFERENCE, dataclasses.replace(REQUEST, event_id="slow"), 0)
        line.answer("fast")
        line.answer("slow")
    assert line.faults() == {"out_of_order": 1}
    redrive(Cluster(line.settings), survey(Cluster(line.settings)), by="ann")
    assert line.faults() == {}


def test_a_dead_letter_of_another_kind_is_left_alone(line: Line) -> None:
    with line:
        line.producer.produce(line.settings.topic(DEAD_LETTERS), b"?", headers=[("edgewise-topic", None)])
    assert line.faults() == {}


@pytest.mark.kafka
def test_removed_input_is_said_plainly(line: Line) -> None:
    admin = Cluster(line.settings).admin()
    [future] = admin.delete_records([TopicPartition(line.settings.topic(TRANSCRIPTS), 0, 5)]).values()
    future.result()
    verdict = verify(line.settings)
    assert not verdict.holds
    assert verdict.truncated == [f"{line.settings.topic(TRANSCRIPTS)}[0] begins at offset 5"]


def commit_as(line: Line, agent: str, topic: str, offset: int) -> None:
    consumer = Cluster(line.settings).assigned_consumer(group=line.settings.group(agent))
    consumer.commit(offsets=[TopicPartition(line.settings.topic(topic), 0, offset)], asynchronous=False)
    consumer.close()


def end_of(line: Line, topic: str) -> int:
    return watermarks(Cluster(line.settings), topic)[0].high


@both
def test_waiting_until_the_agents_have_caught_up(line: Line) -> None:
    commit_as(line, "edge", TRANSCRIPTS, EVENTS)  # behind the last record; the transaction's marker is still to come
    commit_as(line, "conversation", SENTIMENT, EVENTS)
    commit_as(line, "monitor", ROUTING_EVENTS, EVENTS - 1)
    with pytest.raises(NotDrainedError, match=r"agents are [12] events behind \(monitor [12]\)"):
        wait_until_drained(line.settings, 0)
    commit_as(line, "monitor", ROUTING_EVENTS, EVENTS)
    wait_until_drained(line.settings, 0)
    wait_until_drained(line.settings)
    with line:
        line.input("more")
    with pytest.raises(NotDrainedError, match=r"\(edge [1-3]\)"):
        wait_until_drained(line.settings, 0)


@pytest.fixture
def command(line: Line, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `edgewise verify` on the line."""
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", line.settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", line.settings.topic_prefix)
    return lambda *arguments: CliRunner().invoke(app, ["verify", *arguments])


def test_the_command(line: Line, command: Callable[..., Result]) -> None:
    commit_as(line, "edge", TRANSCRIPTS, EVENTS)
    commit_as(line, "monitor", ROUTING_EVENTS, EVENTS)
    commit_as(line, "conversation", SENTIMENT, EVENTS)
    done = command("--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["verified"] is True
    with line:
        line.input("lost one")
    commit_as(line, "edge", TRANSCRIPTS, end_of(line, TRANSCRIPTS))
    done = command()
    assert done.exit_code == 1
    assert "      lost one\n" in done.stdout
    assert done.stdout.endswith("NOT verified\n")
    done = command("--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["lost"] == 1
    assert CLOUD_INFERENCE not in done.stdout


def test_agents_that_are_behind_are_not_called_a_loss(
    line: Line, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_as(line, "edge", TRANSCRIPTS, EVENTS - 3)
    commit_as(line, "monitor", ROUTING_EVENTS, EVENTS)
    commit_as(line, "conversation", SENTIMENT, EVENTS)
    behind = agents_behind(Cluster(line.settings))["edge"]
    monkeypatch.setattr(
        "streams.verify.drain.wait_until_drained.__kwdefaults__",
        (wait_until_drained.__kwdefaults__ or {}) | {"patience_s": 0.0},
    )
    for arguments, why in (((), "nothing was done for 0 s"), (("--wait", "0"), "not waited for")):
        done = command(*arguments)
        assert done.exit_code == 3
        assert done.stdout == ""
        assert done.stderr.startswith("edgewise: agents are ")
        assert f" events behind (edge {behind}); {why}" in done.stderr
        assert done.stderr.count("\n") == 1
    done = command("--wait", "0", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout) == {"verified": False, "behind": {"edge": behind}}
