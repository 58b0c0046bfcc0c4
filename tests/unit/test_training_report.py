"""The report of a training run: what its page, its aims, its cards and the README's table say of the run's files."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import readme
from models.artifact import load_artifact
from tests.tiny_artifact import tiny_artifact
from tests.unit.training_run import made_up_run, manifest
from training import aims, card, markdown, report, sections, summary
from training import manifest as manifests
from training.aims import Aim, AimsError

PICTURES = list(sections.PICTURES)


@pytest.fixture
def collected(tmp_path: Path) -> dict[str, Any]:
    return report.collect(made_up_run(tmp_path / "run"), aims.read(aims.SHIPPED))


def changed(value: dict[str, Any], path: tuple[str | int, ...], new: object) -> dict[str, Any]:
    other = copy.deepcopy(value)
    at: Any = other
    for key in path[:-1]:
        at = at[key]
    assert at[path[-1]] != new
    at[path[-1]] = new
    return other


EDGE_TEST = ("evaluation", "artifacts", "edge", "sets", "airline_test")
DEFERRAL = ("evaluation", "deferral", "airline_test")


@pytest.mark.parametrize(
    "path",
    [
        (*EDGE_TEST, "accuracy"),
        (*EDGE_TEST, "accuracy_interval", 0),
        (*EDGE_TEST, "ece"),
        (*EDGE_TEST, "brier_interval", 1),
        ("evaluation", "artifacts", "cloud", "sets", "calls", "macro_recall"),
        ("evaluation", "artifacts", "cloud", "slices", "length", 1, "accuracy"),
        ("evaluation", "artifacts", "edge", "robustness", 0, "pass_rate"),
        ("evaluation", "artifacts", "cloud", "bytes"),
        ("evaluation", "retention", "airline_test", "ratio"),
        ("evaluation", "retention", "airline_test", "interval", 1),
        ("evaluation", "seeds", "edge", "airline_test_accuracy", 2),
        ("evaluation", "seeds", "small", "semeval_test_macro_recall", 0),
        ("evaluation", "long_text", "artifacts", "cloud", "calls", "chunks", "macro_f1"),
        ("evaluation", "long_text", "artifacts", "edge", "chosen_on", "head", "nll"),
        ("evaluation", "long_text", "majority", "accuracy"),
        (*DEFERRAL, "uncertain", 2),
        (*DEFERRAL, "uncertain_interval", 2, 0),
        (*DEFERRAL, "oracle", 4),
        (*DEFERRAL, "gap", "share"),
        (*DEFERRAL, "gap_recovered", "0.20", "interval", 1),
        ("calibration", "edge", "test", "after", "ece"),
        ("calibration", "edge", "before", "nll"),
        ("calibration", "cloud", "temperature"),
        ("calibration", "cloud", "ece_if_honest", "p95"),
        ("calibration", "edge", "confidence_threshold"),
        ("compress", "rows", 0, "dev", "accuracy"),
        ("compress", "rows", 1, "bytes"),
        ("compress", "rows", 1, "peak_memory_mib"),
        ("compress", "rows", 2, "latency_ms", "threads_2", "p95", "value"),
        ("compress", "rows", 3, "texts_per_s", "threads_1", "padded_256", "spread", 1),
        ("ablations", 0, "dev", 1),
        ("corpus", "splits", "domain_train", "labels", "neutral"),
        ("corpus", "sources", 0, "splits", "domain_train", "repeated", "domain_test"),
        ("environment", 0, "threads"),
        ("epochs", 0, "perplexity", 1),
        ("epochs", 1, "accuracy", 1),
        ("aims", 1, "measured"),
    ],
)
def test_a_figure_that_changes_in_the_files_changes_on_the_page(
    collected: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    assert sections.page(changed(collected, path, 0.123456), PICTURES) != sections.page(collected, PICTURES)


def leaves(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def lists(value: Any) -> Iterator[list[float]]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from lists(each)
    if isinstance(value, list) and value and all(isinstance(each, int | float) for each in value):
        yield value


def test_every_figure_on_the_page_is_in_the_files_or_follows_from_them(collected: dict[str, Any]) -> None:
    known = list(leaves(collected))
    known += [sum(each) / len(each) for each in lists(collected)]  # over seeds
    known += [1 - each / summary.BASE_BYTES for each in known if each > 1e6] + [summary.BASE_BYTES]
    shown = {f"{value * scale:,.{digits}f}" for value in known for scale in (1, 100, 1e-6) for digits in range(5)}
    found = re.findall(r"(?<![\w.])-?\d[\d,]*\.\d+", sections.page(collected, PICTURES))
    assert len(found) > 300
    assert [figure for figure in found if figure not in shown and figure not in ("2.13.0", "2.13")] == []


def test_the_page_asks_the_questions_in_order_and_shows_the_pictures_that_were_drawn(collected: dict[str, Any]) -> None:
    page = sections.page(collected, ["confusion.png"])
    titles = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert titles[0] == "What was aimed at, and what was reached"
    assert [title for title in titles if title.endswith("?")] == [
        "What data?",
        "Does anything leak?",
        "How good is it?",
        "How small and how fast is it?",
        "Is its confidence honest?",
        "What when it is unsure?",
        "And long texts?",
        "Where does it fail?",
        "What did each step buy?",
    ]
    assert re.findall(r"!\[.*\]\((.*)\)", page) == ["confusion.png"]


def test_what_was_left_out_for_being_measured_on_is_told_apart_from_what_was_repeated(
    collected: dict[str, Any],
) -> None:
    page = sections.page(collected, [])
    assert "8 texts were left out of what is learned from because they are measured on" in page
    assert "and 74 because they were in it already" in page


def test_the_most_frequent_error_is_named(collected: dict[str, Any]) -> None:
    confusion = [[90, 1, 2], [31, 40, 3], [4, 5, 20]]
    page = sections.page(changed(collected, (*EDGE_TEST, "confusion"), confusion), [])
    assert "error of `edge` on airline_test: 31 of 74 neutral texts are called negative." in page


def test_the_behavioural_test_that_is_passed_least_comes_first(collected: dict[str, Any]) -> None:
    path = ("evaluation", "artifacts", "cloud", "robustness", 1, "pass_rate")
    page = sections.page(changed(collected, path, 0.01), [])
    assert page.index("| typos |") < page.index("| upper case |")


def test_a_run_of_ones_own_needs_neither_aims_nor_calls_nor_a_general_set(tmp_path: Path) -> None:
    run = made_up_run(tmp_path, domain="ours")
    for name in ("ablations.json", "environment.json", "config.json", "log.jsonl"):
        (run / name).unlink()
    for name in ("corpus", "evaluation"):
        content = json.loads((run / f"{name}.json").read_text())
        if name == "corpus":
            content["sources"] = content["sources"][:1]
        else:
            del content["long_text"], content["deferral"], content["seeds"]
            for artifact in content["artifacts"].values():
                del artifact["sets"]["semeval_test"], artifact["sets"]["calls"]
        (run / f"{name}.json").write_text(json.dumps(content))
    page = sections.page(report.collect(run), [])
    assert "ours test: accuracy" in page
    assert not re.search(r"semeval|airline|What was aimed at|And long texts|unsure\?|buy\?|\{|None", page)


@pytest.mark.parametrize(("name", "step"), report.STEPS.items())
def test_a_missing_file_is_named_with_the_step_that_writes_it(tmp_path: Path, name: str, step: str) -> None:
    (made_up_run(tmp_path) / f"{name}.json").unlink()
    with pytest.raises(report.ReportError, match=rf"{name}\.json is missing: run `edgewise train {step}` first"):
        report.collect(tmp_path)


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    (made_up_run(tmp_path) / "compress.json").write_text("{")
    with pytest.raises(report.ReportError, match=r"compress\.json cannot be read"):
        report.collect(tmp_path)


def test_speed_is_that_of_the_file_which_ships(collected: dict[str, Any]) -> None:
    assert {name: (row["model"], row["format"]) for name, row in collected["speed"].items()} == {
        "edge": ("edge-1", "int8"),
        "cloud": ("cloud-1", "int8"),
    }
    assert sections.page(collected, []).count("edge-1, int8 (**ships as edge**)") == 3


def test_an_epoch_that_was_run_again_counts_once_with_its_last_figures(collected: dict[str, Any]) -> None:
    assert collected["epochs"] == [
        {"model": "tiny-adapted", "epochs": 1, "perplexity": [81.5, 20.25]},
        {"model": "edge-1", "epochs": 2, "mean_loss": [0.6, 0.4], "accuracy": [0.812, 0.834]},
        {"model": "edge-transfer-1", "epochs": 2, "mean_loss": [0.7, 0.5], "accuracy": [0.78, 0.79]},
    ]


# Aims


def judged(value: object, **fields: Any) -> dict[str, Any]:
    return aims.judge(Aim(what="it", path=("a", "b"), **fields), {"a": value})


@pytest.mark.parametrize(
    ("figures", "bound", "reached", "within"),
    [
        ({"b": 0.85, "b_interval": [0.83, 0.87]}, {"at_least": 0.84}, True, False),
        ({"b": 0.84, "b_interval": [0.82, 0.86]}, {"at_least": 0.84}, True, False),
        ({"b": 0.83, "b_interval": [0.81, 0.85]}, {"at_least": 0.84}, False, True),
        ({"b": 0.80, "b_interval": [0.78, 0.82]}, {"at_least": 0.84}, False, False),
        ({"b": 0.03, "interval": [0.01, 0.04]}, {"at_most": 0.02}, False, True),
        ({"b": 0.01}, {"at_most": 0.02}, True, None),
        ({"b": 0.9, "interval": [0.7, None]}, {"at_least": 1.0}, False, True),
        ({"b": {"value": 9.0, "spread": [7.5, 8.5]}}, {"at_most": 8.0}, False, True),
        ({"b": [0.80, 0.85, 0.90]}, {"at_least": 0.84}, True, False),
        ({"b": [0.70, 0.75, 0.80]}, {"at_least": 0.84}, False, False),
        ({}, {"at_least": 0.84}, None, None),
        (None, {"at_least": 0.84}, None, None),
    ],
)
def test_an_aim_is_reached_by_the_measured_value_alone(
    figures: object, bound: dict[str, float], reached: bool | None, within: bool | None
) -> None:
    found = judged(figures, **bound)
    assert (found["reached"], found["within"]) == (reached, within)


def test_a_size_is_judged_in_the_aims_unit() -> None:
    found = judged({"b": 1_990_000}, at_most=2.0, scale=1e-6, unit="MB", digits=2)
    assert (found["measured"], found["reached"]) == (pytest.approx(1.99), True)


def test_an_aim_missed_by_little_is_not_shown_as_its_bound() -> None:
    row = judged({"b": 0.84496}, at_least=0.845)
    assert "| at least 0.84500 | 0.84496 | no |" in summary.aims({"aims": [row]})


def test_the_page_says_of_each_aim_whether_it_was_reached() -> None:
    rows = [
        judged({"b": 0.85}, at_least=0.84),
        judged({"b": 0.83, "interval": [0.8, 0.86]}, at_least=0.84),
        judged({"b": 0.83}, at_least=0.84),
        judged({}, at_least=0.84),
    ]
    assert summary.aims({"aims": rows}).splitlines()[2:] == [
        "| it | at least 0.840 | 0.850 | yes |",
        "| it | at least 0.840 | 0.830 (0.800 to 0.860) | no, but within the interval |",
        "| it | at least 0.840 | 0.830 | no |",
        "| it | at least 0.840 | – | not measured |",
    ]


def test_each_of_the_shipped_aims_finds_its_figure(collected: dict[str, Any]) -> None:
    assert [aim["what"] for aim in collected["aims"] if aim["measured"] is None] == []
    assert len(collected["aims"]) == 16


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[[aim]]\nwhat = "it"\npath = ["a"]', "either at_least or at_most"),
        ('[[aim]]\nwhat = "it"\npath = ["a"]\nat_least = 1\nat_most = 2', "either at_least or at_most"),
        ('[[aim]]\nwhat = "it"\npath = ["a"]\natleast = 1', "atleast"),
        ("[[aims]]", r"no \[\[aim\]\]"),
        ("aim", "not TOML"),
    ],
)
def test_a_wrong_table_of_aims_is_refused(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "aims.toml").write_text(content)
    with pytest.raises(AimsError, match=says):
        aims.read(tmp_path / "aims.toml")


def test_aims_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AimsError, match="cannot read the aims"):
        aims.read(tmp_path / "aims.toml")


# Cards, manifests and the README


@pytest.mark.parametrize("name", ["edge", "cloud"])
def test_a_card_begins_with_the_terms_beside_the_command_for_ones_own_data(
    collected: dict[str, Any], name: str
) -> None:
    text = card.text(manifest(name), collected)
    terms = text.partition("## Terms")[2].partition("\n## ")[0]
    assert text.index("## Terms") < text.index("## Figures")
    assert "Apache-2.0" in terms
    assert "| airline | 7,758 | yes | CC BY-NC-SA 4.0 (no commercial use) | a paper |" in terms
    assert "| semeval | 44,327 | yes | for research | another |" in terms
    assert "| chats | 9,968 | no | terms not stated | not stated |" in terms
    assert "edgewise train all --config FILE" in terms


def test_a_card_has_its_own_models_figures(collected: dict[str, Any]) -> None:
    text = card.text(manifest("edge"), collected)
    for name, figures in collected["evaluation"]["artifacts"]["edge"]["sets"].items():
        assert f"| {name} | {figures['rows']:,} | {markdown.figure(figures, 'accuracy')} |" in text
    assert "It keeps 99.5 % (97.8 to 101.2) of the cloud" in text
    assert "below a confidence of 0.512" in text
    cloud = card.text(manifest("cloud"), collected)
    assert "It keeps" not in cloud
    assert "below a confidence" not in cloud


def test_a_behavioural_test_that_is_always_passed_is_no_limit(collected: dict[str, Any]) -> None:
    path = ("evaluation", "artifacts", "edge", "robustness", 0, "passed")
    assert "| upper case |" in card.text(manifest("edge"), collected)
    assert "| upper case |" not in card.text(manifest("edge"), changed(collected, path, 400))


def test_a_manifest_names_what_was_learned_from_and_no_more(collected: dict[str, Any]) -> None:
    sources = collected["corpus"]["sources"]
    held_out = sources[0] | {"name": "tested", "splits": {"domain_test": {"read": 9, "kept": 9, "repeated": {}}}}
    data = manifests.data_of({"sources": [*sources, held_out]})
    assert [(each["name"], each["rows"], each["labelled"]) for each in data] == [
        ("airline", 7758, True),
        ("semeval", 44327, True),
        ("chats", 9968, False),
    ]
    assert data[0]["sha256"] == {"airline/train.csv": "ab" * 32}
    assert manifests.licence(data) == (
        "code Apache-2.0; weights carry the terms of their labelled data: "
        "airline: CC BY-NC-SA 4.0 (no commercial use); semeval: for research"
    )


def test_a_manifests_metrics_are_the_flat_figures_of_dev_and_test(collected: dict[str, Any]) -> None:
    sets = collected["evaluation"]["artifacts"]["edge"]["sets"]
    metrics = manifests.metrics_of(sets)
    assert list(metrics) == ["airline_dev", "airline_test", "semeval_test"]
    assert set(metrics["airline_test"]) == {"accuracy", "macro_f1", "macro_recall", "ece", "rows"}
    assert metrics["airline_test"]["accuracy"] == round(sets["airline_test"]["accuracy"], 4)


def test_a_fresh_manifest_is_one_that_a_worker_reads(tmp_path: Path, collected: dict[str, Any]) -> None:
    folder = tiny_artifact(tmp_path, "edge")
    before = load_artifact(str(folder)).manifest
    data = manifests.data_of(collected["corpus"])
    manifests.describe(
        folder,
        name="edge",
        source="edge-1/int8",
        base="a base",
        max_tokens=before.max_tokens,
        seed=3,
        data=data,
        libraries={"torch": "2.13.0"},
    )
    artifact = load_artifact(str(folder))
    assert artifact.id == "edge@2.1.0"
    assert artifact.manifest.opset == before.opset
    assert artifact.manifest.training["source"] == "edge-1/int8"
    assert artifact.manifest.training["libraries"] == {"torch": "2.13.0"}
    manifests.update(folder, temperature=1.5)
    assert load_artifact(str(folder)).temperature == 1.5


def test_the_readmes_table_is_that_of_the_report(tmp_path: Path, collected: dict[str, Any]) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(readme.DocumentError, match=r"report\.json"):
        readme.models(path)
    path.write_text(json.dumps(collected))
    lines = readme.models(path).splitlines()
    assert lines[0] == "|  | `edge@2.0.0` | `cloud@2.0.0` | small, int8 (does not ship) |"
    accuracies = [markdown.figure(collected["evaluation"]["artifacts"][name]["sets"]["airline_test"], "accuracy")
                  for name in ("edge", "cloud")]  # fmt: skip
    assert f"| airline test: accuracy | {' | '.join(accuracies)} | – |" in lines
    assert "| smaller than the base's 90.90 MB | 98.3 % | 84.3 % | 90.4 % |" in lines


def test_tables_align_numbers_to_the_right_and_keep_bars_in_their_cells() -> None:
    assert markdown.table(["what", "n"], [["a|b", "1,234"], ["c", "–"]]).splitlines() == [
        "| what | n |",
        "| --- | ---: |",
        "| a\\|b | 1,234 |",
        "| c | – |",
    ]
