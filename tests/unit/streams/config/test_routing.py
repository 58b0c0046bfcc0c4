"""The policy that settings name: a preset or a file, with the settings' numbers in place of its own."""

from pathlib import Path

import pytest

from models.artifact import load_artifact
from models.policy_file import PolicyError
from schemas.errors import UsageError
from streams.config.loading import load_settings
from streams.config.routing import build_router

MINE = 'format = 1\nname = "mine"\nconfidence_threshold = 0.7\ncomplexity_threshold = 0.8\nrandom_cloud_rate = 0.1\n'


@pytest.mark.parametrize(("preset", "rate"), [("default", 0.02), ("article", 0.05)])
def test_a_preset(preset: str, rate: float) -> None:
    edge = load_artifact("edge")
    router = build_router(load_settings(environ={"EDGEWISE_ROUTER": preset}), edge)
    assert (router.id, router.random_cloud_rate) == (f"{preset}@1", rate)


def test_a_file_and_a_setting_over_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, "utf-8")
    environ = {"EDGEWISE_ROUTER": str(path), "EDGEWISE_CONFIDENCE_THRESHOLD": "0.9"}
    router = build_router(load_settings(environ=environ), load_artifact("edge"))
    numbers = router.confidence_threshold, router.complexity_threshold, router.random_cloud_rate
    assert numbers == (0.9, 0.8, 0.1)
    assert router.id.startswith("mine@")
    assert router.id.endswith("+confidence=0.9")


def test_what_is_neither_is_refused_before_anything_starts() -> None:
    with pytest.raises(UsageError, match=r"router .* 'defualt': allowed is default, article, or a file that ends in"):
        load_settings(environ={"EDGEWISE_ROUTER": "defualt"})


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.toml can't be read"):
        build_router(load_settings(environ={"EDGEWISE_ROUTER": "nowhere.toml"}), load_artifact("edge"))
