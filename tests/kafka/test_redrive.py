"""Redriving against brokers: each letter once, whoever tries, whatever dies in between, and as it was.

Broken on purpose, each of these was seen to fail: see the docstrings.
"""

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from models.artifact import load_artifact
from models.classifier import Classifier
from models.redaction import NoRedaction
from models.router import Policy
from schemas.dead_letter import LetterId
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, MONITORING, SENTIMENT, TRANSCRIPTS
from streams.agents.agent import KafkaRecord, Output
from streams.agents.edge import EdgeAgent
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.client import Cluster
from streams.operate import dead_letter_box as letter_box
from streams.operate import redrive as redriving
from streams.operate.dead_letter_box import Content, Selection, survey
from streams.operate.redrive import AlreadySettledError, Outcome, RedriveError, TakenOverError, drop, redrive
from streams.operate.topics import create
from streams.verify.read_line import verify
from streams.worker.app import serve
from tests.events import TRANSCRIPT
from tests.kafka.kafka_server import REPOSITORY
from tests.letters import RECORDS, bury, in_topic, letter_of, redriven_ids
from tests.tiny_artifact import tiny_artifact

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
OPEN = Selection(state="open")


@pytest.fixture
def backend() -> str:
    return "embedded"


@pytest.fixture
def box(settings: Settings, backend: str) -> Settings:  # noqa: ARG001 - which broker it is, the mark has decided
    create(settings)
    return settings


@both
def test_records_come_back_as_they_were(box: Settings) -> None:
    """Fails when ours are not taken off the headers, or the value is encoded anew."""
    bury(box)
    outcome = redrive(Cluster(box), survey(Cluster(box)), by="ann")
    assert outcome == Outcome([LetterId(0, i) for i in range(len(RECORDS))], [], {})
    came = {letter_of(message): message for message in in_topic(box)}
    assert len(came) == len(RECORDS)
    for i, (key, value, headers) in enumerate(RECORDS):
        message = came[f"0:{i}"]
        assert (message.key(), message.value()) == (key, value)
        assert list(message.headers() or [])[:-1] == [*headers, ("edgewise-attempts", b"1")]


LAST = len(RECORDS) - 1  # it has a key, without which a compacted topic takes nothing


@both
def test_an_old_version_takes_no_later_ones_place(box: Settings) -> None:
    """Of `monitoring` the latest record of a key counts. Seen to fail: a window of five hundred events was one of a
    hundred again."""
    producer = Cluster(box).producer()
    for key in (b"another", RECORDS[0][0]):
        producer.produce(box.topic(MONITORING), b"later", key, partition=0)
    assert producer.flush(30) == 0
    bury(box, topic=MONITORING)
    letters = {letter.id.offset: letter for letter in survey(Cluster(box))}
    outcome = redrive(Cluster(box), [letters[0], letters[LAST]], by="ann")
    assert (outcome.done, outcome.left) == ([LetterId(0, LAST)], [])
    assert outcome.refused == {LetterId(0, 0): "monitoring[0]@0: a later record of its key counts: drop it"}
    assert [letter_of(message) for message in in_topic(box, MONITORING)[2:]] == [f"0:{LAST}"]


@both
def test_the_same_letter_is_not_redriven_twice_by_accident(box: Settings) -> None:
    """Fails when marks are not looked at."""
    bury(box, 3)
    redrive(Cluster(box), survey(Cluster(box), Selection(places={LetterId(0, 1)})), by="ann")
    assert [(letter.id.offset, letter.state) for letter in survey(Cluster(box))] == [
        (0, "open"),
        (1, "redriven"),
        (2, "open"),
    ]
    with pytest.raises(AlreadySettledError, match=r"dead letter 0:1 was redriven already, by ann at 20.*--again"):
        redrive(Cluster(box), survey(Cluster(box)), by="bob")
    assert redriven_ids(box) == ["0:1"], "and nothing was done with the others"
    redrive(Cluster(box), survey(Cluster(box), OPEN), by="bob")
    assert redriven_ids(box) == ["0:0", "0:1", "0:2"]
    redrive(Cluster(box), survey(Cluster(box), Selection(places={LetterId(0, 1)})), by="ann", again=True)
    assert redriven_ids(box) == ["0:0", "0:1", "0:1", "0:2"]
    assert [mark.by for mark in survey(Cluster(box))[1].marks] == ["ann", "ann"]


@both
def test_somebody_else_was_quicker(box: Settings) -> None:
    """Fails when letters are not surveyed again once the transactional id is taken over."""
    bury(box, 3)
    mine = survey(Cluster(box), OPEN)
    redrive(Cluster(box), mine[:1], by="ann")
    drop(Cluster(box), mine[1:2], by="ann", why="a test")
    outcome = redrive(Cluster(box), mine, by="bob")
    assert outcome == Outcome([LetterId(0, 2)], [LetterId(0, 0), LetterId(0, 1)], {})
    assert redriven_ids(box) == ["0:0", "0:2"]


