"""Events into `transcripts`: in order, named when the broker or Avro refuses one."""

import dataclasses

import pytest

from schemas.codec import EncodeError
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.ingest.sender import SendError, TranscriptSender
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from tests.events import TRANSCRIPT


@pytest.fixture
def cluster(settings: Settings) -> Cluster:
    create(settings)
    return Cluster(settings)


def test_events_arrive_in_order_with_their_key_and_headers(cluster: Cluster) -> None:
    delivered: list[int] = []
    sender = TranscriptSender(cluster, delivered.append)
    events = [dataclasses.replace(TRANSCRIPT, event_id=f"e{i}", turn=i) for i in range(250)]
    for event in events:
        sender.send(event, place="a test", headers=[("from", b"here")])
    sender.finish()
    messages = list(read_topic(cluster, TRANSCRIPTS))
    decode = codec(cluster.settings, TRANSCRIPTS).decode
    assert [decode(message.value()) for message in messages] == events
    assert {message.key() for message in messages} == {TRANSCRIPT.conversation_id.encode()}
    assert {tuple(message.headers() or ()) for message in messages} == {(("from", b"here"),)}
    assert (sender.sent, sender.delivered, delivered[-1]) == (250, 250, 250)
    assert delivered == sorted(delivered)


@pytest.mark.kafka
def test_what_the_broker_refuses_is_named_by_its_place(cluster: Cluster) -> None:
    """The embedded broker takes records of any size."""
    sender = TranscriptSender(cluster)
    sender.send(TRANSCRIPT, place="call.json, turn 1")
    noise = "".join(chr(0x4E00 + i * 7919 % 20_000) for i in range(500_000))  # hardly to be compressed
    sender.send(dataclasses.replace(TRANSCRIPT, text=noise), place="call.json, turn 2")
    with pytest.raises(SendError, match=r"^call\.json, turn 2: the broker did not take it: ") as refused:
        sender.finish()
    assert noise[:10] not in str(refused.value)
    assert sender.delivered == 1


def test_what_avro_cannot_hold_is_not_sent(cluster: Cluster) -> None:
    sender = TranscriptSender(cluster)
    with pytest.raises(EncodeError):
        sender.send(dataclasses.replace(TRANSCRIPT, text="\ud83d"), place="a test")
    sender.finish()
    assert sender.sent == 0


def test_events_that_are_not_taken_in_time_are_counted(cluster: Cluster) -> None:
    sender = TranscriptSender(cluster)
    sender.send(TRANSCRIPT, place="a test")
    with pytest.raises(SendError, match=r"did not take 1 events within 0 s"):
        sender.finish(0)
