"""`edgewise worker`: one agent in this process, or several, each in a process of its own."""

import asyncio
import os
from collections.abc import Sequence

from models.artifact import load_artifact
from models.classifier import Classifier
from models.cloud_onnx import OnnxProcessBackend
from models.router import policy
from schemas.errors import UsageError
from streams.agents.cloud import CloudAgent
from streams.agents.edge import EdgeAgent
from streams.agents.monitor import MonitorAgent
from streams.config.settings import Settings
from streams.system.signals import ignore_stop_signals
from streams.worker.app import serve
from streams.worker.supervisor import JOINED, supervise

AGENTS = ("edge", "cloud", "monitor")


def run(settings: Settings, agents: Sequence[str], processes: int = 1, joined_fd: int | None = None) -> int:
    """Runs `agents` (none: all) until SIGTERM or SIGINT; the exit code.

    One process of one agent is this process; more are processes of their own. `joined_fd` is a file descriptor: a
    supervisor's, to be told there that the one agent has joined its group.

    Raises UsageError for an unknown agent; EdgewiseError when the one that runs here can't go on.
    """
    for name in agents:
        if name not in AGENTS:
            raise UsageError(f"there is no agent {name!r}: it is one of {', '.join(AGENTS)}")
    if len(agents) == 1 and processes == 1:
        asyncio.run(_run(settings, agents[0], joined_fd))
        return 0
    return supervise(settings, agents or AGENTS, processes)


async def _run(settings: Settings, name: str, joined_fd: int | None) -> None:
    def joined() -> None:
        if joined_fd is not None:
            os.write(joined_fd, JOINED)

    agent = await build_agent(settings, name)
    try:
        await serve(settings, agent, model=agent.model, on_joined=joined)
    finally:
        await agent.close()
        ignore_stop_signals()


async def build_agent(settings: Settings, name: str) -> EdgeAgent | CloudAgent | MonitorAgent:
    """The agent called `name`, one of `AGENTS`, with its model loaded and verified.

    Raises ArtifactError: its model is missing, altered or not one that can be run; CloudError: the cloud's process does
    not start.
    """
    if name == "edge":
        artifact = load_artifact(settings.edge_model)
        classifier = Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)
        routing = policy(
            settings.router,
            calibrated_threshold=artifact.confidence_threshold,
            confidence_threshold=settings.confidence_threshold,
            complexity_threshold=settings.complexity_threshold,
            random_cloud_rate=settings.random_cloud_rate,
        )
        return EdgeAgent(settings, classifier, routing)
    if name == "cloud":
        backend = OnnxProcessBackend(
            load_artifact(settings.cloud_model), threads=settings.model_threads, token_budget=settings.token_budget
        )
        await backend.start()  # now, rather than within the first batch's deadline
        return CloudAgent(settings, backend)
    return MonitorAgent(settings)
