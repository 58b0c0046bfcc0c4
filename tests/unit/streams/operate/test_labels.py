"""Labels into their topic with the answers of their events, and out of it again."""

from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.errors import UsageError
from schemas.records import PersonLabel, RoutingEvent
from schemas.topics import LABELS, ROUTING_EVENTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.given_labels import GivenLabel
from streams.kafka.client import Cluster
from streams.kafka.messages import message_key, message_value
from streams.kafka.reader import read_topic
from streams.operate.labels import LabelError, bring_labels, read_labels
from streams.operate.topics import create
from tests.decisions import EDGE_ANSWER, NOW, cloud_answer


def given(event_id: str, label: Any = "neutral", conversation_id: str = "c1") -> GivenLabel:
    return GivenLabel(event_id, conversation_id, label, NOW, "ann", "october.csv")


def audit(settings: Settings, *events: RoutingEvent | bytes, key: bytes = b"c1") -> None:
    encode, producer = codec(settings, ROUTING_EVENTS).encode, Cluster(settings).producer()
    for event in events:
        value = event if isinstance(event, bytes) else encode(event)
        producer.produce(settings.topic(ROUTING_EVENTS), value, key, 0)
    assert producer.flush(30) == 0


def sent(settings: Settings) -> list[tuple[bytes | None, PersonLabel]]:
    decode = codec(settings, LABELS).decode
    return [(message_key(each), decode(message_value(each))) for each in read_topic(Cluster(settings), LABELS)]


def test_a_label_goes_with_the_last_answer_of_its_event(settings: Settings) -> None:
    create(settings)
    deferred = cloud_answer(event_id="e2", stage="decided", route="cloud", role="customer")
    answered = cloud_answer(event_id="e2", cloud_label="negative", cloud_confidence=0.8, role="customer")
    audit(settings, EDGE_ANSWER, b"\x00", deferred, replace(answered, cloud_label="positive"), answered)
    audit(settings, replace(EDGE_ANSWER, event_id="e3", scored=False), replace(EDGE_ANSWER, conversation_id="other"))
    brought = bring_labels(settings, [given("e1"), given("e2"), given("e3"), given("e2", "negative")])
    assert (brought.labels, brought.events, brought.answered) == (4, 3, 2)
    [(key, first), (_, second), (_, third), (_, fourth)] = sent(settings)
    assert key == b"c1"
    assert (first.answer_label, first.route, first.model) == ("neutral", "edge", "edge@1")
    assert (first.labeller, first.source, first.labelled_at, first.answered_at) == ("ann", "october.csv", NOW, NOW)
    assert (second.label, second.answer_label, second.answer_confidence) == ("neutral", "negative", 0.8)
    assert (second.route, second.role, second.model) == ("cloud", "customer", "cloud@1")
    assert (third.answer_label, third.answered_at, third.route) == (None, None, None)
    assert (fourth.label, fourth.answer_label) == ("negative", "negative")


def test_the_same_file_may_be_brought_again(settings: Settings) -> None:
    create(settings)
    audit(settings, EDGE_ANSWER)
    for _ in range(2):
        bring_labels(settings, [given("e1", "positive")])
    assert read_labels(settings).accuracy(0).total == (0, 1)
    bring_labels(settings, [given("e1", "neutral")])
    assert read_labels(settings).accuracy(0).total == (1, 1)


def test_labels_of_no_event_that_is_known_are_refused(settings: Settings) -> None:
    create(settings)
    audit(settings, EDGE_ANSWER)
    for wrong in (given("e2"), given("e1", conversation_id="c2")):
        with pytest.raises(UsageError, match="holds an answer for none of the 1 labelled events: are their ids those"):
            bring_labels(settings, [wrong])
    assert sent(settings) == []


def test_without_the_topic_there_are_no_labels_and_none_are_taken(settings: Settings) -> None:
    assert read_labels(settings).accuracy(0).total == (0, 0)
    with pytest.raises(UsageError, match=r"labels does not exist at .*: create the topics"):
        bring_labels(settings, [given("e1")])


class Refusing:
    """Stands in for a producer: of two labels the broker refuses the second."""

    def __init__(self) -> None:
        self._told: list[Any] = []

    def produce(self, _topic: str, _value: bytes, _key: bytes, *, on_delivery: Any) -> None:
        self._told.append(on_delivery)

    def flush(self, _timeout_s: float) -> int:
        for told, error in zip(self._told, (None, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), strict=True):
            told(error, None)
        return 0


def test_what_the_broker_does_not_take_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    create(settings)
    audit(settings, EDGE_ANSWER)
    monkeypatch.setattr(Cluster, "producer", lambda _: Refusing())
    with pytest.raises(LabelError, match=r"did not take 1 of 2 labels: .*; bring the same file again"):
        bring_labels(settings, [given("e1"), given("e1", "negative")])
