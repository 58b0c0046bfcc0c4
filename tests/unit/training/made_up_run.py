"""The folder of a made-up training run: every file that a report is made of, no two figures alike."""

import copy
import json
import random
from pathlib import Path
from typing import Any

FORMATS = {"fp32": 4, "int8": 1}
KINDS = {"edge": 1_500_000, "small": 8_700_000, "cloud": 14_300_000}


class _Figures:
    """Draws figures that are all different: a page that shows the wrong one is found out."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def share(self, low: float = 0.5, high: float = 0.95) -> float:
        return round(self.rng.uniform(low, high), 6)

    def interval(self, value: float) -> list[float]:
        return [round(value - self.rng.uniform(0.01, 0.03), 6), round(value + self.rng.uniform(0.01, 0.03), 6)]

    def timed(self, value: float) -> dict[str, Any]:
        value *= self.rng.uniform(0.9, 1.1)
        return {"value": value, "spread": [value * 0.93, value * 1.08]}

    def on(self, rows: int) -> dict[str, Any]:
        figures: dict[str, Any] = {"rows": rows}
        for name in ("accuracy", "macro_f1", "macro_recall", "ece", "brier", "nll"):
            figures[name] = self.share()
            figures[f"{name}_interval"] = self.interval(figures[name])
        return figures | {"confusion": [[self.rng.randint(20, 900) for _ in range(3)] for _ in range(3)]}

    def slices(self, *names: str) -> list[dict[str, Any]]:
        found = []
        for name in names:
            value = self.share()
            rows = self.rng.randint(50, 999)
            found.append({"slice": name, "rows": rows, "accuracy": value, "accuracy_interval": self.interval(value)})
        return found

    def artifact(self, name: str, domain: str) -> dict[str, Any]:
        sets = {f"{domain}_dev": 1447, f"{domain}_test": 1448, "semeval_test": 5038, "calls": 178, "comments_test": 900}
        return {
            "id": f"{name}@2.0.0",
            "bytes": KINDS[name],
            "sets": {each: self.on(rows) for each, rows in sets.items()},
            "slices": {"length": self.slices("1-10 tokens", "over 10 tokens"), "channel": self.slices("calls")},
            "robustness": [
                {"test": "invariance", "what": what, "cases": 400, "passed": passed, "pass_rate": passed / 400}
                for what in ("upper case", "typos")
                for passed in [self.rng.randint(300, 399)]
            ],
        }

    def behaviour(self) -> dict[str, Any]:
        def on(items: int) -> dict[str, Any]:
            value = self.share()
            return {
                "items": items,
                "accuracy": value,
                "accuracy_interval": self.interval(value),
                "wrong_and_sure": self.share(0.1, 0.4),
            }

        return {
            "threshold": self.share(),
            "models": {
                name: {
                    "overall": on(48) | {"ece": self.share(0.01, 0.1)},
                    "macro": self.share(),
                    "lowest": {"kind": "mails", "accuracy": self.share(0.1, 0.4)},
                    "kinds": {kind: on(24) for kind in ("asr", "mails", "plain_complaint", "polite_complaint")},
                }
                for name in ("edge", "cloud", "line")
            },
            "thresholds": [
                {"threshold": at} | {key: self.share() for key in ("deferred", "domain", "wrong_and_sure", "right")}
                for at in (0.61, 0.87)
            ],
            "falls": [{"model": "line", "kind": "asr", "items": 24, "lost": 7, "won": 1, "p": self.share(0.01, 0.05)}],
        }

    def seeds(self, domain: str) -> dict[str, Any]:
        names = (f"{domain}_test_accuracy", f"{domain}_test_macro_f1", "semeval_test_macro_recall")
        return {name: [self.share() for _ in range(3)] for name in names}

    def calibrated(self) -> dict[str, Any]:
        bins = [
            {"confidence": at / 10, "accuracy": self.share(at / 12, at / 10), "rows": 9 * at} for at in range(4, 11)
        ]
        figures = [{name: self.share(0.01, 0.4) for name in ("ece", "brier", "nll")} for _ in range(2)]
        return {
            "before": figures[0],
            "after": figures[1],
            "reliability": bins,
            "reliability_before": [each | {"accuracy": self.share(0.3, 0.9)} for each in bins],
            "ece_if_honest": {"mean": self.share(0.01, 0.02), "p95": self.share(0.02, 0.03)},
        }

    def row(self, model: str, file_format: str, size: int, cost: float) -> dict[str, Any]:
        threads = ("threads_1", "threads_2")
        return {
            "model": model,
            "format": file_format,
            "bytes": size,
            "dev": {"accuracy": self.share(), "macro_f1": self.share()},
            "agreement_with_fp32": self.share(0.97, 1.0),
            "latency_ms": {
                thread: {part: self.timed(cost) for part in ("mean", "p50", "p95")}
                | {"by_tokens": {tokens: self.timed(cost * int(tokens) / 24) for tokens in ("8", "24", "256")}}
                for thread in threads
            },
            "texts_per_s": {
                thread: {way: self.timed(1000 / cost) for way in ("sorted", "padded_256")} for thread in threads
            },
            "peak_memory_mib": self.rng.randint(80, 300),
        }

    def ways(self) -> dict[str, Any]:
        names = ("accuracy", "macro_f1", "macro_recall", "nll")
        return {way: {name: self.share() for name in names} for way in ("head", "chunks")}

    def deferral(self) -> dict[str, Any]:
        shares = [step / 20 for step in range(21)]
        uncertain, at_random, oracle = (sorted(self.share(0.84, 0.9) for _ in shares) for _ in range(3))
        return {
            "share": shares,
            "uncertain": uncertain,
            "uncertain_interval": [[value - 0.0187, value + 0.0191] for value in uncertain],
            "random": at_random,
            "oracle": oracle,
            "gap": {"share": 0.0123, "interval": [-0.0011, 0.0256]},
            "gap_recovered": {
                "0.10": {"share": 0.71, "interval": [0.28, 1.44]},
                "0.20": {"share": 1.13, "interval": [0.79, None]},
            },
        }


def source(name: str, role: str, licence: str, splits: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the statistics of a corpus say of one of its sources."""
    files = [{"path": f"{name}/train.csv", "bytes": 1234, "sha256": "ab" * 32}]
    about = {"name": name, "role": role, "licence": licence, "origin": f"https://{name}.example"}
    return about | {"files": files, "splits": splits}


