"""`edgewise worker`: one agent in this process, or several, each in a process of its own."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import NoReturn

from schemas.errors import UsageError
from streams.agents.agent import Agent, ReadBack
from streams.agents.topology import AGENT_NAMES, AGENTS
from streams.config.settings import Settings
from streams.config.tracing import traced
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.system.signals import ignore_stop_signals
from streams.worker.app import serve
from streams.worker.line import KafkaLine
from streams.worker.supervisor import JOINED, supervise


def run(settings: Settings, agents: Sequence[str], processes: int = 1, joined_fd: int | None = None) -> int:
    """Runs `agents` (none: all but optional ones; `notify` where webhooks are set) until SIGTERM or SIGINT; its code.

    One process of one agent is this process; more are processes of their own. `joined_fd` is a file descriptor: a
    supervisor's, to be told there that the one agent has joined its group.

    Raises UsageError: an agent is unknown or named twice; EdgewiseError: the one that runs here can't go on.
    """
    for name in agents:
        if name not in AGENTS:
            raise UsageError(f"there is no agent {name!r}: it is one of {', '.join(AGENTS)}")
        if agents.count(name) > 1:  # they would have one worker id, and fence each other
            raise UsageError(f"agent {name!r} is named twice: --processes says how many processes each has")
    if len(agents) == 1 and processes == 1:
        # The first process of a container has no SIGTERM that ends it unless it asks for it. What makes the agent takes
        # seconds; from then on `serve` listens.
        signal.signal(signal.SIGTERM, _end)
        asyncio.run(_run(settings, agents[0], joined_fd))
        return 0
    told = () if settings.webhooks is None else ("notify",)
    return supervise(settings, agents or (*AGENT_NAMES, *told), processes)


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)


async def _run(settings: Settings, name: str, joined_fd: int | None) -> None:
    def joined() -> None:
        if joined_fd is not None:
            os.write(joined_fd, JOINED)

    with traced(settings, name):
        agent = await build_agent(settings, name)
        try:
            await serve(settings, agent, on_joined=joined)
        finally:
            await agent.close()
            ignore_stop_signals()


def read_back_from(cluster: Cluster) -> ReadBack:
    """What reads an agent's own topic back, as far as transactions have committed it."""

    def read_back(topic: str, since_ms: int) -> Iterator[tuple[bytes | None, bytes | None]]:
        for message in read_topic(cluster, topic, since_ms=since_ms):
            yield message.key(), message.value()

    return read_back


async def build_agent(settings: Settings, name: str) -> Agent:
    """The agent called `name`, one of `AGENTS`, with its model loaded and verified.

    Raises ArtifactError: its model is missing, altered or not one that can be run; UsageError: its rules or its backend
    cannot be what the settings say; CloudError: the cloud's process does not start.
    """
    # An agent's own imports, a model's runtime among them, are made by the worker that runs it alone.
    spec, cluster = AGENTS[name], Cluster(settings)
    view = (KafkaLine(cluster, name),) if spec.watches_line else ()
    agent: Agent = await import_module(spec.module).build(settings, read_back_from(cluster), *view)
    return agent
