"""How fast an artifact is: measured in processes of their own, wherever one happens to be."""

from pathlib import Path

import pytest

from tests.tiny_artifact import tiny_artifact
from training.measure import speed


def test_no_module_of_the_current_folder_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy", "statistics", "tokenizers"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "artifact.py").write_text("raise SystemExit(9)")
    folder = tiny_artifact(tmp_path / "made")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speed, "THREADS", (1,))
    (measured,) = speed.measure([folder.relative_to(tmp_path)], ["the bus is awful", "great crew"], repetitions=1)
    assert measured["latency_ms"]["threads_1"]["p50"]["value"] > 0
    assert measured["peak_memory_mib"] > 10
