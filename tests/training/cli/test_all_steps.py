"""`edgewise train all` on a handful of made-up texts and networks of 32 dimensions: what each step leaves behind."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer
from transformers import BertConfig, BertForMaskedLM
from typer.testing import CliRunner, Result

from models.artifact import ArtifactError, load_artifact
from models.classifier import Classifier
from tests.training.tiny_networks import examples, mpnet, tokenizer
from training import cli
from training.artifacts import manifest, ship
from training.config.config import read
from training.data import corpus
from training.learn import bases, network
from training.learn.run import RunError
from training.measure.baseline import FallError

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning", "ignore::UserWarning"),
]

CONFIG = """
data = "data"
seeds = 1
vocabulary = 200
students = ["cloud", "small", "tiny"]
general = { epochs = 1, rate = 0.003 }
domain = { epochs = 2, rate = 0.003 }
adapt = { epochs = 1, rate = 0.003 }
cloud = { transfer = { epochs = 1, rate = 0.003 }, domain = { epochs = 1, rate = 0.003 } }
small = { transfer = { epochs = 1, rate = 0.003 }, domain = { epochs = 1, rate = 0.003 } }
tiny = { transfer = { epochs = 1, rate = 0.003 }, domain = { epochs = 1, rate = 0.003 } }
large = { folder = "mpnet", general = { epochs = 1, rate = 0.003 }, domain = { epochs = 1, rate = 0.003 } }

[[sources]]
name = "ours"
role = "domain"
train = "ours.csv"

[[sources]]
name = "tweets"
role = "general"
train = "tweets.csv"
test_share = 0.2