def tally(read: int, **repeated: int) -> dict[str, Any]:
    """How many texts of a source were read for a split, and which splits had them already."""
    return {"read": read, "kept": read - sum(repeated.values()), "repeated": repeated}


def corpus(domain: str) -> dict[str, Any]:
    """The statistics of a corpus: a domain, a general set, unlabelled text."""
    lengths = {"mean": 18.25, "p50": 19.0, "p95": 27.0}
    return {
        "sources": [
            source(domain, "domain", "CC BY-NC-SA 4.0", {"domain_train": tally(7763, domain_test=3, domain_train=2)}),
            source("semeval", "general", "for research", {"general_train": tally(44369, general_train=42)}),
            source("comments", "measured", "CC BY 4.0", {"measured": tally(900)}),
            source("chats", "unlabelled", "CC BY 4.0", {"unlabelled": tally(10003, domain_dev=5, unlabelled=30)}),
        ],
        "splits": {
            "domain_train": {
                "texts": 7758,
                "characters": lengths,
                "words": lengths,
                "labels": {"negative": 4900, "neutral": 1650, "positive": 1208},
            },
            "unlabelled": {"texts": 9968, "characters": lengths, "words": lengths},
        },
    }


def manifest(name: str) -> dict[str, Any]:
    """What a card needs of an artifact's manifest."""
    data = [
        {"name": "airline", "rows": 7758, "labelled": True, "licence": "CC BY-NC-SA 4.0", "source": "a paper"},
        {"name": "semeval", "rows": 44327, "labelled": True, "licence": "for research", "source": "another"},
        {"name": "chats", "rows": 9968, "labelled": False, "licence": "", "source": ""},
    ]
    return {
        "name": name,
        "version": "2.0.0",
        "created": "2025-06-01",
        "base": "a base model",
        "labels": ["negative", "neutral", "positive"],
        "files": {"model.onnx": {"sha256": "cd" * 32, "bytes": KINDS[name]}},
        "max_tokens": 256,
        "long_text": "head_tail",
        "temperature": 1.07,
        "confidence_threshold": 0.512 if name == "edge" else None,
        "training": {"source": f"{name}-1/int8", "seed": 1, "data": data, "libraries": {"torch": "2.13.0"}},
    }


