"""The circuit breaker, by a clock of its own."""

from models.backends.circuit_breaker import FAILURES, FIRST_PAUSE_S, LAST_PAUSE_S, CircuitBreaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed("down")
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(3 * FAILURES):
        for _ in range(FAILURES - 1):
            breaker.failed("down")
        breaker.succeeded()
    assert breaker.admits()
    breaker = opened(clock)
    assert not breaker.admits()
    assert breaker.why == "down"


def test_it_admits_one_probe_whose_success_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = FIRST_PAUSE_S
    assert breaker.admits()
    assert not breaker.admits(), "one probe at a time"
    breaker.succeeded()
    assert breaker.admits()
    assert breaker.admits()


def test_each_failed_probe_doubles_the_pause_up_to_the_last() -> None:
    clock = Clock()
    breaker = opened(clock)
    pause_s = FIRST_PAUSE_S
    for _ in range(10):
        clock.now += pause_s - 0.01
        assert not breaker.admits()
        clock.now += 0.02
        assert breaker.admits()
        breaker.failed("down")
        pause_s = min(2 * pause_s, LAST_PAUSE_S)


def test_what_a_person_must_mend_opens_it_at_once_for_the_longest_pause() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    breaker.failed("no key", at_once=True)
    clock.now = LAST_PAUSE_S - 0.01
    assert not breaker.admits()
    clock.now = LAST_PAUSE_S
    assert breaker.admits()


def test_an_abandoned_probe_leaves_the_next_call_to_be_one() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = FIRST_PAUSE_S
    assert breaker.admits()
    breaker.abandoned()
    assert breaker.admits()
