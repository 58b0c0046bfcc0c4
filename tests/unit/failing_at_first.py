"""A consumer whose requests fail the first time, as they do when a connection breaks or a coordinator moves."""

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition


class FailsAtFirst(Consumer):
    """Each kind of request fails once."""

    def __init__(self, configuration: dict[str, object]) -> None:
        super().__init__(configuration)
        self.failed: set[str] = set()

    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        """As the consumer's own."""
        self._fail_once("committed", KafkaError.NOT_COORDINATOR)
        return super().committed(partitions, timeout=timeout)

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """As the consumer's own."""
        if not cached:
            self._fail_once("get_watermark_offsets")
        return super().get_watermark_offsets(partition, timeout=timeout, cached=cached)

    def offsets_for_times(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        """As the consumer's own."""
        self._fail_once("offsets_for_times")
        return super().offsets_for_times(partitions, timeout=timeout)

    def _fail_once(self, what: str, code: int = KafkaError._TRANSPORT) -> None:
        if what not in self.failed:
            self.failed.add(what)
            raise KafkaException(KafkaError(code))
