"""The edge model that a worker scores with, and the one that takes its place while the worker runs."""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from models.admission import Admission
from models.artifact import load_artifact
from models.classifier import Classifier
from models.pointer import Stamp, is_pointed_at, read_pointer, stamp
from models.router import Router
from schemas.errors import EdgewiseError
from streams.agents import metrics
from streams.config.admission import build_admission
from streams.config.routing import build_router
from streams.config.settings import Settings
from streams.system.threads import in_daemon_thread

logger = logging.getLogger(__name__)

# A version that was refused is tried again so often: on a network's file system the pointer may be seen before the
# files that it names.
RETRY_S: Final = 10.0


class EdgeModel(NamedTuple):
    """What a batch is scored and routed with; it changes as a whole, between two batches."""

    classifier: Classifier
    router: Router
    admission: Admission


def load_edge_model(settings: Settings, name_or_folder: str) -> EdgeModel:
    """The model with the policy of `settings` for it.

    Raises ArtifactError: it cannot be run; UsageError: the policy cannot be used with it.
    """
    artifact = load_artifact(name_or_folder)
    router = build_router(settings, artifact)
    classifier = Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)
    return EdgeModel(classifier, router, build_admission(settings, artifact.languages))


class PromotedModels:
    """What `edgewise models promote` puts in force in the folder of versions that `settings.edge_model` names.

    A version that cannot be used is refused: the former one goes on, the log says why, and `edgewise_model_refused` is
    1 until what the pointer names runs.
    """

    def __init__(self, settings: Settings, agent: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._agent = agent
        self._folder = Path(settings.edge_model)
        self._clock_s = clock_s
        self._seen: Stamp | None = None
        self._again_s: float | None = None  # when what was refused is tried again
        self._why = ""

    def first(self) -> EdgeModel:
        """The model to begin with: the one in force, or, where that cannot be used, the one before it.

        Raises what `load_edge_model` raises for the one in force: there is no other that can be used.
        """
        self._seen = stamp(self._folder)
        try:
            model = load_edge_model(self._settings, str(self._folder))
        except EdgewiseError as error:
            former = self._former()
            if former is None:
                raise
            self._refuse(error, former.classifier.id)
            return former
        self._accept()
        return model

    async def newer(self, running: str) -> EdgeModel | None:
        """The model that has come in force since the last call; None: it is still `running` (`name@version`)."""
        seen = stamp(self._folder)
        if seen == self._seen and (self._again_s is None or self._clock_s() < self._again_s):
            return None
        self._seen = seen
        try:
            # In a thread: a stop signal must not wait for it.
            model = await in_daemon_thread(partial(load_edge_model, self._settings, str(self._folder)))
        except (EdgewiseError, OSError) as error:
            self._refuse(error, running)
            return None
        self._accept()
        if model.classifier.id == running:  # promoted and rolled back since
            return None
        logger.info("%s: %s is in force, after %s", self._agent, model.classifier.id, running)
        return model

    def _former(self) -> EdgeModel | None:
        try:
            pointer = read_pointer(self._folder)
            return load_edge_model(self._settings, str(self._folder / pointer.former[-1])) if pointer.former else None
        except EdgewiseError:
            return None

    def _refuse(self, error: Exception, running: str) -> None:
        self._again_s = self._clock_s() + RETRY_S
        metrics.MODEL_REFUSED.labels(self._agent).set(1)
        if self._why != str(error):
            self._why = str(error)
            logger.error("%s: %s goes on, what was promoted is refused: %s", self._agent, running, error)

    def _accept(self) -> None:
        self._again_s, self._why = None, ""
        metrics.MODEL_REFUSED.labels(self._agent).set(0)


def promoted_models(settings: Settings, agent: str) -> PromotedModels | None:
    """What watches `settings.edge_model`, where that is a folder of versions; None: it names one model for good.

    Raises PointerError: it may not be entered, or cannot be the name of a folder.
    """
    return PromotedModels(settings, agent) if is_pointed_at(Path(settings.edge_model)) else None
