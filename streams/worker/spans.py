"""The spans of a batch, where records of it belong to traces that are recorded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from streams.agents.agent import KafkaRecord
from streams.system.trace_context import NO_SPAN, Attributes, Span
from streams.system.tracing import begin, step, within


class Outcome:
    """What became of a batch."""

    committed = False


@contextmanager
def batch_spans(agent: str, group: str, records: Sequence[KafkaRecord]) -> Iterator[Outcome]:
    """Spans of `records` while `agent` is at them: what comes of each bears the context of its span.

    A batch is done for all its records at once. The span of that stands in the trace of the first of them that is
    recorded, and steps are parts of it; the spans of the other records link to it. Names and attributes are those of
    OpenTelemetry's conventions for messaging: https://opentelemetry.io/docs/specs/semconv/messaging/.
    """
    outcome = Outcome()
    traced = [record for record in records if record.span.is_sampled]
    if not traced:
        yield outcome
        return
    first, *others = traced
    first.span = _begin(first, group)
    try:
        count: Attributes = {"messaging.system": "kafka", "messaging.batch.message_count": len(records)}
        with within(first.span), step(f"batch {agent}", count) as batch:
            for record in others:
                record.span = _begin(record, group, batch)
            yield outcome
    finally:
        for record in traced:
            record.span.end("" if outcome.committed else "aborted")


def _begin(record: KafkaRecord, group: str, batch: Span = NO_SPAN) -> Span:
    attributes: Attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.consumer.group.name": group,
    }
    return begin(f"process {record.topic}", "consumer", record.span, attributes, batch)
