"""A consumer whose requests fail the first time, as they do when a connection breaks or a coordinator moves."""

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

# What librdkafka was seen to fail with while a proxy cut its connections.
CUT = (KafkaError._TRANSPORT, KafkaError._UNKNOWN_PARTITION, KafkaError._DESTROY_BROKER)


class FailsAtFirst(Consumer):
    """Each kind of request fails once in each way."""

    def __init__(self, configuration: dict[str, object]) -> None:
        super().__init__(configuration)
        self.failed: set[tuple[str, int]] = set()

    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        """As the consumer's own."""
        self._fail("committed", [*CUT, KafkaError.NOT_COORDINATOR])
        return super().committed(partitions, timeout=timeout)

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """As the consumer's own."""
        if not cached:
            self._fail("get_watermark_offsets")
        return super().get_watermark_offsets(partition, timeout=timeout, cached=cached)

    def offsets_for_times(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        """As the consumer's own."""
        self._fail("offsets_for_times")
        return super().offsets_for_times(partitions, timeout=timeout)

    def _fail(self, what: str, codes: Sequence[int] = CUT) -> None:
        for code in codes:
            if (what, code) not in self.failed:
                self.failed.add((what, code))
                raise KafkaException(KafkaError(code))
