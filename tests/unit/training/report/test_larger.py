"""What a report says of a cloud model too large to ship."""

import json
import shutil
from pathlib import Path

from tests.unit.training.made_up_run import made_up_run
from training.report import report, sections
from training.report.markdown import megabytes, number, percent


def test_the_larger_model_stands_beside_the_one_that_ships_behind_the_same_edge(tmp_path: Path) -> None:
    folder, other = made_up_run(tmp_path / "run"), made_up_run(tmp_path / "other", seed=8)
    assert "a larger cloud" not in sections.page(report.collect(folder), [])
    shutil.copy(other / "evaluation.json", folder / "larger.json")
    compress = json.loads((folder / "compress.json").read_text("utf-8"))
    others = json.loads((other / "compress.json").read_text("utf-8"))["rows"]
    compress["rows"] += [row | {"model": "large-1"} for row in others if row["model"] == "cloud-1"]
    (folder / "compress.json").write_text(json.dumps(compress), "utf-8")
    collected = report.collect(folder)
    page = sections.page(collected, [])
    lines = page[page.index("## What would a larger cloud give?") :].split("\n## ")[0].splitlines()
    table = {cells[1]: cells[2:4] for line in lines if len(cells := [each.strip() for each in line.split("|")]) == 5}
    assert table.pop("") == ["ships", "larger"]
    both = [collected["evaluation"], collected["larger"]]
    sets = [each["artifacts"]["cloud"]["sets"] for each in both]

    def begin(what: str) -> list[str]:
        return [cell.split(" (")[0] for cell in table.pop(what)]

    assert begin("model.onnx") == [megabytes(each["artifacts"]["cloud"]["bytes"]) for each in both]
    rows = {(row["model"], row["format"]): row for row in collected["compress"]["rows"]}
    speeds = [rows[model, "int8"]["texts_per_s"]["threads_2"]["sorted"]["value"] for model in ("cloud-1", "large-1")]
    assert begin("texts/s, batches of 32, two threads") == [number(each, 0) for each in speeds]
    for said, figure in (("accuracy", "accuracy"), ("macro F1", "macro_f1"), ("ECE", "ece")):
        assert begin(f"airline test: {said}") == [number(each["airline_test"][figure]) for each in sets]
    assert begin("semeval test: macro recall") == [number(each["semeval_test"]["macro_recall"]) for each in sets]
    kept = [each["retention"]["airline_test"]["ratio"] for each in both]
    assert begin("the edge's accuracy over it") == [percent(each) for each in kept]
    for share in (10, 20):
        curves = [each["deferral"]["airline_test"] for each in both]
        at = [round(100 * each) for each in curves[0]["share"]].index(share)
        said = f"airline test: accuracy with the least certain {share} % sent to it"
        assert begin(said) == [number(each["uncertain"][at]) for each in curves]
    for model, said in (("cloud", "alone"), ("line", "as a line")):
        right = [each["behaviour"]["models"][model]["overall"]["accuracy"] for each in both]
        assert begin(f"behaviour suite, {said}") == [number(each) for each in right]
    assert table == {"---": ["---:", "---:"]}
