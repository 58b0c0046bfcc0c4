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
    LABELS,
    MONITORING,
    NOTIFICATIONS,
    ROUTING_EVENTS,
    SENTIMENT,
    SHADOW,
    SILENCES,
    TRANSCRIPTS,
    Topic,
)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent's place in the flow. Its module has a coroutine `build(settings, read_back)` that makes it.

    Where it `watches_line`, `build` takes a `LineView` as its third argument.
    """

    name: str
    module: str
    reads: Topic[Any]  # by its consumer group
    writes: tuple[str, ...]
    reads_back: tuple[str, ...] = ()  # to their ends: its own state, after a restart, and what others say
    watches_line: bool = False
    is_verified: bool = True
    """Whether `edgewise verify` recounts what it writes, and so waits for it."""
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
        "health",
        "streams.agents.health",
        reads=MONITORING,
        writes=(ALERTS, DEAD_LETTERS),
        reads_back=(ALERTS, SILENCES, LABELS, DEAD_LETTERS),
        watches_line=True,
        is_verified=False,
    ),
    AgentSpec(
        "notify",
        "streams.agents.notify",
        reads=ALERTS,
        writes=(NOTIFICATIONS, DEAD_LETTERS),
        reads_back=(NOTIFICATIONS, SILENCES),
        optional=True,
        is_verified=False,
    ),
    AgentSpec("shadow", "streams.agents.shadow", reads=TRANSCRIPTS, writes=(SHADOW,), optional=True, is_verified=False),
)

AGENTS: Final[Mapping[str, AgentSpec]] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every agent by name, in the order of the flow."""

AGENT_NAMES: Final = tuple(spec.name for spec in _SPECS if not spec.optional)

VERIFIED_AGENTS: Final = tuple(name for name, spec in AGENTS.items() if spec.is_verified)
