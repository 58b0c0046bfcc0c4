"""Waiting until every agent has done its input: what is under way would look lost."""

import time
from collections.abc import Callable, Collection, Mapping

from schemas.errors import EdgewiseError
from streams.agents.topology import AGENTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.lag import group_lag

# Without progress for so long, nobody works on it. A worker that starts takes up to 10 s on a busy machine; a
# transaction that a killed one left open is aborted within 12 s, and then done again.
PATIENCE_S = 30.0
_POLL_S = 0.25


class NotDrainedError(EdgewiseError):
    """Agents have input left to do, `behind` by agent, and have stopped working on it or have had their time."""

    def __init__(self, behind: Mapping[str, int], why: str) -> None:
        super().__init__(f"{describe_lag(behind)}; {why}: are they running, and has the input ended?")
        self.behind = dict(behind)


def agents_behind(cluster: Cluster, agents: Collection[str] | None = None) -> dict[str, int]:
    """The events that each of `agents` (None: of those that are verified) has yet to do.

    One that has done all is left out. The agents are asked in the order of the flow: where one has done all, nothing
    more comes to the next. Raises what `group_lag` raises.
    """
    wanted = {
        agent: spec.reads for agent, spec in AGENTS.items() if (spec.is_verified if agents is None else agent in agents)
    }
    lags = {agent: sum(group_lag(cluster, agent, reads).values()) for agent, reads in wanted.items()}
    return {agent: lag for agent, lag in lags.items() if lag}


def describe_lag(behind: Mapping[str, int]) -> str:
    """How many events the agents are behind, in words."""
    parts = ", ".join(f"{agent} {lag:,}" for agent, lag in behind.items())
    return f"agents are {sum(behind.values()):,} events behind ({parts})"


def wait_until_drained(
    settings: Settings,
    timeout_s: float | None = None,
    *,
    agents: Collection[str] | None = None,
    patience_s: float = PATIENCE_S,
    on_progress: Callable[[Mapping[str, int]], None] = lambda _behind: None,
    clock_s: Callable[[], float] = time.monotonic,
) -> None:
    """Waits until every one of `agents` (None: of those that are verified) has committed all of its input.

    With `timeout_s` (seconds) it waits for so long at most; without, for as long as the agents get on, and `patience_s`
    more. `on_progress` is called with how many events each agent is behind, several times a second.

    Raises NotDrainedError: the time is up; and what `group_lag` raises.
    """
    cluster = Cluster(settings)
    began = moved_at = clock_s()
    least: tuple[int, ...] | None = None
    while behind := agents_behind(cluster, agents):
        # In the order of the flow, for what one agent does makes more to do for the next.
        lags, now = tuple(behind.get(agent, 0) for agent in AGENTS), clock_s()
        if least is None or lags < least:
            least, moved_at = lags, now
        if timeout_s is not None and now - began >= timeout_s:
            raise NotDrainedError(behind, f"waited for {timeout_s:g} s" if timeout_s else "not waited for")
        if timeout_s is None and now - moved_at >= patience_s:
            raise NotDrainedError(behind, f"nothing was done for {patience_s:g} s")
        on_progress(behind)
        time.sleep(_POLL_S)
