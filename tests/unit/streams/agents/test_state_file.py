"""An agent's state in a temporary file: what is read back, kept, taken back, due, and forgotten."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import ALERTS
from schemas.validation import MAX_AHEAD_MS
from streams.agents import state_file
from streams.agents.state_file import UNSEEN, Entry, StateFile, StateFileError

DAY_MS = 86_400_000


class Topic:
    """What the topic holds, and a clock."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, int]] = []
        self.reads: list[int] = []
        self.now = 100 * DAY_MS

    def write(self, key: bytes | None, value: bytes | None) -> None:
        self.records.append((key, value, self.now))

    def read_back(self, topic: str, since_ms: int) -> Iterator[tuple[bytes | None, bytes | None]]:
        assert topic == "alerts"
        self.reads.append(since_ms)
        return iter([(key, value) for key, value, at_ms in self.records if at_ms >= since_ms])

    def file(self) -> StateFile:
        return StateFile(ALERTS, self.read_back, lambda: self.now, kept_days=30)


@pytest.fixture
def topic() -> Topic:
    return Topic()


def entry(key: bytes, value: bytes, partition: int = 0, due_at: int | None = None) -> Entry:
    return Entry(key, value, partition, due_at)


def test_the_latest_value_of_every_key_is_read_back_once(topic: Topic) -> None:
    topic.write(b"a", b"1")
    topic.write(None, b"?")
    topic.write(b"b", b"2")
    topic.write(b"a", b"3")
    topic.write(b"b", None)
    states = topic.file()
    for _ in range(2):
        states.refresh()
        assert states.values([b"a", b"b", b"c"]) == {b"a": b"3"}
    assert topic.reads == [0]


def test_of_what_is_read_back_the_latest_is_looked_at_first(topic: Topic) -> None:
    """Of a month's conversations those that are open. Seen to fail in the order of keys."""
    for number in (3, 1, 2):
        topic.write(b"%d" % number, b"v")
    states = topic.file()
    states.refresh()
    assert [key for key, _ in states.due(topic.now, UNSEEN, 2)] == [b"2", b"1"]


def test_what_was_taken_back_never_was(topic: Topic) -> None:
    states = topic.file()
    states.refresh()
    states.put([entry(b"a", b"1")])
    states.keep()
    topic.write(b"a", b"1")
    states.put([entry(b"a", b"2"), entry(b"b", b"2")])
    states.take_back()
    states.refresh()
    assert states.values([b"a", b"b"]) == {b"a": b"1"}


def test_what_others_wrote_in_between_is_read_and_no_more_than_that(topic: Topic) -> None:
    topic.write(b"old", b"1")
    states = topic.file()
    states.refresh()
    first = topic.now
    topic.now += DAY_MS
    topic.write(b"new", b"2")
    states.take_back()
    states.refresh()
    assert states.values([b"old", b"new"]) == {b"old": b"1", b"new": b"2"}
    assert topic.reads == [0, first - MAX_AHEAD_MS]


def test_what_is_committed_and_not_kept_yet_is_read_back(topic: Topic) -> None:
    """A rebalance comes between a commit and the next batch."""
    states = topic.file()
    states.refresh()
    states.put([entry(b"a", b"1")])
    topic.write(b"a", b"1")
    states.take_back()
    states.refresh()
    assert states.values([b"a"]) == {b"a": b"1"}


def test_what_is_due_is_found_by_partition_and_time(topic: Topic) -> None:
    states = topic.file()
    states.put([entry(b"a", b"1", 0, 10), entry(b"b", b"2", 0, 11), entry(b"c", b"3", 1, 10), entry(b"d", b"4", 0)])
    assert states.due(10, 0, 9) == [(b"a", b"1")]
    assert states.due(99, 0, 9) == [(b"a", b"1"), (b"b", b"2")]
    assert states.due(99, 0, 1) == [(b"a", b"1")]
    states.put([entry(b"a", b"1", 0, 50), entry(b"b", b"2", 0)])
    assert states.due(49, 0, 9) == []


def test_what_was_read_back_is_due_until_somebody_has_looked_at_it(topic: Topic) -> None:
    topic.write(b"a", b"1")
    states = topic.file()
    states.refresh()
    assert states.due(0, UNSEEN, 9) == [(b"a", b"1")]
    states.put([entry(b"a", b"1", 3, None)])
    assert states.due(0, UNSEEN, 9) == []


def test_what_the_topic_keeps_no_longer_is_forgotten(topic: Topic) -> None:
    states = topic.file()
    states.put([entry(b"old", b"1"), entry(b"used", b"1")])
    topic.now += 29 * DAY_MS
    states.put([entry(b"used", b"2")])
    states.keep()
    assert states.values([b"old", b"used"]) == {b"old": b"1", b"used": b"2"}
    topic.now += 2 * DAY_MS
    states.keep()
    assert states.values([b"old", b"used"]) == {b"used": b"2"}


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sampled_from("abc"), st.integers(0, 9)),
        st.tuples(st.just("abort"), st.sampled_from("abc"), st.integers(0, 9)),
        st.tuples(st.just("other"), st.sampled_from("abc"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["rebalance", "restart"]), st.just(""), st.just(0)),
    ),
    max_size=30,
)


@given(OPERATIONS)
def test_it_is_the_topic_whatever_becomes_of_the_transactions(operations: list[tuple[str, str, int]]) -> None:
    topic = Topic()
    states = topic.file()
    for what, name, number in operations:
        topic.now += 60_000
        if what in ("commit", "abort"):
            key, value = name.encode(), b"%d" % number
            states.keep()
            states.refresh()
            states.put([entry(key, value)])
            if what == "commit":
                topic.write(key, value)
            else:
                states.take_back()
        elif what == "other":  # another worker has the partition, writes, and it comes back
            topic.write(name.encode(), b"%d" % number)
            states.take_back()
        elif what == "rebalance":
            states.take_back()
        else:
            states = topic.file()
    states.refresh()
    assert states.values([b"a", b"b", b"c"]) == {key: value for key, value, _ in topic.records}


def test_a_full_disk_is_told_in_one_line(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_file, "_TABLE", "PRAGMA max_page_count = 20;" + state_file._TABLE)
    states = topic.file()
    with pytest.raises(StateFileError, match=r"full\): is the disk full\? Make room, or set TMPDIR") as told:
        states.put([entry(b"%d" % number, bytes(4_000)) for number in range(100)])
    assert "\n" not in str(told.value)
