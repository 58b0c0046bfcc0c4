"""The latest value of a key over a topic: what is in memory, what is read back, what is dropped."""

from collections.abc import Iterator

import pytest

from schemas.codec import Codec
from schemas.records import Alert
from schemas.topics import ALERTS
from streams.agents.topic_state import StateError, TopicState
from streams.config.settings import Settings

CODEC = Codec(ALERTS)


def alert(rule: str, value: float) -> Alert:
    return Alert(
        rule=rule, alert_id="i", state="firing", severity="info", summary="s", metric="m",
        value=value, window_ms=0, started_at=1, updated_at=2,
    )  # fmt: skip


class Topic:
    """What the topic holds: key, value and when it was written."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, int]] = []
        self.reads: list[tuple[str, int]] = []

    def put(self, key: bytes | None, value: float | bytes | None, at_ms: int = 0) -> None:
        encoded = CODEC.encode(alert("r", value)) if isinstance(value, float) else value
        self.records.append((key, encoded, at_ms))

    def read_back(self, topic: str, since_ms: int) -> Iterator[tuple[bytes | None, bytes | None]]:
        self.reads.append((topic, since_ms))
        return iter([(key, value) for key, value, at_ms in self.records if at_ms >= since_ms])


@pytest.fixture
def topic() -> Topic:
    return Topic()


def state(topic: Topic, capacity: int = 10) -> TopicState[Alert, float]:
    return TopicState(Settings(topic_prefix="p."), ALERTS, lambda each: each.value or 0.0, topic.read_back, capacity)


def test_the_latest_value_of_a_wanted_key_is_read_back(topic: Topic) -> None:
    topic.put(b"a", 1.0, at_ms=5)
    topic.put(b"b", 2.0, at_ms=6)
    topic.put(b"a", 3.0, at_ms=7)
    topic.put(b"old", 4.0, at_ms=1)
    values = state(topic)
    values.read_back(5, lambda key: key != b"b")
    assert [values.get(key) for key in (b"a", b"b", b"old")] == [3.0, None, None]
    assert topic.reads == [("alerts", 5)]


def test_what_is_in_memory_is_newer_than_what_was_written(topic: Topic) -> None:
    topic.put(b"a", 1.0)
    values = state(topic)
    values.put(b"a", 2.0)
    values.read_back(0, lambda _key: True)
    assert values.get(b"a") == 2.0


def test_a_tombstone_is_no_value_and_a_record_without_key_is_none(topic: Topic) -> None:
    topic.put(b"a", 1.0)
    topic.put(b"a", None)
    topic.put(None, 3.0)
    values = state(topic)
    values.read_back(0, lambda _key: True)
    assert values.get(b"a") is None
    assert b"a" not in values


def test_what_was_not_used_for_the_longest_time_is_dropped(topic: Topic) -> None:
    values = state(topic, capacity=2)
    for key in (b"a", b"b", b"c"):
        values.put(key, 1.0)
    values.get(b"a")
    assert values.trim() == [b"b"]
    assert [key in values for key in (b"a", b"b", b"c")] == [True, False, True]
    assert values.trim() == []


def test_what_is_forgotten_is_read_back_as_it_was_committed(topic: Topic) -> None:
    topic.put(b"a", 1.0)
    values = state(topic)
    values.put(b"a", 2.0)
    values.put(b"b", 2.0)
    values.forget(lambda key: key == b"a")
    assert (values.get(b"a"), values.get(b"b")) == (None, 2.0)
    values.read_back(0, lambda _key: True)
    assert values.get(b"a") == 1.0


def test_a_value_that_cannot_be_read_names_its_key_and_topic(topic: Topic) -> None:
    topic.put(b"a", b"garbage")
    with pytest.raises(StateError, match=r"key a in topic p\.alerts cannot be read"):
        state(topic).read_back(0, lambda _key: True)
