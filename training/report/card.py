"""The model card of an artifact (Mitchell et al. 2019): its purpose, its terms, how good it is, where it fails."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.artifact import CARD, MANIFEST, MODEL
from models.long_text import what_is_read
from training.artifacts.manifest import terms_of
from training.report.markdown import figure, megabytes, number, percent, table, timing
from training.report.summary import Report, aside, domain, goes_on, percents, seeds

OWN = """\
    edgewise train all --config FILE --out RUN

trains the same on transcripts of your own, which `FILE` names (see training/configs/own.example.toml). What comes out
carries their terms, and the base model's."""

WORST = 5
"""How many slices and behavioural tests are named as limits."""


def write(folder: Path, report: Report) -> Path:
    """Writes the card of the artifact in `folder` from its manifest and the run's report. Returns its path."""
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    path = folder / CARD
    path.write_text(text(manifest, report), "utf-8")
    return path


def text(manifest: Mapping[str, Any], report: Report) -> str:
    """The card as Markdown."""
    parts = (
        *_summary(manifest, report),
        *_terms(manifest),
        *_use(report),
        *_figures(manifest, report),
        *_limits(manifest, report),
        *_making(manifest),
    )
    return "\n\n".join(parts) + "\n"


def _summary(manifest: Mapping[str, Any], report: Report) -> Iterator[str]:
    yield f"# Model card: {manifest['name']}@{manifest['version']}"
    yield (
        f"Reads a message in English and gives {', '.join(manifest['labels'][:-1])} or "
        f"{manifest['labels'][-1]}, with a probability for each. `{MODEL}` has "
        f"{megabytes(manifest['files'][MODEL]['bytes'])} and needs no GPU. It was made for the texts of "
        f"`{domain(report)}`, from {manifest['base']}."
    )


def _terms(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Terms"
    yield "The code is under Apache-2.0. The weights carry the terms of the data that they are made of:"
    yield table(
        ["set", "texts learned from", "labels used", "terms", "published"],
        [
            [
                each["name"],
                number(each["rows"], 0),
                "yes" if each["labelled"] else "no",
                terms_of(each),
                each["source"] or "not stated",
            ]
            for each in manifest["training"]["data"]
        ],
    )
    yield OWN


def _use(report: Report) -> Iterator[str]:
    yield "## What it is for"
    yield (
        "To watch how many conversations go well, to route and to prioritise, on messages like those of "
        f"`{domain(report)}`, where a wrong answer costs little or where the uncertain ones go to a better model. "
        "Measure it on a few hundred labelled messages of your own before you rely on a figure of this page."
    )
    yield (
        "Not to judge a person, employee or customer, by single answers; not for other languages; not as a measure of "
        "feelings: it learned what annotators of short public messages called negative, neutral and positive."
    )


def _figures(manifest: Mapping[str, Any], report: Report) -> Iterator[str]:
    name = manifest["name"]
    measured = report["evaluation"]["artifacts"][name]
    names = ("accuracy", "macro_f1", "macro_recall", "ece")
    yield "## Figures"
    yield (
        "No step of the run that these figures are of learned from these texts; settings were chosen on dev. "
        + ("What was learned before that run is not checked. " if goes_on(report) else "")
        + "In brackets the 95 % bootstrap interval."
    )
    yield table(
        ["set", "rows", "accuracy", "macro F1", "macro recall", "ECE"],
        [
            [said, number(each["rows"], 0), *(figure(each, key) for key in names)]
            for said, each in measured["sets"].items()
        ],
    )
    test = f"{domain(report)}_test"
    if report["evaluation"].get("seeds", {}).get(name):
        yield (
            f"Accuracy on {test} over models trained alike but for the seed, with the least and the greatest: "
            f"{seeds(report, name, f'{test}_accuracy')}."
        )
    kept = report["evaluation"]["retention"].get(test)
    if kept and name == "edge":
        share = percent(kept["ratio"]) + percents(kept["interval"])
        yield f"It keeps {share} of the cloud artifact's accuracy on {test}."
    speed = report["speed"].get(name)
    if speed:
        wait = timing(speed["latency_ms"]["threads_1"]["by_tokens"]["24"])
        rate = timing(speed["texts_per_s"]["threads_2"]["sorted"], 0)
        yield f"In ms, a text of 24 tokens takes {wait} on one thread; in texts/s, batches of 32 go at {rate} on two."
    yield (
        f"Its probabilities are divided by a temperature of {number(manifest['temperature'], 2)}, fitted on dev"
        + (" and on half of each set that is measured alone" if aside(report) else "")
        + (
            f"; below a confidence of {number(manifest['confidence_threshold'])} the router defers, by default."
            if manifest["confidence_threshold"] is not None
            else "."
        )
    )


def _limits(manifest: Mapping[str, Any], report: Report) -> Iterator[str]:
    measured = report["evaluation"]["artifacts"][manifest["name"]]
    yield "## Limits"
    slices = [(kind, row) for kind, rows in measured["slices"].items() for row in rows]
    worst = sorted(slices, key=lambda each: each[1]["accuracy"])[:WORST]
    if worst:
        yield "Where it is least accurate:"
        yield table(
            ["by", "slice", "rows", "accuracy"],
            [[kind, row["slice"], number(row["rows"], 0), figure(row, "accuracy")] for kind, row in worst],
        )
    failed = [row for row in measured["robustness"] if row["passed"] < row["cases"]]
    failed = sorted(failed, key=lambda row: row["pass_rate"])[:WORST]
    if failed:
        yield "Behavioural tests that it passes least:"
        yield table(
            ["what", "test", "cases", "passed"],
            [[row["what"], row["test"], number(row["cases"], 0), percent(row["pass_rate"])] for row in failed],
        )
    yield (
        f"{what_is_read(manifest['long_text'], manifest['max_tokens'], weighed=bool(manifest.get('weighing')))} "
        "It knows one message, not the conversation before it."
    )


def _making(manifest: Mapping[str, Any]) -> Iterator[str]:
    training = manifest["training"]
    libraries = ", ".join(f"{name} {version}" for name, version in training["libraries"].items())
    yield "## How it was made"
    yield (
        f"On {manifest['created']}, by `edgewise train all`, as {training['source']} of its run, with seed "
        f"{training['seed']}; {libraries}. The manifest beside this page has the hashes of the data and of the files, "
        "the run's report every other figure."
    )
