"""A member of a consumer group: what it takes for fetched, by which right, and what a rebalance does to that."""

import asyncio
import socket
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal, cast

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.agents.agent import Agent
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.client import Cluster
from streams.kafka.connections import CONNECTION_OPTIONS
from streams.worker import member as module
from streams.worker import positions
from streams.worker.batch import Held, is_members
from streams.worker.member import Member
from streams.worker.strategy import is_incremental


def metadata(generation: int, member: str) -> bytes:
    """As librdkafka lays it out."""
    return b"CGMDv2:" + struct.pack("<i", generation) + f"edgewise-edge\0{member}\0".encode() + b"\x01"


def record(partition: int, offset: int) -> Any:
    return SimpleNamespace(
        topic=lambda: "transcripts",
        partition=lambda: partition,
        offset=lambda: offset,
        error=lambda: None,
        timestamp=lambda: (1, 7),
        key=lambda: b"k",
        value=lambda: b"v",
        headers=lambda: None,
    )


def told(partition: int, offset: int, code: int) -> Any:
    """What librdkafka hands over in a message's place."""
    return SimpleNamespace(partition=lambda: partition, offset=lambda: offset, error=lambda: KafkaError(code, "why"))


class Consumer:
    """librdkafka's consumer, that gives what it was filled with: messages, and functions that tell of a rebalance."""

    def __init__(self) -> None:
        self.coming: list[Any] = []
        self.generation, self.name = 1, "m"
        self.sought: list[tuple[int, int]] = []
        self.high = 0
        self.refuses_seeks = False
        self.taken_anew: list[str] = []

    def subscribe(self, _: list[str], **told: Callable[[Any, list[TopicPartition]], None]) -> None:
        self.told = told

    def give(self, *partitions: int) -> None:
        self.coming.append(lambda: self.told["on_assign"](self, [TopicPartition("transcripts", p) for p in partitions]))

    def take(self, *partitions: int, how: str = "on_revoke") -> None:
        self.coming.append(lambda: self.told[how](self, [TopicPartition("transcripts", p) for p in partitions]))

    def consume(self, most: int, _: float) -> list[Any]:
        found: list[Any] = []
        while self.coming and len(found) < most:
            each = self.coming.pop(0)
            if callable(each):
                each()
            else:
                found.append(each)
        return found

    def poll(self, _: float) -> Any:
        return next(iter(self.consume(1, 0)), None)

    def consumer_group_metadata(self) -> bytes:
        return metadata(self.generation, self.name)

    def seek(self, place: TopicPartition) -> None:
        if self.refuses_seeks:
            raise KafkaException(KafkaError(KafkaError._STATE, "why"))
        self.sought.append((place.partition, place.offset))

    def incremental_unassign(self, places: list[TopicPartition]) -> None:
        self.taken_anew += [f"-{place.partition}" for place in places]

    def incremental_assign(self, places: list[TopicPartition]) -> None:
        self.taken_anew += [f"{place.partition}@{place.offset}" for place in places]

    assign = incremental_assign

    def get_watermark_offsets(self, _: TopicPartition, cached: bool) -> tuple[int, int]:
        assert cached, "a scrape must not wait for a broker"
        return 0, self.high


class Scene:
    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, strategy: str, protocol: Literal["classic", "consumer"] = "classic"
    ) -> None:
        self.consumer = Consumer()
        monkeypatch.setattr(Cluster, "group_consumer", lambda *_: self.consumer)
        monkeypatch.setattr(module, "group_options", lambda *_: {"partition.assignment.strategy": strategy})
        monkeypatch.setattr(module, "stable_offsets", lambda *given: dict.fromkeys(given[3], 5))
        agent = cast(Agent, SimpleNamespace(name="edge", source="transcripts"))
        self.member = Member(Cluster(Settings(group_protocol=protocol)), agent)
        self.member.join()

    def fetched(self) -> list[tuple[int, int]]:
        batch = self.member.fetch(100, 0)
        return [] if batch is None else [(each.partition, each.offset) for each in batch.records]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch, "cooperative-sticky")


