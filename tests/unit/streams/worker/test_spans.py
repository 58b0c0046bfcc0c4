"""Where the spans of a batch stand, and that what comes of a record bears the context of its span."""

import pytest

from streams.agents.agent import KafkaRecord
from streams.system.tracing import step, tracing
from streams.worker.spans import batch_spans
from tests.spans import Received, collector

TRACES = [f"{number:032x}" for number in (1, 2, 3, 4)]
SPAN = "b7ad6b7169203331"


def record(number: int, flags: str = "01") -> KafkaRecord:
    parent = f"00-{TRACES[number]}-{SPAN}-{flags}".encode()
    return KafkaRecord("transcripts", 3, number, 0, b"call-7", b"my card", (("traceparent", parent),))


def spans(records: list[KafkaRecord], *, committed: bool = True) -> dict[str, list[Received]]:
    with collector() as receiver:
        making = tracing(receiver.url, 1.0, {"service.name": "edgewise-edge"})
        with making, batch_spans("edge", "edgewise-edge", records) as outcome, step("process", {}):
            outcome.committed = committed
        return receiver.wait_for({"process transcripts": sum(each.span.is_sampled for each in records)})


def test_each_record_has_a_span_in_its_own_trace() -> None:
    records = [record(0, "00"), record(1), record(2), KafkaRecord("transcripts", 3, 9, 0, None, b"")]
    sent = spans(records)

    assert sent.keys() == {"process transcripts", "batch edge", "process"}
    [batch] = sent["batch edge"]
    first, other = sorted(sent["process transcripts"], key=lambda span: span.trace)
    assert [first.trace, other.trace] == TRACES[1:3]
    assert {first.parent, other.parent} == {SPAN}
    assert (batch.trace, batch.parent) == (first.trace, first.span)
    assert sent["process"][0].parent == batch.span
    assert (first.links, other.links) == ([], [batch.span])
    assert batch.attributes["messaging.batch.message_count"] == 4
    assert first.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "transcripts",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 1,
        "messaging.consumer.group.name": "edgewise-edge",
    }
    assert records[1].span.headers == (("traceparent", f"00-{TRACES[1]}-{first.span}-01".encode()),)
    assert records[0].span.headers == records[0].headers, "carried on as it came"
    assert records[3].span.headers == ()


def test_the_record_itself_stays_as_it_was_read() -> None:
    read = record(1)
    spans([read])
    assert read.headers == record(1).headers, "what becomes of it as a dead letter"


@pytest.mark.parametrize("committed", [True, False])
def test_the_spans_of_an_aborted_batch_say_so(committed: bool) -> None:
    [span] = spans([record(1)], committed=committed)["process transcripts"]
    assert span.failed is not committed


def test_without_the_setting_contexts_are_carried_as_they_came() -> None:
    read = record(1)
    with batch_spans("edge", "edgewise-edge", [read]):
        assert read.span.headers == read.headers
