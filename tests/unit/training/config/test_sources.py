"""What a configuration says of its sources: what makes no sense is refused, and what would is told."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.unit.training.own_data import numbered, write_csv
from training.config import config
from training.config.config import Config, ConfigError, Teacher
from training.config.sources import CorpusError, Source
from training.data import corpus

CONFIGS = Path(corpus.__file__).parents[1] / "configs"


def test_the_example_of_ones_own_transcripts_works_as_it_stands(tmp_path: Path) -> None:
    lines = (CONFIGS / "own.example.toml").read_text("utf-8")
    assert len([line for line in lines.splitlines() if line and not line.startswith("#")]) == 6
    (tmp_path / "own.toml").write_text(lines, "utf-8")
    rows = [{"text": row["text"], "sentiment": row["label"]} for row in numbered(300)]
    write_csv(tmp_path / "data" / "transcripts.csv", rows)
    loaded = corpus.load(config.read(tmp_path / "own.toml"))
    assert (loaded.name, loaded.general_name, loaded.unlabelled, loaded.calls) == ("ours", "", [], [])
    # A tenth of 300, give or take three standard deviations of 5.
    assert 15 <= len(loaded.domain_dev) <= 45
    assert 15 <= len(loaded.domain_test) <= 45
    assert len(loaded.trained_on) + len(loaded.measured_on) == 300


def test_what_the_example_speaks_of_exists() -> None:
    lines = (CONFIGS / "own.example.toml").read_text("utf-8").splitlines()
    keys = {line[2:].split(" ", 1)[0] for line in lines if line.startswith("# ") and line[2:].split(" ")[1:2] == ["="]}
    assert {"text", "id", "labels", "agreement", "dev", "test", "dev_share", "test_share", "speakers", "turns"} <= keys
    assert keys <= {*Source.model_fields, "former", "teacher", "version", *Teacher.model_fields}
    assert {"former", "version", "large"} <= set(Config.model_fields)


def domain(name: str) -> str:
    return f'[[sources]]\nname = "{name}"\nrole = "domain"\ntrain = "a.csv"\n'


SOURCE_ERRORS = {
    "exactly one source has the role domain; these are: a, b": domain("a") + domain("b"),
    "exactly one source has the role domain; none is: list at least one": domain("a").replace("domain", "unlabelled"),
    "at most one source has the role general; these are: b, c": domain("a")
    + (domain("b") + domain("c")).replace("domain", "general"),
    "two sources are called a": domain("a") + domain("a").replace("domain", "unlabelled"),
    "a: give the files in `train`": domain("a").replace("train", "dev"),
    "dev, dev_share and sample_share are the domain's; this is unlabelled": domain("a").replace("domain", "unlabelled")
    + "sample_share = 0.1\n",
    "unlabelled text has no test and no test_share": domain("a").replace("domain", "unlabelled") + "test_share = 0.1\n",
    "extra text has no test and no test_share": domain("a").replace("domain", "extra") + "test_share = 0.1\n",
    "a: `generate` is for an extra or measured source, in place of its files": domain("a") + "generate = 5\n",
    "b: `generate` is for an extra or measured source, in place of its files": domain("a")
    + domain("b").replace("domain", "extra")
    + "generate = 5\n",
    "generate: Input should be greater than or equal to 1": domain("a").replace("domain", "extra") + "generate = 0\n",
    "b: text that is measured has `test` or `generate`, and no `train`": domain("a")
    + domain("b").replace("domain", "measured"),
    "a: always, matching, without and other_labels are for extra and measured text": domain("a") + 'matching = "x"\n',
    "a: a weight is for extra, general or measured text; this is domain": domain("a") + "weight = 0.5\n",
    "a: give either `labels` or the label that rows have `always`": domain("a").replace("domain", "extra")
    + 'always = "neutral"\nlabels = { x = "neutral" }\n',
    "'(' is no regular expression": domain("a").replace("domain", "extra") + 'without = "("\n',
    "a: give either `dev` or `dev_share`": domain("a") + 'dev = "b.csv"\ndev_share = 0.1\n',
    "a: the shares held out leave nothing to train on": domain("a") + "dev_share = 0.5\ntest_share = 0.5\n",
    "a: nothing to test on: give `test` or a `test_share` above 0": domain("a") + "test_share = 0.0\n",
    "a: nothing to choose on: give `dev` or a `dev_share` above 0": domain("a") + "dev_share = 0.0\n",
    "Input should be 'negative', 'neutral' or 'positive'": domain("a") + 'labels = { angry = "bad" }\n',
    "Extra inputs are not permitted": domain("a") + 'column = "text"\n',
}


@pytest.mark.parametrize("error", SOURCE_ERRORS)
def test_sources_that_make_no_sense_are_refused_with_what_would(tmp_path: Path, error: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text('data = "."\n' + SOURCE_ERRORS[error], "utf-8")
    with pytest.raises(ConfigError) as raised:
        config.read(path)
    assert error in str(raised.value)
    assert str(path) in str(raised.value)


def test_without_sources_one_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r'no sources: list at least one, such as: \[\[sources\]\] name = "ours"'):
        corpus.load(Config(data=tmp_path))
    with pytest.raises(ValidationError, match="no sources"):
        Config(data=tmp_path, sources=())


def test_the_shipped_sources_name_their_licence_and_origin() -> None:
    shipped = config.read(CONFIGS / "shipped.toml")
    assert [source.role for source in shipped.sources[:2]] == ["domain", "general"]
    assert all(source.licence and source.origin for source in shipped.sources)