@pytest.mark.parametrize(("protocol", "joins"), [("consumer", True), ("classic", False)])
def test_by_kip_848_a_member_has_joined_once_the_group_has_taken_it(
    monkeypatch: pytest.MonkeyPatch, protocol: Literal["classic", "consumer"], joins: bool
) -> None:
    """librdkafka calls nothing back where there are more members than partitions. Seen to fail by its calls alone."""
    scene = Scene(monkeypatch, "cooperative-sticky", protocol)
    for generation, name in ((0, ""), (-1, "m"), (0, "m"), (3, "")):
        scene.consumer.generation, scene.consumer.name = generation, name
        assert scene.fetched() == []
        assert not scene.member.joined
    scene.consumer.generation, scene.consumer.name = 3, "m"
    assert scene.fetched() == []
    assert scene.member.joined is joins
    scene.consumer.give()
    assert scene.fetched() == []
    assert scene.member.joined


def test_a_batch_has_the_metadata_of_its_fetch_and_ends_behind_its_last_records(scene: Scene) -> None:
    scene.consumer.give(0, 1)
    scene.consumer.coming += [record(0, 3), record(1, 8), record(0, 9)]
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    assert (batch.ends, batch.token) == ({0: 10, 1: 9}, metadata(1, "m"))
    assert batch.records[0].timestamp == 7
    scene.consumer.generation = 2
    assert batch.token == metadata(1, "m")
    scene.member.renew(batch)
    assert batch.token == metadata(2, "m"), "another came or went; what stays here is no less ours"
    scene.consumer.name = ""
    scene.member.renew(batch)
    assert batch.token == metadata(2, "m")


@pytest.mark.parametrize(("generation", "name"), [(-1, ""), (-1, "m"), (3, "")])
def test_what_nobody_is_fenced_by_is_refused(scene: Scene, generation: int, name: str) -> None:
    """The broker takes a commit without a member and generation from anybody.

    Seen to fail with metadata taken as it comes.
    """
    scene.consumer.give(0)
    scene.consumer.generation, scene.consumer.name = generation, name
    scene.consumer.coming += [record(0, 3)]
    assert scene.member.fetch(100, 0) is None
    assert scene.member.astray == {0}, "what was dropped is read again"


def test_the_layout_of_metadata_is_librdkafkas() -> None:
    peer = confluent_kafka.Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "edgewise-edge", "log_level": 0})
    try:
        assert peer.consumer_group_metadata() == metadata(-1, "")
    finally:
        peer.close()
    assert not is_members(metadata(-1, ""))
    assert is_members(metadata(0, "m"))
    with pytest.raises(ValueError, match="layout"):
        is_members(b"CGMDv3:")


@pytest.mark.parametrize("how", ["on_revoke", "on_lost"])
def test_what_was_fetched_of_a_partition_that_is_taken_away_is_dropped(scene: Scene, how: str) -> None:
    """Seen to fail with records kept whatever a rebalance in the same call says."""
    scene.consumer.give(0, 1)
    scene.consumer.coming += [record(0, 3), record(1, 8)]
    scene.consumer.take(0, how=how)
    scene.consumer.coming += [record(1, 9)]
    assert scene.fetched() == [(1, 8), (1, 9)]
    assert scene.member.held.keys() == {1}


def test_a_partition_taken_and_given_back_in_one_call_is_read_again(scene: Scene) -> None:
    """Another may have done its records meanwhile: a member that was put out and came back before its next poll.

    Seen to fail with records dropped by what is held in the end alone.
    """
    scene.consumer.give(0)
    scene.consumer.coming += [record(0, 3)]
    scene.consumer.take(0, how="on_lost")
    scene.consumer.give(0)
    scene.consumer.coming += [record(0, 30)]
    assert scene.fetched() == []
    assert scene.member.astray == {0}


def test_the_metadata_of_a_batch_under_way_is_renewed_only_while_its_partitions_are_held(scene: Scene) -> None:
    """Seen to fail with metadata renewed at each poll: newer than the right to what was fetched."""
    scene.consumer.give(0, 1)
    scene.consumer.coming += [record(0, 3)]
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    scene.consumer.generation = 2
    scene.consumer.take(1)
    scene.member.stay(batch)
    assert batch.token == metadata(2, "m"), "it was another partition that went"
    scene.consumer.generation = 3
    scene.consumer.take(0)
    scene.consumer.give(0)
    scene.member.stay(batch)
    assert batch.token == metadata(2, "m")
    assert not scene.member.holds(batch)


def test_what_comes_while_a_batch_is_under_way_is_fetched_next(scene: Scene) -> None:
    """Seen to fail with the record that a poll gives left out."""
    scene.consumer.give(0)
    assert scene.fetched() == []
    scene.consumer.coming += [record(0, 3), record(0, 4)]
    scene.member.stay()
    assert scene.fetched() == [(0, 3), (0, 4)]