def made_up_run(folder: Path, domain: str = "airline", seed: int = 7) -> Path:
    """Writes every file that a report is made of to `folder`."""
    draw = _Figures(seed)
    long = {name: {half: draw.ways() for half in ("chosen_on", "calls")} for name in ("edge", "cloud")}
    majority = {"accuracy": draw.share(), "macro_f1": draw.share(), "macro_recall": draw.share()}
    test = f"{domain}_test"
    files: dict[str, Any] = {
        "corpus": corpus(domain),
        "compress": {
            "machine": {"processor": "a processor", "cores": 2},
            "ships": {name: f"{name}-1/int8" for name in ("edge", "cloud")},
            "rows": [
                draw.row(f"{kind}-1", file_format, size * factor, size / 4e6)
                for kind, size in KINDS.items()
                for file_format, factor in FORMATS.items()
            ],
        },
        "calibration": {
            name: draw.calibrated()
            | {"temperature": draw.share(0.8, 1.2), "test": draw.calibrated(), "confidence_threshold": threshold}
            for name, threshold in (("edge", 0.512), ("cloud", None))
        },
        "evaluation": {
            "artifacts": {name: draw.artifact(name, domain) for name in ("edge", "cloud")},
            "retention": {test: {"ratio": 0.9951, "interval": [0.9783, 1.0124]}},
            "agreement": {"calls, turn by turn": {"rows": 1234, "share": 0.9123, "interval": [0.8987, 0.9234]}},
            "deferral": {test: draw.deferral(), "teacher": "cloud@1.0.0"},
            "seeds": {kind: draw.seeds(domain) for kind in KINDS},
            "behaviour": draw.behaviour(),
        },
        "long_text": {
            "calls": long["edge"]["calls"],
            "chosen": dict.fromkeys(long, "chunks"),
            "artifacts": long,
            "majority": majority,
        },
        "ablations": [{"what": "labels alone", "dev": [draw.share() for _ in range(3)], "general": [draw.share()]}],
        "environment": [{"cores": 2, "gpu": None, "threads": 2, "libraries": {"torch": "2.13.0"}}],
        "config": {"seed": 1, "seeds": 3},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    for name in ("edge", "cloud"):
        (folder / "ship" / name).mkdir(parents=True)
        (folder / "ship" / name / "manifest.json").write_text(json.dumps(manifest(name)), "utf-8")
    log = [
        {"model": "tiny-adapted", "epoch": 0, "perplexity": 81.5},
        {"model": "tiny-adapted", "epoch": 1, "perplexity": 20.25},
        {"model": "edge-1", "epoch": 1, "step": 100, "steps": 200, "loss": 0.7, "seconds": 3},
        {"model": "edge-1", "epoch": 1, "mean_loss": 0.9, "accuracy": 0.7},
        {"model": "edge-1", "epoch": 1, "mean_loss": 0.6, "accuracy": 0.812},
        {"model": "edge-1", "epoch": 2, "mean_loss": 0.4, "accuracy": 0.834},
        {"model": "edge-1", "epoch": 3, "step": 500, "steps": 600, "loss": 0.3, "seconds": 9},
        {"model": "edge-transfer-1", "epoch": 1, "mean_loss": 0.7, "accuracy": 0.78},
        {"model": "edge-transfer-1", "epoch": 2, "mean_loss": 0.5, "accuracy": 0.79},
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log), "utf-8")
    return folder


def changed(value: dict[str, Any], path: tuple[str | int, ...], new: object) -> dict[str, Any]:
    other = copy.deepcopy(value)
    at: Any = other
    for key in path[:-1]:
        at = at[key]
    assert at[path[-1]] != new
    at[path[-1]] = new
    return other
