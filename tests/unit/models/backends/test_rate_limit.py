"""What services say of their limits, in the forms in which they say it."""

import pytest

from models.backends.rate_limit import LONGEST_S, RateLimit, parse_duration_s, retry_after_s

WALL_S = 1_790_000_000.0  # 2026-09-21T14:13:20Z


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def limit(clock: Clock, concurrency: int = 8) -> RateLimit:
    return RateLimit(concurrency, clock, lambda: WALL_S)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("12", 12.0),
        ("2026-09-21T14:13:50Z", 30.0),
        ("2026-09-21T14:13:20+00:00", 0.0),
        ("soon", None),
        ("6m0s!", None),
        ("", None),
        ("nan", None),
        ("-3", 0.0),
    ],
)
def test_a_reset_in_every_form(value: str, seconds: float | None) -> None:
    assert parse_duration_s(value, WALL_S) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Mon, 21 Sep 2026 14:14:20 GMT"}, 60.0),
        ({"retry-after": "Mon, 21 Sep 2020 14:14:20 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "later"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, WALL_S) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"},
        {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2s"},
        {
            "anthropic-ratelimit-output-tokens-remaining": "0",
            "anthropic-ratelimit-output-tokens-reset": "2026-09-21T14:13:22Z",
        },
    ],
)
def test_with_nothing_left_no_call_is_made_before_the_reset(headers: dict[str, str]) -> None:
    clock = Clock()
    limited = limit(clock)
    limited.observe(headers)
    assert limited.delay_s() == pytest.approx(2)
    clock.now += 2
    assert limited.delay_s() == 0


def test_few_requests_left_are_spread_until_the_reset() -> None:
    clock = Clock()
    limited = limit(clock)
    limited.observe({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "8s"})
    delays = []
    for _ in range(4):
        delays.append(limited.delay_s())
        clock.now += limited.delay_s()
        limited.take()
    assert delays == [0, 2, 2, 2]
    clock.now = 109
    limited.take()
    assert limited.delay_s() == 0, "the reset has come"


def test_many_left_slow_nothing_down() -> None:
    limited = limit(Clock())
    limited.observe({"x-ratelimit-remaining-requests": "900", "x-ratelimit-reset-requests": "1m0s"})
    limited.take()
    assert limited.delay_s() == 0


@pytest.mark.parametrize(("remaining", "reset", "delay_s"), [("9999", "6ms", 0), ("1", "4s", 2)])
def test_newer_news_replaces_older(remaining: str, reset: str, delay_s: float) -> None:
    limited = limit(Clock())
    limited.observe({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "60s"})
    limited.take()
    limited.observe({"x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": reset})
    assert limited.delay_s() == delay_s
    limited.take()
    assert limited.delay_s() == delay_s


@pytest.mark.parametrize("reset", ["9" * 12 + "h", "9" * 400 + "h"])
def test_few_left_until_a_reset_that_never_comes_are_spread_over_the_longest_pause(reset: str) -> None:
    limited = limit(Clock())
    limited.observe({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": reset})
    limited.take()
    assert limited.delay_s() == LONGEST_S / 2


def test_headers_that_make_no_sense_are_passed_over_and_a_pause_has_an_end() -> None:
    limited = limit(Clock())
    limited.observe({"x-ratelimit-remaining-requests": "none", "x-ratelimit-reset-requests": "1s"})
    limited.observe({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "tomorrow"})
    assert limited.delay_s() == 0
    limited.pause(1e30)
    assert limited.delay_s() == LONGEST_S