def test_what_comes_while_a_partition_is_taken_and_given_back_is_read_again(scene: Scene) -> None:
    """It may be of either right. Seen to fail with whatever comes kept."""
    scene.consumer.give(0)
    assert scene.fetched() == []
    scene.consumer.take(0, how="on_lost")
    scene.consumer.give(0)
    scene.consumer.coming += [record(0, 30)]
    scene.member.stay()
    assert scene.member.astray == {0}
    assert scene.fetched() == []


def test_positions_are_set_back_for_what_is_still_held(scene: Scene) -> None:
    scene.consumer.give(0, 1)
    scene.consumer.coming += [record(0, 7), record(1, 7)]
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    scene.consumer.take(1)
    scene.member.stay(batch)
    scene.member.lose(batch)
    asyncio.run(scene.member.set_back())
    assert scene.consumer.sought == [(0, 5)]
    assert scene.member.astray == set()


def test_while_positions_are_asked_for_the_other_partitions_go_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes of those that are astray is left out, and what was kept of them before. Seen to fail with either
    done, which is out of order, and with a partition that has no leader holding back the others' answers."""

    def asked(*given: Any) -> dict[int, int]:
        assert set(given[3]) == {0, 2}
        scene.consumer.coming += [record(0, 9), record(1, 8), record(2, 9)]
        seen.append(scene.fetched())
        return {0: 5}

    seen: list[list[tuple[int, int]]] = []
    scene.consumer.give(0, 1, 2)
    scene.consumer.coming += [record(0, 7), record(1, 7), record(2, 7)]
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    scene.consumer.coming.append(record(0, 8))
    scene.member.stay(batch)
    batch.held.pop(1)
    scene.member.lose(batch)
    monkeypatch.setattr(module, "stable_offsets", asked)
    asyncio.run(scene.member.set_back())
    assert seen == [[(1, 8)]]
    assert (scene.member.astray, scene.consumer.sought) == ({2}, [(0, 5)])


def test_what_was_kept_of_a_partition_that_is_set_back_comes_again(scene: Scene) -> None:
    """Seen to fail with it kept: it would be done before what comes again."""
    scene.consumer.give(0)
    scene.consumer.coming.append(record(0, 7))
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    scene.consumer.coming.append(record(0, 8))
    scene.member.stay(batch)
    scene.member.lose(batch)
    asyncio.run(scene.member.set_back())
    assert scene.fetched() == []


