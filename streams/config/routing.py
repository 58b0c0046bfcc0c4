"""The routing policy that the settings choose."""

from typing import get_args

from models.artifact import Artifact
from models.policy_file import load_policy
from models.router import Policy, Preset, policy
from streams.config.settings import Settings


def build_router(settings: Settings, edge: Artifact) -> Policy:
    """The policy for events that `edge` scores: a preset or a file, with the settings' numbers in place of its own.

    Raises UsageError: a preset has no threshold; PolicyError: the file is no policy, or one for another edge model.
    """
    for preset in get_args(Preset):
        if settings.router == preset:
            return policy(
                preset,
                calibrated_threshold=edge.confidence_threshold,
                confidence_threshold=settings.confidence_threshold,
                complexity_threshold=settings.complexity_threshold,
                random_cloud_rate=settings.random_cloud_rate,
            )
    return load_policy(settings.router, edge.id).changed(
        confidence_threshold=settings.confidence_threshold,
        complexity_threshold=settings.complexity_threshold,
        random_cloud_rate=settings.random_cloud_rate,
    )
