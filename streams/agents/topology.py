"""Who reads and writes which topic: the one table that the worker, rights, `verify`, `topics` and the docs go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from schemas.topics import (
    ALERTS,
    BUDGET,
    CLOUD_INFERENCE,
    CONVERSATIONS,
    DEAD_LETTERS,
    MONITORING,
    NOTIFICATIONS,
    ROUTING_EVENTS,
    SENTIMENT,
    SHADOW,
    TRANSCRIPTS,
    Topic,
)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent's place in the flow. Its module has a coroutine `build(settings, read_back)` that makes it."""

    name: str
    module: str
    reads: Topic[Any]  # by its consumer group
    writes: tuple[str, ...]
    reads_back: tuple[str, ...] = ()  # of what it writes, after a restart: its state
    optional: bool = False  # it runs where it is asked for by name, and nothing waits for it


# In the order of the flow: when one has caught up, nothing more comes to the next but what is already there.
_SPECS: Final = (
    AgentSpec(
        "edge",
        "streams.agents.edge",
        reads=TRANSCRIPTS,
        writes=(SENTIMENT, CLOUD_INFERENCE, ROUTING_EVENTS, DEAD_LETTERS),
    ),
    AgentSpec(
        "cloud",
        "streams.agents.cloud",
        reads=CLOUD_INFERENCE,
        writes=(SENTIMENT, ROUTING_EVENTS, BUDGET, DEAD_LETTERS),
        reads_back=(BUDGET,),
    ),
    AgentSpec(
        "monitor",
        "streams.agents.monitor",
        reads=ROUTING_EVENTS,
        writes=(MONITORING, DEAD_LETTERS),
        reads_back=(MONITORING,),
    ),
    AgentSpec(
        "conversation",
        "streams.agents.conversation",
        reads=SENTIMENT,
        writes=(CONVERSATIONS, ALERTS, DEAD_LETTERS),
        reads_back=(CONVERSATIONS,),
    ),
    AgentSpec(
        "notify",
        "streams.agents.notify",
        reads=ALERTS,
        writes=(NOTIFICATIONS, DEAD_LETTERS),
        reads_back=(NOTIFICATIONS,),
        optional=True,
    ),
    AgentSpec("shadow", "streams.agents.shadow", reads=TRANSCRIPTS, writes=(SHADOW,), optional=True),
)

AGENTS: Final[Mapping[str, AgentSpec]] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every agent by name, in the order of the flow."""

AGENT_NAMES: Final = tuple(spec.name for spec in _SPECS if not spec.optional)
