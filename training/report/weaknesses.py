"""The sections of a report on what a model cannot do, what helps, and what each step of its training is worth."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.records import LABELS
from training.report.markdown import ABSENT, between, figure, number, percent, table
from training.report.summary import Report, domain, over_seeds, percents


def deferral(report: Report) -> Iterator[str]:
    """Says what deferring the least certain texts is worth."""
    found = report["evaluation"].get("deferral", {})
    curves = {name: each for name, each in found.items() if isinstance(each, Mapping)}
    if not curves:
        return
    yield "## What when it is unsure?"
    yield (
        f"The least certain texts go to the teacher ({found.get('teacher', 'the cloud artifact')}). The gap is what "
        "it is better by; more than that is possible, for the edge is right on some texts where the teacher errs."
    )
    for name, each in curves.items():
        if "gap" in each:
            gap = each["gap"]
            yield f"On {name} the teacher is better by {number(gap['share'], 4)}{between(gap['interval'], 4)}."
        recovered = [
            [percent(float(share), 0), percent(part["share"], 0) + percents(part["interval"], 0)]
            for share, part in each["gap_recovered"].items()
            if part["share"] is not None
        ]
        yield (
            table(["share deferred", "of the gap recovered"], recovered) if recovered else "No gap is to be recovered."
        )
        steps = [
            index for index, share in enumerate(each["share"]) if round(share * 100) in {0, 5, 10, 20, 30, 50, 100}
        ]
        ends = each.get("uncertain_interval")
        yield table(
            ["share deferred", "least certain", "at random", "oracle"],
            [
                [
                    percent(each["share"][index], 0),
                    number(each["uncertain"][index]) + between(ends[index] if ends else None),
                    number(each["random"][index]),
                    number(each["oracle"][index]),
                ]
                for index in steps
            ],
        )
    yield "deferral.png"


def long_text(report: Report) -> Iterator[str]:
    """Compares the ways to read a text that is longer than the model's input."""
    found = report.get("long_text")
    if not found:
        return
    artifacts = found.get("artifacts") or {"edge": {"calls": found["calls"]}}
    names = ("accuracy", "macro_f1", "macro_recall", "nll")
    rows = []
    for name, parts in artifacts.items():
        for way, figures in parts["calls"].items():
            chosen_on = parts.get("chosen_on", {}).get(way, {}).get("nll")
            rows.append([f"{name}, `{way}`", number(chosen_on), *(figure(figures, each) for each in names)])
    if "majority" in found:
        rows.append(["always the most frequent label", ABSENT, *(figure(found["majority"], each) for each in names)])
    ways = ", ".join(f"`{way}` with `{name}`" for name, way in found["chosen"].items())
    yield "## And long texts?"
    yield (
        "Whole calls, longer than what a model reads at once: `head` cuts, `head_tail` keeps both ends, `chunks` reads "
        "all in pieces and averages; so does `weighed`, in which neutral pieces count least, with a temperature and an "
        f"offset a label. The worker does what the manifest says: {ways}, for it has the least NLL on one half of the "
        "calls, that of `weighed` by cross-validation. The other figures are of the other half."
    )
    headings = ["accuracy", "macro F1", "macro recall", "NLL"]
    yield table(["artifact and way", "NLL, half to choose on", *headings], rows)


def failures(report: Report) -> Iterator[str]:
    """Says which errors are most frequent, where accuracy is low, and which behavioural tests fail."""
    artifacts = report["evaluation"]["artifacts"]
    yield "## Where does it fail?"
    test = f"{domain(report)}_test"
    for name, measured in artifacts.items():
        confusion = measured["sets"][test]["confusion"]
        wrong, true, given = max(
            (confusion[true][given], true, given)
            for true in range(len(LABELS))
            for given in range(len(LABELS))
            if true != given
        )
        yield (
            f"The most frequent error of `{name}` on {test}: {number(wrong, 0)} of {number(sum(confusion[true]), 0)} "
            f"{LABELS[true]} texts are called {LABELS[given]}."
        )
    kinds = list(dict.fromkeys(kind for measured in artifacts.values() for kind in measured["slices"]))
    for kind in kinds:
        yield f"Accuracy by {kind}:"
        parts = list(dict.fromkeys(row["slice"] for each in artifacts.values() for row in each["slices"].get(kind, [])))
        by_artifact = [{row["slice"]: row for row in each["slices"].get(kind, [])} for each in artifacts.values()]
        yield table(
            [kind, "rows", *artifacts],
            [
                [
                    part,
                    number(max(rows[part]["rows"] for rows in by_artifact if part in rows), 0),
                    *(figure(rows[part], "accuracy") if part in rows else ABSENT for rows in by_artifact),
                ]
                for part in parts
            ],
        )
    yield "Behavioural tests, in the sense of CheckList (Ribeiro et al. 2020); the share that passed, the least first:"
    cells: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for name, measured in artifacts.items():
        for row in measured["robustness"]:
            cells.setdefault((row["test"], row["what"]), {})[name] = row
    ordered = sorted(cells.items(), key=lambda item: min(row["pass_rate"] for row in item[1].values()))
    yield table(
        ["what", "test", "cases", *artifacts],
        [
            [
                what,
                test_,
                number(max(row["cases"] for row in found.values()), 0),
                *(percent(found[name]["pass_rate"]) if name in found else ABSENT for name in artifacts),
            ]
            for (test_, what), found in ordered
        ],
    )


def steps(report: Report) -> Iterator[str]:
    """Compares the tiny network trained with and without each step, and shows how each training went."""
    ablations = report.get("ablations")
    if ablations:
        yield "## What did each step buy?"
        yield (
            "The tiny network, trained with and without: the mean over seeds, with the least and the greatest. On dev, "
            "so that nothing was chosen on test."
        )
        names = [name for name in ("dev", "dev_f1", "general", "semeval") if any(name in each for each in ablations)]
        said = {"dev": "dev: accuracy", "dev_f1": "dev: macro F1", "general": "general set: macro recall"}
        yield table(
            ["trained by", *(said.get(name, f"{name}: macro recall") for name in names)],
            [[each["what"], *(over_seeds(each.get(name)) for name in names)] for each in ablations],
        )
    if report["epochs"]:
        yield "How each model's training went, from its first epoch to its last:"
        yield table(
            ["model", "epochs", "loss", "dev: accuracy (best)", "perplexity of masked words"],
            [
                [
                    each["model"],
                    number(each["epochs"], 0),
                    _course(each.get("mean_loss")),
                    _course(each.get("accuracy"))
                    + (f" ({number(max(each['accuracy']))})" if "accuracy" in each else ""),
                    _course(each.get("perplexity"), 1),
                ]
                for each in report["epochs"]
            ],
        )
        yield "learning.png"


def _course(values: Sequence[float] | None, digits: int = 3) -> str:
    return f"{number(values[0], digits)} → {number(values[-1], digits)}" if values else ABSENT
