"""Where a group goes on, of partitions that answer and one that does not."""

from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.kafka.client import Cluster
from streams.worker.positions import stable_offsets


class Consumer:
    """Its second partition's leader fails with `code`."""

    def __init__(self, code: int) -> None:
        self.code = code

    def committed(self, asked: list[TopicPartition], **_: object) -> list[TopicPartition]:
        return [TopicPartition(each.topic, each.partition, 7) for each in asked]

    def get_watermark_offsets(self, place: TopicPartition, **_: object) -> tuple[int, int]:
        if place.partition == 1:
            raise KafkaException(KafkaError(self.code, "why"))
        return 0, 9

    def close(self) -> None:
        pass


def offsets(code: int) -> dict[int, int]:
    cluster = cast(Cluster, SimpleNamespace(group_consumer=lambda *_: Consumer(code)))
    return stable_offsets(cluster, "edgewise-edge", "transcripts", {0, 1, 2})


def test_a_partition_whose_leader_is_away_is_left_out() -> None:
    """Seen to fail with its error raised: the other partitions' positions were not known either."""
    assert offsets(KafkaError._TIMED_OUT) == {0: 7, 2: 7}


def test_what_does_not_pass_is_raised() -> None:
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        offsets(KafkaError.TOPIC_AUTHORIZATION_FAILED)
