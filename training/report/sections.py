"""The page of a report: a section for each question that one would ask of a model before one trusts it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.data.corpus import LEARNED_FROM
from training.report import behaviour_table, corpus_table, larger, weaknesses
from training.report.markdown import ABSENT, figure, megabytes, number, percent, picture, table, timing
from training.report.summary import Report, aims, goes_on, models, percents, seeds

PICTURES = {
    "confusion.png": "Answers by true label, in shares of the label's rows",
    "reliability.png": "Accuracy against confidence, before and after calibration: honest on the diagonal",
    "size.png": "Accuracy on dev against file size, every model and format",
    "latency.png": "Latency at batch 1 against the number of tokens",
    "deferral.png": "Accuracy against the share of texts that go to the teacher",
    "learning.png": "Accuracy on dev after each pass of the students' transfer, a line a seed",
}


PREFACE = """\
Every figure below stands in `report.json` as well. A bracket behind a figure is its 95 % bootstrap interval on the rows
that it was measured on; behind a timing, the least and the greatest of the repetitions. Models and settings are chosen
on dev, but where a section says else; what is said of test is of the models so chosen, by the worker's own classifier;
the teachers, which do not ship, compute in float32."""

REPEAT = """\
    edgewise train all --config FILE --data DIR --out RUN

