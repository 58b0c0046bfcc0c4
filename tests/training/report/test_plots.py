"""The pictures of a report, and the whole of it in a folder."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from tests.unit.training.made_up_run import made_up_run
from training.report import aims, plots, report, sections

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def collected(tmp_path: Path) -> dict[str, Any]:
    return report.collect(made_up_run(tmp_path / "run"))


def drawn(collected: dict[str, Any], folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    return {name: (folder / name).read_bytes() for name in plots.draw(collected, folder)}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("drawn")
    return drawn(report.collect(made_up_run(folder / "run")), folder / "pictures")


def test_every_picture_is_a_small_png_and_the_same_for_the_same_figures(
    tmp_path: Path, collected: dict[str, Any], once: dict[str, bytes]
) -> None:
    again = drawn(collected, tmp_path / "again")
    assert list(once) == list(sections.PICTURES)
    assert all(picture.startswith(PNG) and 5_000 < len(picture) < 60_000 for picture in once.values())
    assert once == again


@pytest.mark.parametrize(
    ("picture", "path"),
    [
        ("confusion.png", ("evaluation", "artifacts", "edge", "sets", "airline_test", "confusion", 0, 0)),
        ("reliability.png", ("calibration", "edge", "test", "reliability_before", 3, "accuracy")),
        ("size.png", ("compress", "rows", 1, "bytes")),
        ("latency.png", ("compress", "rows", 1, "latency_ms", "threads_1", "by_tokens", "24", "value")),
        ("deferral.png", ("evaluation", "deferral", "airline_test", "uncertain_interval", 5, 1)),
        ("learning.png", ("epochs", 2, "accuracy", 1)),
    ],
)
def test_a_picture_shows_the_figures(
    tmp_path: Path, collected: dict[str, Any], once: dict[str, bytes], picture: str, path: tuple[str | int, ...]
) -> None:
    at: Any = collected
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] *= 2
    after = drawn(collected, tmp_path / "after")
    assert [name for name in once if once[name] != after[name]] == [picture]


def test_what_was_not_measured_is_not_drawn(tmp_path: Path, collected: dict[str, Any]) -> None:
    del collected["evaluation"]["deferral"]
    assert "deferral.png" not in drawn(collected, tmp_path / "pictures")


def test_a_run_gets_its_report_and_each_artifact_its_card(tmp_path: Path) -> None:
    run = made_up_run(tmp_path / "run")
    out = report.run(run, aimed=aims.read(aims.SHIPPED))
    assert out == run / "report"
    assert {path.name for path in out.iterdir()} == {"report.json", "report.md", *sections.PICTURES}
    written = json.loads((out / "report.json").read_text("utf-8"))
    assert written == report.collect(run, aims.read(aims.SHIPPED))
    assert (out / "report.md").read_text("utf-8") == sections.page(written, list(sections.PICTURES))
    for name in ("edge", "cloud"):
        assert f"# Model card: {name}@2.0.0" in (run / "ship" / name / "CARD.md").read_text("utf-8")


def test_another_folder_can_be_named(tmp_path: Path) -> None:
    run = made_up_run(tmp_path / "run")
    assert (report.run(run, tmp_path / "results") / "report.md").is_file()
    assert not (run / "report").exists()
