"""Chunks, their labels, and the metadata that fences them."""

import importlib.metadata
from collections.abc import Sequence
from typing import cast

import confluent_kafka
import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from streams.transport import Consumer, Record, Transport, UntestedVersionError, group_metadata

ZERO = TP("transcripts", 0)


def records(offsets: Sequence[int]) -> list[Record]:
    return [
        cast(Record, ConsumerRecord("transcripts", 0, offset, 0, 0, None, b"", None, 0, 0, ())) for offset in offsets
    ]


@pytest.fixture
def consumer() -> Consumer:
    consumer = object.__new__(Consumer)  # without a broker, an app and a thread: only the labels are at stake
    consumer.chunk_records = 3
    consumer.seeks = 0
    consumer._fetched = {}
    return consumer


def spans(consumer: Consumer, offsets: Sequence[int]) -> list[tuple[int, int, int]]:
    return [(c.start, c.end, len(c.records)) for c in consumer._chunks(ZERO, records(offsets), 1)]


def test_a_fetch_is_cut_into_chunks_that_continue_each_other(consumer: Consumer) -> None:
    consumer._fetched[ZERO] = 10
    assert spans(consumer, range(10, 18)) == [(10, 13, 3), (13, 16, 3), (16, 18, 2)]
    assert spans(consumer, [18]) == [(18, 19, 1)]


def test_offsets_with_gaps_still_continue(consumer: Consumer) -> None:
    """Transaction markers and compaction leave gaps: a run starts where the one before it ended."""
    consumer._fetched[ZERO] = 10
    assert spans(consumer, [12, 13, 17, 20]) == [(10, 18, 3), (18, 21, 1)]


def test_a_fetch_from_before_the_known_position_is_labelled_as_what_it_is(consumer: Consumer) -> None:
    consumer._fetched[ZERO] = 100
    assert spans(consumer, [40, 41]) == [(40, 42, 2)]


def test_group_metadata_is_laid_out_as_librdkafka_does() -> None:
    peer = confluent_kafka.Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "edgewise-edge", "log_level": 0})
    try:
        assert group_metadata("edgewise-edge", -1, "") == peer.consumer_group_metadata()
    finally:
        peer.close()


def test_group_metadata_holds_generation_and_member() -> None:
    assert group_metadata("g", 258, "m-1") == b"CGMDv2:\x02\x01\x00\x00g\x00m-1\x00\x01"


def test_an_untested_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = object.__new__(Transport)
    transport.check_versions()
    monkeypatch.setattr("streams.transport.version", lambda _package: "99.0")
    with pytest.raises(UntestedVersionError, match=r"aiokafka 99\.0 is installed.*0\.14\.0"):
        transport.check_versions()
    assert importlib.metadata.version("aiokafka") == "0.14.0"
