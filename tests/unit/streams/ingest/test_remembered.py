"""What is remembered of events that came in, and for how long."""

import tracemalloc

from streams.ingest.remembered import DIGEST_BYTES, Remembered, digest

HOUR = 3_600_000


def test_ids_are_told_apart_by_both() -> None:
    digests = {digest(*pair) for pair in (("a", "bc"), ("ab", "c"), ("a", "b"), ("", "abc"))}
    assert len(digests) == 4
    assert {len(each) for each in digests} == {DIGEST_BYTES}


def of(number: int) -> bytes:
    return digest("c", str(number))


def test_a_digest_is_kept_for_the_span_and_then_forgotten() -> None:
    remembered = Remembered(8 * HOUR)
    for hour in range(30):
        remembered.add([of(hour)], hour * HOUR)
        for kept in range(max(0, hour - 8), hour + 1):
            assert of(kept) in remembered
        assert len(remembered) <= 10
    assert of(0) not in remembered


def test_a_time_before_the_last_one_is_kept_too() -> None:
    remembered = Remembered(8 * HOUR)
    remembered.add([of(1)], 20 * HOUR)
    remembered.add([of(2)], 19 * HOUR)
    assert of(2) in remembered
    assert of(1) in remembered


def test_many_are_told_from_those_that_never_came() -> None:
    remembered = Remembered(8 * HOUR)
    for hour in range(5):
        remembered.add(map(of, range(1_000 * hour, 1_000 * (hour + 1))), hour * HOUR)
    assert len(remembered) == 5_000
    assert all(of(number) in remembered for number in range(5_000))
    assert not any(of(number) in remembered for number in range(5_000, 10_000))


def test_what_is_not_of_the_last_step_takes_little_more_than_its_bytes() -> None:
    """Seen to fail with a set a step: a hundred bytes each."""
    remembered = Remembered(8 * HOUR)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        remembered.add(map(of, range(50_000)), 0)
        remembered.add([of(-1)], 2 * HOUR)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken < 1.5 * DIGEST_BYTES * 50_000
