"""The report of a training run: what its page, its aims, its cards and the README's table say of the run's files."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from benchmarks import readme
from tests.unit.training.made_up_run import changed, made_up_run
from training.report import markdown, report, sections, summary
from training.report.aims import Aim

PICTURES = list(sections.PICTURES)
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
        ("evaluation", "artifacts", "cloud", "sets", "comments_test", "macro_f1"),
        ("evaluation", "artifacts", "cloud", "slices", "length", 1, "accuracy"),
        ("evaluation", "artifacts", "edge", "robustness", 0, "pass_rate"),
        ("evaluation", "artifacts", "cloud", "bytes"),
        ("evaluation", "retention", "airline_test", "ratio"),
        ("evaluation", "retention", "airline_test", "interval", 1),
        ("evaluation", "agreement", "calls, turn by turn", "share"),
        ("evaluation", "seeds", "edge", "airline_test_accuracy", 2),
        ("evaluation", "seeds", "small", "semeval_test_macro_recall", 0),
        ("evaluation", "behaviour", "threshold"),
        ("evaluation", "behaviour", "models", "cloud", "macro"),
        ("evaluation", "behaviour", "models", "edge", "overall", "accuracy"),
        ("evaluation", "behaviour", "models", "line", "kinds", "mails", "accuracy_interval", 1),
        ("evaluation", "behaviour", "models", "line", "kinds", "asr", "wrong_and_sure"),
        ("evaluation", "behaviour", "thresholds", 1, "domain"),
        ("evaluation", "behaviour", "thresholds", 0, "wrong_and_sure"),
        ("evaluation", "behaviour", "falls", 0, "p"),
        ("long_text", "artifacts", "cloud", "calls", "chunks", "macro_f1"),
        ("long_text", "artifacts", "edge", "chosen_on", "head", "nll"),
        ("long_text", "majority", "accuracy"),
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


@pytest.mark.parametrize("before", [{}, {"teacher": "f" * 64}])
def test_the_page_claims_no_more_of_leaks_than_is_checked(collected: dict[str, Any], before: dict[str, str]) -> None:
    page = sections.page(collected | {"config": before}, [])
    assert "No step of this run learns from a text that is measured on" in page
    assert ("an artifact from before the run learned from" in page) == bool(before)


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
        "How does it behave?",
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


def test_a_kind_that_fell_is_named_and_none_is_not(collected: dict[str, Any]) -> None:
    assert "**Worse than the baseline:** line: asr lost 7 of 24, won 1" in sections.page(collected, [])
    same = changed(collected, ("evaluation", "behaviour", "falls"), [])
    assert "baseline" not in sections.page(same, [])


def test_no_part_is_recovered_where_there_is_no_gap(collected: dict[str, Any]) -> None:
    assert "No gap is" not in sections.page(collected, [])
    none = {key: {"share": None, "interval": [None, None]} for key in ("0.10", "0.20")}
    page = sections.page(changed(collected, (*DEFERRAL, "gap_recovered"), none), [])
    assert "No gap is to be recovered." in page
    assert "of the gap recovered |" not in page


def test_a_run_of_before_the_behaviour_suite_has_a_page(collected: dict[str, Any]) -> None:
    page = sections.page(changed(collected, ("evaluation", "behaviour"), None), [])
    assert "How does it behave?" not in page


def test_a_run_of_ones_own_needs_neither_aims_nor_calls_nor_a_general_set(tmp_path: Path) -> None:
    run = made_up_run(tmp_path, domain="ours")
    for name in ("ablations.json", "environment.json", "config.json", "long_text.json", "log.jsonl"):
        (run / name).unlink()
    for name in ("corpus", "evaluation"):
        content = json.loads((run / f"{name}.json").read_text())
        if name == "corpus":
            content["sources"] = content["sources"][:1]
        else:
            del content["deferral"], content["seeds"]
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


def test_other_runs_stand_beside_the_aims(tmp_path: Path) -> None:
    aimed = [
        Aim(what="the edge", path=(*EDGE_TEST, "accuracy"), at_least=0.1),
        Aim(what="nobody's", path=("evaluation", "absent"), at_least=0.1),
    ]
    runs = [made_up_run(tmp_path / str(seed), seed=seed) for seed in (1, 2, 3)]
    own, *others = [report.collect(run, aimed)["aims"][0]["measured"] for run in runs]
    found = report.collect(runs[0], aimed, runs[1:])
    assert [aim["runs"] for aim in found["aims"]] == [[own, *others], [None] * 3]
    heading, _, first, second = summary.aims(found).splitlines()
    assert heading.endswith("| over seeds |")
    assert f"| {mean([own, *others]):.3f} ({min(own, *others):.3f} to {max(own, *others):.3f}) |" in first
    assert second.endswith("| no figure | – |")


def test_the_seeds_of_a_run_stand_beside_the_aims(tmp_path: Path) -> None:
    aimed = [Aim(what="the edge", path=(*EDGE_TEST, "accuracy"), at_least=0.1)]
    runs = [made_up_run(tmp_path / str(seed), seed=seed) for seed in (1, 2, 3)]
    alone = [report.collect(run, aimed)["aims"][0]["measured"] for run in runs]
    for number, run in enumerate(runs[1:], 1):
        (runs[0] / "seeds" / str(number)).mkdir(parents=True)
        shutil.copy(run / "evaluation.json", runs[0] / "seeds" / str(number))
    assert report.collect(runs[0], aimed)["aims"][0]["runs"] == alone[1:]
    assert report.collect(runs[0], aimed, runs[2:])["aims"][0]["runs"] == [*alone[1:], alone[2]]


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


def test_the_readmes_table_is_that_of_the_report(tmp_path: Path, collected: dict[str, Any]) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(readme.DocumentError, match=r"report\.json"):
        readme.models(path)
    path.write_text(json.dumps(collected))
    lines = readme.models(path).splitlines()
    assert lines[0] == "|  | `edge@2.0.0` | `cloud@2.0.0` |"
    accuracies = [markdown.figure(collected["evaluation"]["artifacts"][name]["sets"]["airline_test"], "accuracy")
                  for name in ("edge", "cloud")]  # fmt: skip
    assert f"| airline test: accuracy | {' | '.join(accuracies)} |" in lines
    assert "| smaller than the base's 90.90 MB | 98.3 % | 84.3 % |" in lines
    assert not [line for line in lines if re.search(r"seeds|F1|ECE", line)]


def test_the_report_has_the_models_that_do_not_ship_too(collected: dict[str, Any]) -> None:
    lines = summary.models(collected).splitlines()
    assert lines[0] == "|  | `edge@2.0.0` | `cloud@2.0.0` | small, int8 (does not ship) |"
    assert "| smaller than the base's 90.90 MB | 98.3 % | 84.3 % | 90.4 % |" in lines
