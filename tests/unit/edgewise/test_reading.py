"""`edgewise.events`: the records of a topic, and what is left out or refused."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

import edgewise
from schemas.topics import SENTIMENT, TOPICS
from streams.config.settings import Settings
from tests.produced import produce, sentiment
from tests.schema_records import EXAMPLES


@pytest.mark.parametrize("topic", list(TOPICS))
def test_events_are_the_records_of_a_topic(line: Settings, topic: str) -> None:
    produce(line, TOPICS[topic], EXAMPLES[topic])
    assert list(edgewise.events(topic)) == [EXAMPLES[topic]]


def test_what_cannot_be_decoded_is_left_out_and_told(line: Settings, caplog: pytest.LogCaptureFixture) -> None:
    produce(line, SENTIMENT, sentiment(1), b"the customer's own words", sentiment(2))
    assert [event.event_id for event in edgewise.events("sentiment")] == ["e1", "e2"]
    (record,) = caplog.records
    assert "sentiment, partition 0, offset 1 is left out: " in record.getMessage()
    assert "customer" not in record.getMessage()


def test_events_since_a_time(line: Settings) -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for hours in range(3):
        produce(line, SENTIMENT, sentiment(hours), at=noon + timedelta(hours=hours))
    later = [event.event_id for event in edgewise.events("sentiment", since=noon + timedelta(hours=1))]
    assert later == ["e1", "e2"]
    assert [e.event_id for e in edgewise.events("sentiment", since=datetime(2026, 1, 31, 13))] == later  # noqa: DTZ001
    assert list(edgewise.events("sentiment", since=noon + timedelta(days=1))) == []


def test_following_goes_on_with_what_comes_later(line: Settings) -> None:
    produce(line, SENTIMENT, sentiment(1))
    following = edgewise.events("sentiment", follow=True)
    assert next(following).event_id == "e1"
    produce(line, SENTIMENT, sentiment(2), sentiment(3))
    assert [event.event_id for event in islice(following, 2)] == ["e2", "e3"]


@pytest.mark.parametrize(
    ("topic", "since", "says"),
    [
        ("sentiments", None, "topic 'sentiments' is not one of Edgewise's: transcripts, sentiment, "),
        ("dead-letters", None, "dead-letters holds bytes, not records: `edgewise dead-letters`"),
        ("sentiment", "yesterday", "since is of type str: give a datetime"),
    ],
)
def test_what_events_cannot_give_is_told_at_the_call(topic: str, since: Any, says: str) -> None:
    with pytest.raises(edgewise.UsageError) as raised:
        edgewise.events(topic, since=since)
    assert says in str(raised.value)
