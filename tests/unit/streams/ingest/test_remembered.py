"""What is remembered of events that came in, and for how long."""

from streams.ingest.remembered import DIGEST_BYTES, Remembered, digest

HOUR = 3_600_000


def test_ids_are_told_apart_by_both() -> None:
    digests = {digest(*pair) for pair in (("a", "bc"), ("ab", "c"), ("a", "b"), ("", "abc"))}
    assert len(digests) == 4
    assert {len(each) for each in digests} == {DIGEST_BYTES}


def test_a_digest_is_kept_for_the_span_and_then_forgotten() -> None:
    remembered = Remembered(8 * HOUR)
    for hour in range(30):
        remembered.add([b"%d" % hour], hour * HOUR)
        for kept in range(max(0, hour - 8), hour + 1):
            assert b"%d" % kept in remembered
        assert len(remembered) <= 10
    assert b"0" not in remembered


def test_a_time_before_the_last_one_is_kept_too() -> None:
    remembered = Remembered(8 * HOUR)
    remembered.add([b"now"], 20 * HOUR)
    remembered.add([b"late"], 19 * HOUR)
    assert b"late" in remembered
    assert b"now" in remembered