def test_a_partition_that_was_given_up_meanwhile_is_not_sought(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a seek of every partition that was asked for: it is another's, or was assigned anew."""

    def asked(*given: Any) -> dict[int, int]:
        scene.consumer.take(0)
        scene.consumer.give(0)
        scene.member.stay()
        return dict.fromkeys(given[3], 5)

    scene.consumer.give(0)
    scene.consumer.coming += [told(0, -1001, KafkaError._AUTO_OFFSET_RESET)]
    assert scene.fetched() == []
    assert scene.member.astray == {0}
    monkeypatch.setattr(module, "stable_offsets", asked)
    asyncio.run(scene.member.set_back())
    assert scene.consumer.sought == []


def test_what_cannot_be_known_now_is_asked_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the error raised: a broker that was away for a minute ended the worker."""

    def asked(*_: Any) -> dict[int, int]:
        if errors:
            raise KafkaException(KafkaError(errors.pop()))
        return {0: 5}

    errors = [KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError._TIMED_OUT, KafkaError._TRANSPORT]
    scene.consumer.give(0, 1)
    scene.consumer.coming += [told(0, -1001, KafkaError._AUTO_OFFSET_RESET)]
    assert scene.fetched() == []
    monkeypatch.setattr(module, "stable_offsets", asked)
    for _ in range(2):
        asyncio.run(scene.member.set_back())
        assert scene.member.astray == {0}
        assert scene.consumer.sought == []
    with pytest.raises(KafkaException, match="GROUP_AUTHORIZATION_FAILED"):
        asyncio.run(scene.member.set_back())
    scene.member.astray.add(0)
    asyncio.run(scene.member.set_back())
    assert scene.consumer.sought == [(0, 5)]


def test_a_member_takes_part_in_its_group_while_no_broker_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the member's own consumer asked: its `poll` waited with it, and the event loop with that."""
    monkeypatch.setattr(positions, "STABLE_OFFSETS_TIMEOUT_S", 2.0)
    monkeypatch.setattr(module, "group_options", lambda *_: {})

    async def turns(member: Member) -> int:
        asking = asyncio.create_task(member.set_back())
        turns = 0
        while not (await asyncio.wait({asking}, timeout=0.05))[0]:
            member.stay()
            turns += 1
        return turns

    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(bootstrap_servers=f"127.0.0.1:{silent.getsockname()[1]}")
        member = Member(Cluster(settings), cast(Agent, SimpleNamespace(name="edge", source="transcripts")))
        member.held[0] = Held()
        member.astray.add(0)
        assert asyncio.run(turns(member)) > 3
        assert member.astray == {0}
        member.close()


def test_who_asks_where_to_go_on_holds_on_to_brokers_as_the_member_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with librdkafka's defaults: what a frozen broker was asked was asked elsewhere after a minute."""
    given: dict[str, object] = {}

    class Asker:
        def __init__(self, options: dict[str, object]) -> None:
            given.update(options)

        def committed(self, *_: Any, **__: Any) -> list[TopicPartition]:
            return []

        def close(self) -> None:
            given["closed"] = True

    monkeypatch.setattr(client, "Consumer", Asker)
    assert positions.stable_offsets(Cluster(Settings()), "g", "transcripts", [0]) == {}
    assert given.items() >= {**CONNECTION_OPTIONS, "group.id": "g", "isolation.level": "read_committed"}.items()
    assert CONNECTION_OPTIONS.items() <= module.OPTIONS.items()
    assert given["closed"]


def test_what_comes_by_a_new_right_while_positions_are_asked_for_is_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with everything dropped that came of a partition that was asked for: it was never done."""

    def asked(*given: Any) -> dict[int, int]:
        scene.consumer.take(0)
        scene.consumer.give(0)
        scene.member.stay()
        scene.consumer.coming += [record(0, 7)]
        scene.member.stay()
        return dict.fromkeys(given[3], 5)

    scene.consumer.give(0)
    scene.consumer.coming += [told(0, -1001, KafkaError._AUTO_OFFSET_RESET)]
    assert scene.fetched() == []
    monkeypatch.setattr(module, "stable_offsets", asked)
    asyncio.run(scene.member.set_back())
    assert scene.fetched() == [(0, 7)]


def test_what_is_kept_does_not_come_twice_when_all_is_assigned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with what was kept left there: from where it stood it is fetched again."""
    scene = Scene(monkeypatch, "roundrobin")
    scene.consumer.give(0, 1)
    scene.consumer.coming += [record(1, 8), told(0, 3, KafkaError._AUTO_OFFSET_RESET)]
    assert scene.fetched() == [(1, 8)]
    scene.consumer.coming += [record(1, 9)]
    scene.member.stay()
    scene.consumer.refuses_seeks = True
    asyncio.run(scene.member.set_back())
    assert scene.consumer.taken_anew == ["0@5", "1@9"]
    assert scene.fetched() == []


@pytest.mark.parametrize(("strategy", "anew"), [("cooperative-sticky", ["-0", "0@5"]), ("roundrobin", ["0@5", "1@9"])])
def test_a_partition_without_a_valid_offset_is_taken_anew(
    monkeypatch: pytest.MonkeyPatch, strategy: str, anew: list[str]
) -> None:
    """librdkafka refuses a seek of one. Seen to fail with the seek alone."""
    scene = Scene(monkeypatch, strategy)
    scene.consumer.give(0, 1)
    scene.consumer.coming += [record(1, 8), told(0, 3, KafkaError._AUTO_OFFSET_RESET)]
    assert scene.fetched() == [(1, 8)]
    scene.consumer.refuses_seeks = True
    asyncio.run(scene.member.set_back())
    assert scene.consumer.taken_anew == anew


def test_a_group_that_works_otherwise_and_a_refusal_end_the_worker(scene: Scene) -> None:
    scene.consumer.give(0)
    for code in (KafkaError.INCONSISTENT_GROUP_PROTOCOL, KafkaError.TOPIC_AUTHORIZATION_FAILED):
        scene.consumer.coming += [told(0, 0, code)]
        with pytest.raises(KafkaException):
            scene.member.fetch(100, 0)
    scene.consumer.coming += [told(0, 0, KafkaError._MAX_POLL_EXCEEDED)]
    assert scene.member.fetch(100, 0) is None, "what passes by itself does not"


def test_lag_is_what_is_not_done_and_nothing_at_the_end(scene: Scene) -> None:
    """Behind the last record lies the marker of its transaction. Seen to fail with offsets alone."""
    scene.consumer.give(0)
    scene.consumer.high = 12
    assert scene.fetched() == []
    assert scene.member.lags() == {("transcripts", 0): 0}, "nothing is known yet"
    scene.consumer.coming += [record(0, 9), record(0, 10), told(0, 12, KafkaError._PARTITION_EOF)]
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    assert scene.member.lags() == {("transcripts", 0): 3}, "it is not committed"
    scene.member.is_done(batch)
    assert scene.member.lags() == {("transcripts", 0): 0}
    scene.consumer.high = 15
    assert scene.member.lags() == {("transcripts", 0): 3}


@pytest.mark.parametrize(
    ("options", "incremental"),
    [
        ({"group.protocol": "consumer"}, True),
        ({"partition.assignment.strategy": "cooperative-sticky"}, True),
        ({"partition.assignment.strategy": "roundrobin"}, False),
    ],
)
def test_which_members_are_told_changes_only(options: dict[str, object], incremental: bool) -> None:
    assert is_incremental(options) == incremental


def test_a_tick_is_fenced_by_where_partitions_stand_that_is_known(scene: Scene) -> None:
    """Seen to fail with those that are not known set back: their transactions are waited for then, and with them all
    other partitions wait."""
    assert scene.member.standing() is None
    scene.consumer.give(0, 1)
    scene.consumer.coming.append(record(0, 7))
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    scene.member.is_done(batch)
    standing = scene.member.standing()
    assert standing is not None
    assert (standing.records, standing.ends, standing.token) == ((), {0: 8}, batch.token)
    assert scene.member.astray == set()
    scene.consumer.coming.append(told(1, 5, KafkaError._PARTITION_EOF))
    assert scene.fetched() == []
    standing = scene.member.standing()
    assert standing is not None
    assert standing.ends == {0: 8, 1: 5}, "there was nothing to fetch"
    scene.member.astray.add(0)
    standing = scene.member.standing()
    assert standing is not None
    assert standing.ends == {1: 5}


def test_a_partition_is_read_up_to_now_at_its_end_and_up_to_its_last_record_before(scene: Scene) -> None:
    """Seen to fail with an end that was reached before more came, and with one in front of what is set back."""

    def read_to() -> int:
        standing = scene.member.standing()
        assert standing is not None
        return standing.held[0].read_to(100)

    scene.consumer.give(0)
    scene.consumer.coming.append(record(0, 7))
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    assert read_to() == 0, "nothing is done yet"
    scene.member.is_done(batch)
    assert read_to() == 7, "the record's time"
    scene.consumer.coming.append(told(0, 9, KafkaError._PARTITION_EOF))
    assert scene.fetched() == []
    assert read_to() == 100
    scene.consumer.coming.append(record(0, 9))
    batch = scene.member.fetch(100, 0)
    assert batch is not None
    assert read_to() == 7
    scene.member.is_done(batch)
    scene.consumer.coming.append(told(0, 11, KafkaError._PARTITION_EOF))
    assert scene.fetched() == []
    assert read_to() == 100
    scene.member.astray.add(0)
    asyncio.run(scene.member.set_back())
    assert read_to() == 7


def test_an_end_behind_records_is_not_where_they_stand(scene: Scene) -> None:
    """Seen to fail with the end taken for what is done, before the records in front of it are."""
    scene.consumer.give(0)
    scene.consumer.coming += [record(0, 7), told(0, 8, KafkaError._PARTITION_EOF)]
    assert scene.fetched() == [(0, 7)]
    standing = scene.member.standing()
    assert standing is not None
    assert standing.ends == {0: 7}


def test_an_end_of_a_partition_that_was_taken_and_given_back_says_nothing(scene: Scene) -> None:
    scene.consumer.give(0)
    assert scene.fetched() == []
    scene.consumer.take(0, how="on_lost")
    scene.consumer.give(0)
    scene.consumer.coming.append(told(0, 5, KafkaError._PARTITION_EOF))
    assert scene.fetched() == []
    assert (scene.member.astray, scene.member.standing()) == ({0}, None)


def test_a_tick_of_what_is_no_member_has_nothing_to_stand_on(scene: Scene) -> None:
    scene.consumer.give(0)
    scene.consumer.coming.append(told(0, 5, KafkaError._PARTITION_EOF))
    scene.member.fetch(100, 0)
    assert scene.member.standing() is not None
    scene.consumer.generation = -1
    assert scene.member.standing() is None
