"""The cloud's answers outside any stream, by the backend that the settings choose."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from models.artifact import load_artifact
from models.classifier import Classifier
from models.cloud import Answer, Failure, Question
from models.pricing import Prices
from models.spending import Spending
from streams.config.backends import start_backend
from streams.config.settings import Settings

CloudScorer = Callable[[Sequence[str]], Sequence[Answer | Failure]]


def cloud_scorer(settings: Settings) -> CloudScorer:
    """What asks the cloud about texts: the ONNX model in this process, or the service, in batches as the workers do.

    Raises ArtifactError: the model is missing or altered.
    """
    if settings.cloud_backend == "onnx" and settings.cloud_next_config is None:
        artifact = load_artifact(settings.cloud_model)
        classifier = Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)
        spent = Spending(Prices(settings.edge_price_usd, settings.cloud_price_usd).cloud_usd, calls=1)
        return lambda texts: [Answer((a, b, c), artifact.id, spent) for a, b, c in classifier.score(texts).tolist()]
    return lambda texts: _outside_a_loop(settings, texts)


def _outside_a_loop(settings: Settings, texts: Sequence[str]) -> Sequence[Answer | Failure]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_ask(settings, texts))
    with ThreadPoolExecutor(1) as thread:  # a notebook's cells run inside a loop
        return thread.submit(asyncio.run, _ask(settings, texts)).result()


async def _ask(settings: Settings, texts: Sequence[str]) -> list[Answer | Failure]:
    backend, _ = await start_backend(settings)
    answers: list[Answer | Failure] = []
    try:
        for start in range(0, len(texts), backend.batch):
            part = [Question(text) for text in texts[start : start + backend.batch]]
            answers += await backend.answer(part, settings.cloud_deadline_ms / 1000)
    finally:
        await backend.close()
    return answers
