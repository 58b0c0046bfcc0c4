"""A worker stops when most of what it reads is poison."""

import pytest

from schemas.topics import TRANSCRIPTS
from streams.agents.agent import KafkaRecord
from streams.agents.dead_letter_limit import DeadLetterLimit, TooManyDeadLettersError
from streams.agents.decoding import Decoder
from streams.config.settings import Settings


def test_a_share_over_the_limit_stops_the_worker() -> None:
    limit = DeadLetterLimit(0.5)
    limit.check("edge", 600, 300)
    limit.check("edge", 400, 200)
    with pytest.raises(TooManyDeadLettersError, match=r"edge: 701 of the last 1,200 records .* limit of 50%"):
        limit.check("edge", 200, 201)


def test_a_few_records_say_nothing_yet() -> None:
    DeadLetterLimit(0.5).check("edge", 999, 999)


def test_a_first_batch_of_nothing_but_poison_stops_it_at_once() -> None:
    with pytest.raises(TooManyDeadLettersError):
        DeadLetterLimit(0.5).check("edge", 1000, 1000)


def test_what_is_long_past_is_forgotten() -> None:
    limit = DeadLetterLimit(0.5)
    limit.check("edge", 999, 999)
    for _ in range(10):
        limit.check("edge", 1000, 0)
    limit.check("edge", 500, 500)
    with pytest.raises(TooManyDeadLettersError):
        limit.check("edge", 500, 500)


def test_a_limit_of_one_never_stops_it() -> None:
    limit = DeadLetterLimit(1.0)
    for _ in range(5):
        limit.check("edge", 1000, 1000)


def test_what_comes_again_after_an_abort_counts_once() -> None:
    """Seen to fail where each time counts."""
    decoder = Decoder(Settings(dead_letter_limit=0.5), "edge", TRANSCRIPTS)
    for first in (0, 400):
        records = [KafkaRecord("transcripts", 1, first + at, 0, b"k", b"poison") for at in range(400)]
        for _ in range(4):
            assert len(decoder.decode_all(records).letters) == 400
    with pytest.raises(TooManyDeadLettersError, match="1,000 of the last 1,000 records"):
        decoder.decode_all([KafkaRecord("transcripts", 1, 800 + at, 0, b"k", b"poison") for at in range(200)])
