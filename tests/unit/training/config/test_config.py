"""What a run's configuration may say beside its sources."""

import json
from pathlib import Path

import pytest

from training.config import config
from training.config.config import Config, ConfigError
from training.config.sources import Source
from training.measure import baseline

CONFIGS = Path(config.__file__).parents[1] / "configs"
SOURCE = '[[sources]]\nname = "a"\nrole = "domain"\ntrain = "a.csv"\n'
DOMAIN = (Source(name="a", role="domain", train=("a.csv",)),)


def test_the_folder_of_former_artifacts_has_one(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nformer = "served"\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError, match=r"own\.toml: former: .*served has no folder edge or cloud$"):
        config.read(path)
    (tmp_path / "served" / "cloud").mkdir(parents=True)
    assert config.read(path).former == (tmp_path / "served").resolve()


def test_the_baseline_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nbaseline = "before.json"\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError, match=r"own\.toml: baseline: there is no file .*before\.json$"):
        config.read(path)
    (tmp_path / "before.json").touch()
    assert config.read(path).baseline == (tmp_path / "before.json").resolve()


@pytest.mark.parametrize("version", ["2.1.0", "2.1.0-rc1", "2026-11-29", "0.0.0+1234abcd", "v3_b"])
def test_a_version_that_fits_an_id_is_taken(tmp_path: Path, version: str) -> None:
    assert Config(data=tmp_path, sources=DOMAIN, version=version).version == version
    assert Config(data=tmp_path, sources=DOMAIN).version is None


@pytest.mark.parametrize("version", ["", "2.1 beta", "edge@2", "-1", "2.1/b", "ü", "1\n", "1" * 101])
def test_a_version_that_fits_no_id_is_refused_with_what_would(tmp_path: Path, version: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nversion = {json.dumps(version)}\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError) as raised:
        config.read(path)
    assert str(raised.value).startswith(f"{path}: version: {version!r} is not a version: it is letters, digits, dots")
    assert "\n" not in str(raised.value)


def test_the_teacher_is_an_artifact_and_takes_the_place_of_others(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nteacher = "served/cloud"\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError, match=r"own\.toml: teacher: there is no artifact in .*served/cloud$"):
        config.read(path)
    (tmp_path / "served" / "cloud").mkdir(parents=True)
    (tmp_path / "served" / "cloud" / "manifest.json").touch()
    assert config.read(path).teacher == (tmp_path / "served" / "cloud").resolve()
    path.write_text(f'data = "."\nteacher = "served/cloud"\n[large]\nfolder = "x"\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError, match="give either `teacher` or `large`"):
        config.read(path)


@pytest.mark.parametrize(
    "of",
    [
        'students = ["small", "cloud"]\n[small]\ntaught_by = "cloud"\n[small.transfer]',
        'students = ["cloud", "tiny"]\n[tiny]\ntaught_by = "cloud"\n[tiny.transfer]',
    ],
)
def test_only_a_small_student_is_taught_by_the_cloud_and_after_it(tmp_path: Path, of: str) -> None:
    path = tmp_path / "own.toml"
    settings = f'data = "."\nships = {{ edge = "small", cloud = "cloud" }}\n{of}\nepochs = 1\nrate = 1e-4\n{SOURCE}'
    path.write_text(settings, "utf-8")
    with pytest.raises(ConfigError, match="only `small` is taught by `cloud`, which comes before it in `students`"):
        config.read(path)
    path.write_text(settings.replace('["small", "cloud"]', '["cloud", "small"]').replace("tiny", "small"), "utf-8")
    assert config.read(path).small.taught_by == "cloud"


def test_something_ships_as_edge_and_as_cloud(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nships = {{ edge = "small" }}\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError, match="ships: say which student ships as cloud"):
        config.read(path)
    made = 'students = ["cloud", "small"]\nships = { edge = "small", cloud = "cloud" }'
    path.write_text(f'data = "."\n{made}\n{SOURCE}', "utf-8")
    assert config.read(path).ships["edge"] == "small"


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ('students = ["cloud"]', "ships: nothing would ship as edge: make tiny one of the `students`"),
        ('students = ["tiny"]\nformer = "served"', "ships: nothing would ship as cloud: make cloud one of the"),
        ("students = []", "ships: nothing would ship as edge: .* or name a `former` folder with edge in it"),
        ('formats = { egde = "int4w" }', "formats: 'egde' does not ship; edge, cloud do"),
        ('formats = { edge-tiny = "int8" }', "formats: 'edge-tiny' does not ship; edge, cloud do"),
        ("tiny = { transfer = TWO, pruning = { heads = 1, feed_forward = 32 } }", "tiny.pruning: only `small` and `cl"),
        ("small = { transfer = TWO, pruning = { heads = 13, feed_forward = 32 } }", "small.pruning.heads: .* 12"),
        ("cloud = { transfer = TWO, pruning = { heads = 2, feed_forward = 2048 } }", "pruning.feed_forward: .* 1536"),
        (
            "cloud = { transfer = TWO, pruning = { heads = 2, feed_forward = 32, embeddings = 416 } }",
            "embeddings: .* 384",
        ),
    ],
)
def test_a_run_that_cannot_end_is_refused_before_it_begins(tmp_path: Path, of: str, says: str) -> None:
    (tmp_path / "served" / "edge").mkdir(parents=True)
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\n{of.replace("TWO", "{ epochs = 2, rate = 1e-4 }")}\n{SOURCE}', "utf-8")
    with pytest.raises(ConfigError, match=says):
        config.read(path)


def test_what_no_student_becomes_is_former(tmp_path: Path) -> None:
    for name in ("edge", "cloud"):
        (tmp_path / "served" / name).mkdir(parents=True)
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nformer = "served"\nstudents = []\nformats = {{ edge = "int8" }}\n{SOURCE}', "utf-8")
    assert config.read(path).format_of("edge") == "int8"


def test_the_shipped_configuration_says_its_version() -> None:
    assert config.read(CONFIGS / "shipped.toml").version == "2.1.0"


def test_the_shipped_models_are_measured_beside_all_that_they_learned_from() -> None:
    measured = config.read(CONFIGS / "measured.toml")
    assert list(measured.ships) == ["edge", "edge-tiny", "cloud"]
    assert measured.students == ()
    files = {file for source in measured.sources for file in source.train}
    made = [config.read(CONFIGS / name) for name in ("shipped.toml", "continued.toml", "whole.toml")]
    assert files == {file for each in made for source in each.sources for file in source.train}
    held_out = [
        [(source.name, source.dev, source.test, source.shares) for source in each.sources if sum(source.shares)]
        for each in (measured, *made)
    ]
    assert all(each == held_out[0] for each in held_out)
    alone = [[source for source in each.sources if source.role == "measured"] for each in (measured, *made[1:])]
    assert all(each == alone[0] for each in alone)


def test_the_shipped_configuration_is_judged_by_what_the_shipped_models_answered() -> None:
    assert config.read(CONFIGS / "shipped.toml").baseline == baseline.SHIPPED
