"""`edgewise worker`: one agent in this process, or several, each in a process of its own."""

import asyncio
import logging

from models.artifact import load_artifact
from models.classifier import Classifier
from models.cloud_onnx import OnnxProcessBackend
from models.router import policy
from schemas.errors import UsageError
from streams.app import serve
from streams.cloud import CloudAgent
from streams.delivery import Agent
from streams.edge import EdgeAgent
from streams.monitor import MonitorAgent
from streams.settings import Settings

logger = logging.getLogger(__name__)

AGENTS = ("edge", "cloud", "monitor")


def run_agent(settings: Settings, name: str) -> None:
    """Runs agent `name` in this process until it is told to stop.

    Raises EdgewiseError: its model, its topics or its broker are not there, or it can't go on.
    """
    asyncio.run(_run(settings, name))


async def _run(settings: Settings, name: str) -> None:
    agent = build_agent(settings, name)
    try:
        await serve(settings, agent)
    finally:
        await agent.close()


def build_agent(settings: Settings, name: str) -> Agent:
    """The agent called `name`, with its model loaded and verified.

    Raises UsageError: there is no such agent, or its model is missing or altered.
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
        return CloudAgent(settings, backend)
    if name == "monitor":
        return MonitorAgent(settings)
    raise UsageError(f"there is no agent {name!r}: it is one of {', '.join(AGENTS)}")
