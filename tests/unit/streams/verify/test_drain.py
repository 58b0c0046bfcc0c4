from collections.abc import Iterator, Mapping

import pytest

from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.verify import drain
from streams.verify.drain import NotDrainedError, agents_behind, wait_until_drained

SETTINGS = Settings()


@pytest.fixture
def lags(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, int]]:
    """The lags that the agents will be found with, one after the other; the last one for ever."""
    coming: list[Mapping[str, int]] = []

    def group_lag(_cluster: Cluster, agent: str, _topic: str) -> dict[int, int]:
        now = coming[0]
        if agent == "monitor" and len(coming) > 1:
            del coming[0]
        return {0: now.get(agent, 0), 1: 0}

    monkeypatch.setattr(drain, "group_lag", group_lag)
    monkeypatch.setattr(drain, "_POLL_S", 0)
    return coming


def ticking(step_s: float = 1.0) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step_s


def test_it_waits_for_as_long_as_the_agents_get_on(lags: list[Mapping[str, int]]) -> None:
    lags += [{"edge": 100 - i // 9} for i in range(900)]  # one event in nine seconds, for a quarter of an hour
    lags += [{"cloud": 300}, {"cloud": 299, "monitor": 1}]  # what one does makes more to do for the next
    lags += [{"cloud": 299, "monitor": 100}] * 8 + [{"monitor": 9_000}, {"monitor": 2}, {}]
    seen: list[Mapping[str, int]] = []
    wait_until_drained(SETTINGS, patience_s=10, on_progress=seen.append, clock_s=ticking().__next__)
    assert len(seen) == 912
    assert seen[-1] == {"monitor": 2}


def test_it_gives_up_when_nothing_moves(lags: list[Mapping[str, int]]) -> None:
    lags += [{"edge": 1_200, "monitor": 34}]
    clock = ticking()
    with pytest.raises(NotDrainedError) as behind:
        wait_until_drained(SETTINGS, patience_s=10, clock_s=clock.__next__)
    assert next(clock) == 12  # asked at the start and then each second
    assert str(behind.value).startswith(
        "agents are 1,234 events behind (edge 1,200, monitor 34); nothing was done for 10"
    )
    assert behind.value.behind == {"edge": 1_200, "monitor": 34}


def test_input_that_grows_as_fast_as_it_is_done_is_no_progress(lags: list[Mapping[str, int]]) -> None:
    lags += [{"edge": 100 + i % 2} for i in range(40)]
    clock = ticking()
    with pytest.raises(NotDrainedError):
        wait_until_drained(SETTINGS, patience_s=10, clock_s=clock.__next__)
    assert next(clock) == 12


def test_a_time_that_is_given_counts_alone(lags: list[Mapping[str, int]]) -> None:
    lags += [{"edge": 5}] * 50 + [{}]
    wait_until_drained(SETTINGS, 60, patience_s=10, clock_s=ticking().__next__)
    lags[:] = [{"edge": 500 - i} for i in range(200)]
    with pytest.raises(NotDrainedError, match="waited for 60 s"):
        wait_until_drained(SETTINGS, 60, patience_s=10, clock_s=ticking().__next__)


def test_who_has_done_all_is_not_behind(lags: list[Mapping[str, int]]) -> None:
    lags += [{"edge": 0, "cloud": 7}, {}]
    assert agents_behind(Cluster(SETTINGS)) == {"cloud": 7}
    assert agents_behind(Cluster(SETTINGS)) == {}