@pytest.mark.kafka
def test_whoever_was_overtaken_in_between_commits_nothing(box: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when each command has a transactional id of its own."""
    bury(box, 3)
    letters = survey(Cluster(box), OPEN)
    contents = letter_box.contents

    def overtaken(cluster: Cluster, ids: Collection[LetterId]) -> Iterator[Content]:
        monkeypatch.setattr(redriving, "contents", contents)
        redrive(Cluster(box), letters, by="ann")
        return contents(cluster, ids)

    monkeypatch.setattr(redriving, "contents", overtaken)
    with pytest.raises(TakenOverError, match="somebody else began to redrive"):
        redrive(Cluster(box), letters, by="bob")
    assert redriven_ids(box) == ["0:0", "0:1", "0:2"]
    assert [[mark.by for mark in letter.marks] for letter in survey(Cluster(box))] == [["ann"]] * 3


@both
def test_several_at_once(box: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when each command has a transactional id of its own."""
    bury(box, 12)
    monkeypatch.setattr(redriving, "_LETTERS", 3)  # several transactions, to be overtaken between them
    problems: list[BaseException] = []

    def work(name: str) -> None:
        try:
            while letters := survey(Cluster(box), OPEN):
                try:
                    redrive(Cluster(box), letters, by=name)
                except TakenOverError:
                    continue
        except BaseException as error:  # noqa: BLE001 - of a thread, it would be lost
            problems.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert redriven_ids(box) == sorted(f"0:{i}" for i in range(12))
    assert all(len(letter.marks) == 1 for letter in survey(Cluster(box)))


CRASH = """
import os, signal, sys
from streams.operate import redrive as redriving
from streams.operate.dead_letter_box import survey
from streams.config.settings import Settings
from streams.kafka.client import Cluster

class Dying(redriving._Transactions):
    def _mark(self, letter):
        super()._mark(letter)
        if {when!r} == "between":
            self._producer.flush()
            os.kill(os.getpid(), signal.SIGKILL)

redriving._Transactions = Dying
settings = Settings(bootstrap_servers={servers!r}, topic_prefix={prefix!r})
redriving.redrive(Cluster(settings), survey(Cluster(settings)), by="ann")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.kafka
@pytest.mark.parametrize(("when", "done"), [("between", False), ("after", True)])
def test_killed_in_between_it_is_done_wholly_or_not_at_all(box: Settings, when: str, done: bool) -> None:
    """Fails when records and marks are sent without a transaction."""
    bury(box, 2)
    script = CRASH.format(when=when, servers=box.bootstrap_servers, prefix=box.topic_prefix)
    killed = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    letters = survey(Cluster(box), OPEN)
    assert len(letters) == (0 if done else 2)
    redrive(Cluster(box), letters, by="bob")
    assert redriven_ids(box) == ["0:0", "0:1"]
    assert [[mark.by for mark in letter.marks] for letter in survey(Cluster(box))] == [["ann" if done else "bob"]] * 2


@pytest.mark.kafka
def test_a_record_that_its_topic_does_not_take_stays_open_and_the_others_go_on(box: Settings) -> None:
    """Fails when a refused letter is marked, or ends what it shares a transaction with."""
    bury(box, 3)
    bury(box, 1, value=Random(1).randbytes(1_100_000))  # over the topic's 1 MiB, and it does not compress
    bury(box, 3)
    progress: list[int] = []
    outcome = redrive(Cluster(box), survey(Cluster(box)), by="ann", on_progress=progress.append)
    assert outcome.done == [LetterId(0, i) for i in (0, 1, 2, 4, 5, 6)]
    assert outcome.left == []
    [(refused, why)] = outcome.refused.items()
    assert refused == LetterId(0, 3)
    assert why.startswith("transcripts[0]@0: ")
    assert "too large" in why
    assert redriven_ids(box) == ["0:0", "0:1", "0:2", "0:4", "0:5", "0:6"], "and none twice"
    assert [letter.id for letter in survey(Cluster(box), OPEN)] == [LetterId(0, 3)]
    assert progress[-1] == 6
    assert redrive(Cluster(box), survey(Cluster(box), OPEN), by="ann").refused.keys() == {LetterId(0, 3)}


@both
def test_a_large_record_that_compresses_is_put_back(box: Settings) -> None:
    """It was taken in and became a letter, so the client's own bound must not keep it. Fails with a bound of 2 MiB."""
    bury(box, 1, value=b"x" * 3_000_000)
    assert redrive(Cluster(box), survey(Cluster(box)), by="ann").done == [LetterId(0, 0)]
    [message] = in_topic(box)
    assert message.value() == b"x" * 3_000_000


class NoAnswer(Producer):
    """A producer whose commits are not answered, and, as librdkafka's then is, busy with the commit ever after."""

    def commit_transaction(self, *_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer"))

    def abort_transaction(self, *_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._CONFLICT))


class AnsweredLate(NoAnswer):
    """One whose abort is answered after all."""

    def abort_transaction(self, *args: Any) -> None:
        Producer.abort_transaction(self, *args)


@pytest.mark.parametrize(
    ("producer", "words"),
    [(NoAnswer, "whether it was committed is not known"), (AnsweredLate, "nothing of it was done")],
)
def test_after_a_commit_without_an_answer_it_is_told_what_is_known(
    box: Settings, monkeypatch: pytest.MonkeyPatch, producer: type[Producer], words: str
) -> None:
    """Fails with one text for both."""
    bury(box, 1)
    letters = survey(Cluster(box))
    monkeypatch.setattr(client, "Producer", producer)
    with pytest.raises(RedriveError, match=rf"the transaction failed: no answer \(_TIMED_OUT\); {words}"):
        redrive(Cluster(box), letters, by="ann")


@both
def test_what_is_dropped_stays_and_says_why(box: Settings) -> None:
    bury(box, 2)
    outcome = drop(Cluster(box), survey(Cluster(box))[:1], by="ann", why="naïve test")
    assert outcome == Outcome([LetterId(0, 0)], [], {})
    dropped, still_open = survey(Cluster(box))
    assert (dropped.state, dropped.marks[0].why, still_open.state) == ("dropped", "naïve test", "open")
    assert in_topic(box) == []
    assert in_topic(box, DEAD_LETTERS)[0].value() == RECORDS[0][1]
    with pytest.raises(AlreadySettledError, match="was dropped already"):
        redrive(Cluster(box), [dropped], by="bob")


def test_each_goes_to_the_topic_that_it_came_from(box: Settings) -> None:
    bury(box, 1)
    bury(box, 1, CLOUD_INFERENCE)
    redrive(Cluster(box), survey(Cluster(box)), by="ann")
    assert (redriven_ids(box), redriven_ids(box, CLOUD_INFERENCE)) == (["0:0"], ["0:1"])


def test_many_letters_are_several_transactions(box: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    bury(box, 10)
    monkeypatch.setattr(redriving, "_LETTERS", 4)
    progress: list[int] = []
    redrive(Cluster(box), survey(Cluster(box)), by="ann", on_progress=progress.append)
    assert progress == [4, 8, 10]
    assert len(in_topic(box)) == 10


def test_interrupted_it_leaves_nothing_open(box: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    bury(box, 2)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(redriving._Transactions, "_mark", interrupted)
        with pytest.raises(KeyboardInterrupt):
            redrive(Cluster(box), survey(Cluster(box)), by="ann")
    assert {letter.state for letter in survey(Cluster(box))} == {"open"}


class Edge(EdgeAgent):
    """The edge agent, until it has seen so many records."""

    def __init__(self, settings: Settings, model: Path, until: int) -> None:
        keep_all = Policy("test", "1", confidence_threshold=0.0, complexity_threshold=2.0, random_cloud_rate=0.0)
        super().__init__(settings, Classifier(load_artifact(str(model))), keep_all, NoRedaction())
        self._left = until

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        self._left -= len(records)
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return await super().process(records)


@pytest.mark.kafka
def test_what_fails_again_comes_back_until_its_cause_is_mended(box: Settings, tmp_path: Path) -> None:
    """Fails when the agent does not count attempts, or verify takes a redriven record for its first copy's."""
    model = tiny_artifact(tmp_path)
    long = codec(box, TRANSCRIPTS).encode(dataclasses.replace(TRANSCRIPT, text="x" * 11))
    producer = Cluster(box).producer()
    for value in (long, b"never a record"):
        producer.produce(box.topic(TRANSCRIPTS), value, b"c1")
    assert producer.flush(30) == 0
    strict, mended = (box.model_copy(update={"max_text_chars": most}) for most in (10, 100))
    for settings in (strict, strict, mended):
        redrive(Cluster(box), survey(Cluster(box), OPEN), by="ann")  # none the first time
        asyncio.run(serve(settings, Edge(settings, model, until=2)))
    tried = [(letter.reason, letter.attempts, letter.state, letter.before) for letter in survey(Cluster(box))]
    first, second = survey(Cluster(box))[:2]
    again = {letter.before: letter for letter in survey(Cluster(box))[2:4]}
    assert tried[:2] == [("text_too_long", 1, "redriven", None), ("undecodable", 1, "redriven", None)]
    assert (again[first.id].reason, again[first.id].attempts, again[first.id].state) == ("text_too_long", 2, "redriven")
    assert tried[4:] == [("undecodable", 3, "open", again[second.id].id)]
    [answer] = in_topic(box, SENTIMENT)
    assert codec(box, SENTIMENT).decode(answer.value()).event_id == TRANSCRIPT.event_id
    verdict = verify(box)
    assert (verdict.events, verdict.redriven, verdict.dead_letters, verdict.results) == (6, 4, 5, 1)
    found = {kind for kind, fault in verdict.faults.items() if fault.count}
    assert found == {"totals", "states"}, "no monitor ran, and nobody who keeps conversations"
