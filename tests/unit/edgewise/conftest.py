"""Small models and a line of its own, named by the environment as they are to people's programs."""

from pathlib import Path

import pytest

from streams.config.settings import Settings
from streams.operate.topics import create
from tests.tiny_artifact import tiny_artifact


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Small models, which the settings name; the cloud knows a word that the edge does not."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        edge_model=str(tiny_artifact(tmp_path / "made", "edge")),
        cloud_model=str(tiny_artifact(tmp_path / "made", "cloud", {"meh": -1}, version="3.0.0")),
        confidence_threshold=0.8,
        random_cloud_rate=0.0,
    )
    for name in ("edge_model", "cloud_model", "confidence_threshold", "random_cloud_rate"):
        monkeypatch.setenv(f"EDGEWISE_{name.upper()}", str(getattr(settings, name)))
    return settings


@pytest.fixture
def line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    create(settings)
    return settings
