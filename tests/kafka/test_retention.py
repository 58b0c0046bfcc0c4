"""What retention has removed before a group read it: counted once, and told once."""

import logging
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from prometheus_client import REGISTRY

from streams.agents import metrics
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import OffsetBeyondEndError
from streams.worker.positions import stable_offsets

RECORDS = 20
LOW = 10

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(settings: Settings) -> Iterator[str]:
    """A topic whose one partition held offsets 0 to 19, of which 0 to 9 are gone."""
    topic = settings.topic("transcripts")
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    for future in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        future.result()
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for _ in range(RECORDS):
        producer.produce(topic, b"x")
    assert producer.flush(30) == 0
    for future in admin.delete_records([TopicPartition(topic, 0, LOW)]).values():
        future.result()
    yield topic
    metrics.SKIPPED_RECORDS.clear()


def begin(settings: Settings, topic: str, known: dict[int, int] | None = None) -> dict[int, int]:
    """Where the edge's group goes on."""
    cluster, group = Cluster(settings), settings.group("edge")
    return stable_offsets(cluster, group, topic, [0], known)


def commit(settings: Settings, topic: str, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": settings.group("edge")})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def skipped(topic: str) -> float | None:
    return REGISTRY.get_sample_value("edgewise_skipped_records_total", {"topic": topic})


def test_what_was_removed_unread_is_counted_and_told_once(
    settings: Settings, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Again after each rebalance it would be an alert on each, until something new is committed.

    Seen to fail with `known` left out.
    """
    commit(settings, topic, 3)
    known = begin(settings, topic)
    assert known == {0: LOW}
    assert begin(settings, topic, known) == {0: LOW}
    assert skipped(topic) == LOW - 3
    assert [record.levelno for record in caplog.records if "retention" in record.message] == [logging.ERROR]
    assert "[0]: retention deleted records 3 to 9 before group" in caplog.text


def test_before_the_first_commit_it_is_told_by_the_position_that_the_worker_had(
    settings: Settings, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen to fail with the group's commit alone: there is none, and so there was no word of it."""
    assert begin(settings, topic, {0: 0}) == {0: LOW}
    assert skipped(topic) == LOW
    assert "retention deleted records 0 to 9" in caplog.text


def test_a_group_that_begins_where_the_topic_begins_has_skipped_nothing(
    settings: Settings, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert begin(settings, topic) == {0: LOW}
    assert not skipped(topic)
    assert "retention" not in caplog.text


@pytest.mark.parametrize("backend", ["embedded", "kafka"])
def test_an_offset_behind_the_end_is_an_error(settings: Settings, topic: str, backend: str) -> None:  # noqa: ARG001
    """As after an unclean election, or set by hand: the worker would wait there for ever. Fails without the look."""
    commit(settings, topic, 1_000)
    with pytest.raises(
        OffsetBeyondEndError, match=r"offset 1000 of .*transcripts\[0\], which ends at 20: the topic was"
    ):
        begin(settings, topic)


@pytest.mark.parametrize("backend", ["embedded", "kafka"])
def test_an_offset_at_the_end_is_none(settings: Settings, topic: str, backend: str) -> None:  # noqa: ARG001
    """The embedded broker says that the log ends behind the first record of its last batch."""
    commit(settings, topic, RECORDS)
    assert begin(settings, topic) == {0: RECORDS}
