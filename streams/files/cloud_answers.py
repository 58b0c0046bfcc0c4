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

CloudScorer = Callable[[Sequence[Question]], Sequence[Answer | Failure]]


def cloud_scorer(settings: Settings) -> CloudScorer:
    """What asks the cloud questions: the ONNX model in this process, or the service, in batches as the workers do.

    Raises ArtifactError: the model is missing or altered.
    """
    if settings.cloud_backend == "onnx" and settings.cloud_next_config is None:
        artifact = load_artifact(settings.cloud_model)
        classifier = Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)
        spent = Spending(Prices(settings.edge_price_usd, settings.cloud_price_usd).cloud_usd, calls=1)

        def answered(questions: Sequence[Question]) -> Sequence[Answer | Failure]:
            given = classifier.score([each.text for each in questions], [each.role for each in questions])
            return [Answer((a, b, c), artifact.id, spent) for a, b, c in given.tolist()]

        return answered
    return lambda questions: _outside_a_loop(settings, questions)


def _outside_a_loop(settings: Settings, questions: Sequence[Question]) -> Sequence[Answer | Failure]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_ask(settings, questions))
    with ThreadPoolExecutor(1) as thread:  # a notebook's cells run inside a loop
        return thread.submit(asyncio.run, _ask(settings, questions)).result()


async def _ask(settings: Settings, questions: Sequence[Question]) -> list[Answer | Failure]:
    backend, _ = await start_backend(settings)
    answers: list[Answer | Failure] = []
    try:
        for start in range(0, len(questions), backend.batch):
            part = questions[start : start + backend.batch]
            answers += await backend.answer(part, settings.cloud_deadline_ms / 1000)
    finally:
        await backend.close()
    return answers