[[sources]]
name = "turns"
role = "unlabelled"
train = "turns.csv"
"""


def tiny_base(base: bases.Base, texts: list[str], size: int) -> tuple[BertForMaskedLM, Tokenizer]:
    assert texts
    assert size == 200
    torch.manual_seed(1)
    made = tokenizer()
    config = BertConfig(
        vocab_size=made.get_vocab_size(),
        hidden_size=64,
        num_hidden_layers=2 if base is bases.TINY else 6,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )
    return BertForMaskedLM(config), made


def write(path: Path, rows: list[tuple[str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label"), *rows])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("train")
    (made / "data").mkdir()
    mpnet(made / "data" / "mpnet")
    (made / "own.toml").write_text(CONFIG, "utf-8")
    names = ("negative", "neutral", "positive")
    # A number makes each text another, else repeated ones would be left out.
    rows = [(row.id, f"{row.text} {row.id}", names[row.label]) for row in examples(400)]
    write(made / "data" / "ours.csv", rows[:250])
    write(made / "data" / "tweets.csv", rows[250:350])
    write(made / "data" / "turns.csv", [(row[0], row[1], "") for row in rows[350:]])
    return made


def train(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, out: Path | None = None) -> Result:
    monkeypatch.setattr(bases, "load", tiny_base)
    options = ["--config", str(folder / "own.toml"), "--out", str(out or folder / "run"), "--threads", "1"]
    return CliRunner().invoke(cli.app, [*arguments, *options], catch_exceptions=False)


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        result = train(folder, monkeypatch, "all")
    assert result.exit_code == 0, result.output
    return folder / "run"


def test_every_step_leaves_what_the_next_one_needs(run: Path) -> None:
    files = {"corpus", "ablations", "compress", "calibration", "long_text", "evaluation", "environment", "config"}
    files |= {"larger"}
    assert {path.stem for path in run.glob("*.json")} == files
    kinds = {
        "general",
        "large-general",
        "large-1",
        "tiny-adapted",
        "tiny-1",
        "small-1",
        "cloud-1",
        "tiny-transfer-1",
    }
    assert kinds <= (made := {path.name for path in (run / "models").iterdir()})
    assert "teacher-1" not in made
    assert not list((run / "models").glob("*.checkpoint"))
    assert (run / "report" / "report.md").is_file()
    log = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    assert kinds - {"general"} <= {entry["model"] for entry in log}
    environment = json.loads((run / "environment.json").read_text("utf-8"))
    assert len(environment) == 1  # all of it on one machine
    assert environment[0]["libraries"]["torch"] == torch.__version__


def given(run: Path, model: str, rows: int) -> Any:
    """The answers of a `model` that the run keeps, to the one set that has so many `rows`."""
    (found,) = [each for path in (run / "answers").glob(f"{model}_*.pt") if len(each := torch.load(path)) == rows]
    return found


def test_the_larger_base_teaches_alone_and_is_measured_as_a_cloud_that_does_not_ship(folder: Path, run: Path) -> None:
    data = corpus.load(read(folder / "own.toml"))
    assert {path.name.rpartition("_")[0] for path in (run / "answers").iterdir()} == {"large-1", "large-general"}
    model, pieces = network.load(run / "models" / "large-1")
    for split in (data.domain_train, data.unlabelled):
        texts = [each if isinstance(each, str) else each.text for each in split]
        expected = network.predict(model, network.encode(pieces, texts))
        assert torch.allclose(given(run, "large-1", len(texts)), expected, atol=1e-5)
    larger = json.loads((run / "larger.json").read_text("utf-8"))
    artifact = load_artifact(str(run / "larger" / "cloud"))
    assert larger["artifacts"]["cloud"]["id"] == artifact.id
    assert artifact.manifest.base == bases.MPNET
    right = larger["artifacts"]["cloud"]["sets"]["ours_test"]["accuracy"]
    texts = [each.text for each in data.domain_test]
    hits = Classifier(artifact).score(texts).argmax(axis=1) == [each.label for each in data.domain_test]
    assert right == pytest.approx(hits.mean())
    found = json.loads((run / "evaluation.json").read_text("utf-8"))
    assert set(found["seeds"]) == {"cloud", "small", "edge", "large"}
    assert found["seeds"]["large"]["ours_test_accuracy"] == pytest.approx([right])
    assert "## What would a larger cloud give?" in (run / "report" / "report.md").read_text("utf-8")


def test_a_worker_loads_what_ships(run: Path) -> None:
    for name in ("edge", "cloud"):
        artifact = load_artifact(str(run / "ship" / name))
        assert artifact.id == f"{name}@0.0.0+{manifest.sha256(artifact.model_path)[:8]}"
        assert artifact.manifest.metrics["ours_test"]["rows"] > 0
        assert (artifact.confidence_threshold is None) == (name == "cloud")
        assert Classifier(artifact).score(["awful gate", "love"]).shape == (2, 3)
        assert "ours" in (run / "ship" / name / "CARD.md").read_text("utf-8")


def test_a_run_that_is_worse_than_its_baseline_fails_after_its_report(
    folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "run"
    shutil.copytree(run, ours)
    shutil.rmtree(ours / "report")
    found = json.loads((ours / "evaluation.json").read_text("utf-8"))
    assert found["behaviour"]["falls"] == []
    for model in found["behaviour"]["models"].values():
        for kind in model["kinds"].values():
            kind["wrong"] = []
    (tmp_path / "perfect.json").write_text(json.dumps(found["behaviour"]), "utf-8")
    (folder / "own.toml").write_text(f'baseline = "{tmp_path / "perfect.json"}"\ncompared = []\n{CONFIG}', "utf-8")
    try:
        for step in ("evaluate", "all"):
            with pytest.raises(FallError, match="worse than the baseline on the behaviour suite: edge: "):
                train(folder, monkeypatch, step, out=ours)
            assert (ours / "report" / "report.md").is_file() == (step == "all")
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")
    assert "**Worse than the baseline:**" in (ours / "report" / "report.md").read_text("utf-8")


def test_a_former_artifact_serves_on_unless_a_new_one_is_better(
    folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "run"
    shutil.copytree(run, ours)
    shutil.copytree(run / "ship" / "edge", tmp_path / "former" / "edge")
    manifest.update(tmp_path / "former" / "edge", version="1.9.0")
    changed = f'version = "2.0.0"\ncompared = []\nformer = "{tmp_path / "former"}"\n{CONFIG}'
    (folder / "own.toml").write_text(changed, "utf-8")
    try:
        for step in ("compress", "calibrate", "evaluate", "report"):
            assert train(folder, monkeypatch, step, out=ours).exit_code == 0
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")
    ships = json.loads((ours / "compress.json").read_text("utf-8"))["ships"]
    assert ships == {"edge": "edge-former/int8s", "cloud": "cloud-1/int8s"}
    assert load_artifact(str(ours / "ship" / "edge")).id == "edge@1.9.0"
    assert load_artifact(str(ours / "ship" / "cloud")).id == "cloud@2.0.0"
    page = (ours / "report" / "report.md").read_text("utf-8")
    assert "edge-former, int8s (**ships as edge**)" in page
    assert "new tiny, int8s (does not ship)" in page
    assert {"new tiny", "cloud"} <= json.loads((ours / "evaluation.json").read_text("utf-8"))["seeds"].keys()
    rows = [
        {"model": model, "format": "int8s", "dev": {"accuracy": accuracy, "macro_f1": 0.7}}
        for model, accuracy in (
            ("tiny-1", 0.81),
            ("tiny-2", 0.83),
            ("edge-former", 0.82),
            ("edge-tiny-former", 0.9),
            ("small-1", 0.9),
        )
    ]
    assert ship.best(rows, "edge", "tiny", "int8s") == "tiny-2"
    assert ship.best(rows, "edge-tiny", "tiny", "int8s") == "edge-tiny-former"


def test_a_former_artifact_teaches_a_student_cut_from_its_network(
    folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, source in (("cloud", "cloud"), ("edge-tiny", "edge")):
        shutil.copytree(run / "ship" / source, tmp_path / "former" / name)
        manifest.update(tmp_path / "former" / name, name=name, version="1.9.0")
    changed = (
        f'compared = ["int8w"]\nformer = "{tmp_path / "former"}"\nteacher = "{tmp_path / "former" / "cloud"}"\n'
        'ships = { edge = "small", edge-tiny = "tiny", cloud = "cloud" }\n'
        + re.sub("(?m)^large = .*$", "", CONFIG)
        .replace('["cloud", "small", "tiny"]', '["small"]')
        .replace("small = { ", "small = { pruning = { heads = 1, feed_forward = 32, embeddings = 32 }, ")
        + '\n[[sources]]\nname = "made"\nrole = "extra"\ngenerate = 60\n'
    )
    (folder / "own.toml").write_text(changed, "utf-8")
    try:
        assert train(folder, monkeypatch, "all", out=tmp_path / "run").exit_code == 0
        (tmp_path / "former" / "cloud" / "tokenizer.json").unlink()
        with pytest.raises(ArtifactError, match=r"tokenizer\.json"):
            train(folder, monkeypatch, "distill", out=tmp_path / "run")
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")
    assert {path.name for path in (tmp_path / "run" / "models").iterdir()} == {"general", "small-transfer-1", "small-1"}
    assert {path.name for path in (tmp_path / "run" / "artifacts" / "small-1").iterdir()} == {"fp32", "int8s", "int8w"}
    ships = json.loads((tmp_path / "run" / "compress.json").read_text("utf-8"))["ships"]
    assert ships["edge-tiny"] == "edge-tiny-former/int8s"
    assert ships["cloud"] == "cloud-former/int8s"
    edge = load_artifact(str(tmp_path / "run" / "ship" / "edge")).manifest
    assert edge.training["source"] == "small-1/int8s, taught by cloud@1.9.0"
    assert {each["name"]: each["rows"] for each in edge.training["data"]}["made"] == 60  # type: ignore[attr-defined]
    texts = [each.text for each in corpus.load(read(folder / "own.toml")).domain_train]
    lessons = given(tmp_path / "run", "general", len(texts))
    teacher = load_artifact(str(run / "ship" / "cloud"))
    assert torch.allclose(
        (lessons / teacher.temperature).softmax(-1), torch.from_numpy(Classifier(teacher).score(texts)), atol=1e-4
    )
    assert (tmp_path / "run" / "ship" / "edge-tiny" / "CARD.md").is_file()


def test_a_run_without_students_measures_what_is_in_service(
    folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = CONFIG.replace('students = ["cloud", "small", "tiny"]', f'students = []\nformer = "{run / "ship"}"')
    (folder / "own.toml").write_text(changed, "utf-8")
    ours = tmp_path / "run"
    try:
        result = train(folder, monkeypatch, "all", out=ours)
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")
    assert result.exit_code == 0, result.output
    assert not (ours / "models").exists()
    for name in ("edge", "cloud"):
        assert load_artifact(str(ours / "ship" / name)).id == load_artifact(str(run / "ship" / name)).id
        assert manifest.sha256(ours / "ship" / name / "model.onnx") == manifest.sha256(
            run / "ship" / name / "model.onnx"
        )
    found = json.loads((ours / "evaluation.json").read_text("utf-8"))
    assert found["deferral"]["teacher"] == load_artifact(str(run / "ship" / "cloud")).id
    assert found["seeds"] == {}
    assert "(**ships as edge**)" in (ours / "report" / "report.md").read_text("utf-8")


def test_the_domain_alone_is_enough(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = CONFIG[: CONFIG.index('[[sources]]\nname = "tweets"')].replace(
        '["cloud", "small", "tiny"]', '["cloud", "tiny"]'
    )
    own = re.sub("(?m)^large = .*$", 'compared = ["int8s"]', own.replace("seeds = 1", "seeds = 2"))
    (folder / "own.toml").write_text(own.replace("tiny = { ", "tiny = { transfers = 1, "), "utf-8")
    try:
        result = train(folder, monkeypatch, "all", out=tmp_path / "run")
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "run" / "models" / "tiny-transfer-2").exists()
    assert {"teacher-1", "teacher-2"} <= {path.name for path in (tmp_path / "run" / "models").iterdir()}
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text("utf-8"))
    alone = [
        json.loads((tmp_path / "run" / "seeds" / str(number) / "evaluation.json").read_text("utf-8"))
        for number in (1, 2)
    ]
    assert len(found["seeds"]["teacher"]["ours_test_accuracy"]) == 2
    for name, kind in (("edge", "tiny"), ("cloud", "cloud")):
        accuracies = [each["artifacts"][name]["sets"]["ours_test"]["accuracy"] for each in alone]
        assert found["seeds"][name]["ours_test_accuracy"] == accuracies
        assert found["artifacts"][name]["sets"]["ours_test"]["accuracy"] in accuracies
        for number in (1, 2):
            seed = tmp_path / "run" / "seeds" / str(number) / name
            source = tmp_path / "run" / "artifacts" / f"{kind}-{number}" / "int8s"
            assert manifest.sha256(seed / "model.onnx") == manifest.sha256(source / "model.onnx")
            assert load_artifact(str(seed)).temperature != load_artifact(str(source)).temperature
    ablations = json.loads((tmp_path / "run" / "ablations.json").read_text("utf-8"))
    assert {tuple(each) for each in ablations} == {("what", "dev", "dev_f1")}
    assert all(len(each["dev"]) == 2 for each in ablations)
    assert "general set: macro recall" not in (tmp_path / "run" / "report" / "report.md").read_text("utf-8")


def test_what_ships_has_the_version_that_the_configuration_says(
    folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "run"
    shutil.copytree(run, ours)
    (folder / "own.toml").write_text(f'version = "3.1.0"\ncompared = []\n{CONFIG}', "utf-8")
    try:
        assert train(folder, monkeypatch, "compress", out=ours).exit_code == 0
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")
    for name, kind in (("edge", "tiny"), ("cloud", "cloud")):
        assert load_artifact(str(ours / "ship" / name)).id == f"{name}@3.1.0"
        made = load_artifact(str(ours / "artifacts" / f"{kind}-1" / "int8s"))
        assert made.manifest.version.startswith("0.0.0+")


def test_a_second_run_trains_nothing_again(folder: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in (run / "models").rglob("*.pt")}
    for step in ("finetune", "adapt", "distill", "ablate"):
        assert train(folder, monkeypatch, step).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (run / "models").rglob("*.pt")} == before


@pytest.mark.usefixtures("run")
def test_another_configuration_asks_for_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "own.toml").write_text(CONFIG.replace("seeds = 1", "seeds = 2"), "utf-8")
    try:
        with pytest.raises(RunError, match=r"another configuration \(seeds differ\): give another --out"):
            train(folder, monkeypatch, "distill")
    finally:
        (folder / "own.toml").write_text(CONFIG, "utf-8")


@pytest.mark.usefixtures("run")
def test_other_texts_ask_for_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = folder / "data" / "turns.csv"
    before = turns.read_bytes()
    turns.write_bytes(before + b"new,a turn that was not there,\r\n")
    try:
        with pytest.raises(RunError, match=r"another configuration \(data differ\): give another --out"):
            train(folder, monkeypatch, "distill")
    finally:
        turns.write_bytes(before)


def test_a_step_without_the_one_before_says_which(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "load", tiny_base)
    options = ["--config", str(folder / "own.toml"), "--out", str(tmp_path / "other"), "--threads", "1"]
    with pytest.raises(RunError, match="run `edgewise train adapt` first"):
        CliRunner().invoke(cli.app, ["distill", "tiny", *options], catch_exceptions=False)
    with pytest.raises(RunError, match="run `edgewise train compress` first"):
        CliRunner().invoke(cli.app, ["calibrate", *options], catch_exceptions=False)