`FILE` is `training/configs/measured.toml` for the shipped models, `shipped.toml` and `continued.toml` beside it to make
such again, or a few lines that name transcripts of your own. The same configuration, seed and number of threads give
the same figures; the SHA-256 of the files, in `report.json`, show whether the data are the same."""


def page(report: Report, pictures: Sequence[str]) -> str:
    """The report as Markdown. `pictures` are the names of those that were drawn beside it."""
    parts = [
        "# Report",
        PREFACE,
        *(["## What was aimed at, and what was reached", aims(report)] if report["aims"] else []),
        "## What data?",
        corpus_table.table(report["corpus"]),
        *_leaks(report),
        *_quality(report),
        *_cost(report),
        *_confidence(report),
        *weaknesses.deferral(report),
        *larger.section(report),
        *weaknesses.long_text(report),
        *weaknesses.failures(report),
        *behaviour_table.section(report),
        *weaknesses.steps(report),
        *_repeat(report),
    ]
    shown = [picture(part, PICTURES[part]) if part in PICTURES else part for part in parts]
    return (
        "\n\n".join(part for part, raw in zip(shown, parts, strict=True) if raw not in PICTURES or raw in pictures)
        + "\n"
    )


def _leaks(report: Report) -> Iterator[str]:
    seen = again = 0
    for source in report["corpus"]["sources"]:
        for split in LEARNED_FROM:
            repeated = source["splits"].get(split, {"repeated": {}})["repeated"]
            again += sum(count for other, count in repeated.items() if other in LEARNED_FROM)
            seen += sum(count for other, count in repeated.items() if other not in LEARNED_FROM)
    yield "## Does anything leak?"
    yield (
        "No step of this run learns from a text that is measured on, be it for its label, for its words alone or to "
        "choose the vocabulary. Two texts are the same when their letters and digits are, whatever their case, handles "
        "and links. "
        f"{number(seen, 0)} texts were left out of what is learned from because they are measured on, and "
        f"{number(again, 0)} because they were in it already. A run whose splits overlap is refused."
    )
    if goes_on(report):
        yield (
            "This is of the run's own training. What an artifact from before the run learned from, be it measured here "
            "or what a model begins from, is not checked: where that was a text that is measured on, the figure is too "
            "high."
        )


def _quality(report: Report) -> Iterator[str]:
    evaluation = report["evaluation"]
    yield "## How good is it?"
    yield models(report)
    yield (
        "The base is the MiniLM-L6 that the larger models are made from, in float32. Over seeds: the mean of models "
        "trained alike but for the seed, with the least and the greatest. A smaller difference than that means nothing."
    )
    names = ("accuracy", "macro_f1", "macro_recall", "ece", "brier")
    yield table(
        ["artifact and set", "rows", "accuracy", "macro F1", "macro recall", "ECE", "Brier"],
        [
            [f"{artifact}, {name}", number(figures["rows"], 0), *(figure(figures, each) for each in names)]
            for artifact, measured in evaluation["artifacts"].items()
            for name, figures in measured["sets"].items()
        ],
    )
    yield "confusion.png"
    yield (
        "What of the larger model's accuracy the edge model keeps, on the same resampled rows, and how often the two "
        "give the same label, where people's labels are and where they are not:"
    )
    kept, same = evaluation["retention"], evaluation.get("agreement", {})
    yield table(
        ["set", "edge over cloud", "texts", "same label"],
        [
            [name, *_share_of(kept.get(name), "ratio"), number(_rows(same.get(name)), 0), *_share_of(same.get(name))]
            for name in dict.fromkeys([*kept, *same])
        ],
    )
    figures = sorted({name for each in evaluation.get("seeds", {}).values() for name in each} - {"mean", "spread"})
    if figures:
        yield "Over seeds, mean and the least and the greatest:"
        yield table(
            ["model", *(name.replace("_", " ").replace(" f1", " F1") for name in figures)],
            [[model, *(seeds(report, model, name) for name in figures)] for model in evaluation["seeds"]],
        )


def _share_of(found: Mapping[str, Any] | None, key: str = "share") -> list[str]:
    return [ABSENT if found is None else percent(found[key]) + percents(found["interval"])]


def _rows(found: Mapping[str, Any] | None) -> int | None:
    return None if found is None else found["rows"]


def _cost(report: Report) -> Iterator[str]:
    compress = report["compress"]
    rows = compress["rows"]
    yield "## How small and how fast is it?"
    yield (
        'Every model in every format, on dev, where the format was chosen. "Same label" is how often it answers as the '
        "same model does in float32."
    )
    if any(row["model"].endswith("-former") for row in rows):
        yield (
            "A former model is the artifact that was in service when this run began; it goes on serving unless one of "
            "the run's own is better on dev, by the sum of accuracy and macro F1."
        )
    yield table(
        ["model and format", "size", "dev: accuracy", "dev: macro F1", "same label as fp32", "peak memory"],
        [
            [
                _file(report, row),
                megabytes(row["bytes"]),
                number(row["dev"]["accuracy"]),
                number(row["dev"]["macro_f1"]),
                percent(row["agreement_with_fp32"]),
                f"{number(row['peak_memory_mib'], 0)} MiB",
            ]
            for row in rows
        ],
    )
    yield "size.png"
    yield f"Latency of one text at a time, in ms (the machine: {_machine(compress.get('machine', {}))}):"
    threads = [key for key in ("threads_1", "threads_2") if key in rows[0]["latency_ms"]]
    words = {"threads_1": "one thread", "threads_2": "two threads"}
    parts = ("mean", "p50", "p95")
    yield table(
        ["model and format", *(f"{part}, {words[key]}" for key in threads for part in parts)],
        [
            [_file(report, row), *(timing(row["latency_ms"][key][part]) for key in threads for part in parts)]
            for row in rows
        ],
    )
    yield "latency.png"
    yield "Texts a second in batches of 32, of like length (sorted) and all padded to 256 tokens:"
    ways = {"sorted": "sorted", "padded_256": "padded to 256"}
    yield table(
        ["model and format", *(f"{said}, {words[key]}" for key in threads for said in ways.values())],
        [
            [_file(report, row), *(timing(row["texts_per_s"][key][way], 0) for key in threads for way in ways)]
            for row in rows
        ],
    )


def _file(report: Report, row: Mapping[str, Any]) -> str:
    source = f"{row['model']}/{row['format']}"
    ships = [name for name, each in report["compress"]["ships"].items() if each == source]
    return f"{row['model']}, {row['format']}" + "".join(f" (**ships as {name}**)" for name in ships)


def _machine(machine: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in machine.items()) or "not recorded"


def _confidence(report: Report) -> Iterator[str]:
    yield "## Is its confidence honest?"
    yield (
        "ECE is the mean distance between confidence and accuracy, over 15 bins of confidence; Brier and the negative "
        "log-likelihood (NLL) judge each probability. The temperature is fitted on dev and on half of each set that is "
        "measured alone, so test is what counts. An honest model has an ECE too, for rows are few: the last column "
        "says how much, on average and in 19 of 20 sets."
    )
    rows = []
    for name, each in report["calibration"].items():
        for said, figures in (("dev", each), ("test", each.get("test"))):
            if figures:
                pairs = [
                    f"{number(figures['before'][key])} → {number(figures['after'][key])}"
                    for key in ("ece", "brier", "nll")
                ]
                chance = figures.get("ece_if_honest")
                honest = f"{number(chance['mean'])}, up to {number(chance['p95'])}" if chance else ABSENT
                rows.append([f"{name}, {said}", number(each["temperature"], 2), *pairs, honest])
    yield table(["model and split", "temperature", "ECE", "Brier", "NLL", "ECE if honest"], rows)
    yield "reliability.png"
    for name, each in report["calibration"].items():
        if each.get("confidence_threshold") is not None:
            yield f"Below a confidence of {number(each['confidence_threshold'])} the `{name}` model defers, by default."
    compared = {name: each["methods"] for name, each in report["calibration"].items() if each.get("methods")}
    if compared:
        yield "Ways to calibrate, cross-validated on dev; gain in NLL over the temperature, with its standard error:"
        yield table(
            ["model and way", "ECE", "Brier", "NLL", "gain"],
            [
                [
                    f"{name}, {way}",
                    *(number(found[key], 4) for key in ("ece", "brier", "nll")),
                    f"{number(found['gain'], 4)} ± {number(found['gain_error'], 4)}",
                ]
                for name, ways in compared.items()
                for way, found in ways.items()
            ],
        )


def _repeat(report: Report) -> Iterator[str]:
    yield "## How to repeat it"
    yield REPEAT
    for environment in report.get("environment", []):
        libraries = ", ".join(f"{name} {version}" for name, version in environment.get("libraries", {}).items())
        rest = {key: value for key, value in environment.items() if key != "libraries"}
        wanted = {key: value for key, value in report.get("config", {}).items() if key in ("seed", "seeds")}
        yield f"The run was on: {_machine(rest | wanted)}; {libraries}."
