"""How fast artifacts are in the worker's classifier: latency of one text, texts a second in calls of 32, peak memory.

    python -m training.measure.speed FOLDER THREADS < TEXTS

measures one artifact once, on the lines of TEXTS, and prints JSON. `measure` runs that in fresh processes, one
artifact after the other, and all of them again for each repetition: so what else the machine does affects all alike.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

THREADS = (1, 2)
TOKENS = (8, 24, 64, 128, 256)
BATCH = 32
PADDED = 256  # tokens; the article pads each text to it

LATENCY_TEXTS = 300
SORTED_TEXTS = 512
PADDED_TEXTS = 32


def measure(folders: Sequence[Path], texts: Sequence[str], repetitions: int) -> list[dict[str, Any]]:
    """`latency_ms`, `texts_per_s` and `peak_memory_mib` of each artifact, as `compress.json` has them.

    Each timing is `{"value": median, "spread": [lowest, highest]}` of the repetitions.
    """
    lines = "\n".join(" ".join(text.split()) for text in texts)
    taken: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for _ in range(repetitions):
        for threads in THREADS:
            for at, folder in enumerate(folders):
                taken.setdefault((at, threads), []).append(_in_a_process(folder, threads, lines))
    return [
        {
            what: {f"threads_{threads}": _over([once[what] for once in taken[at, threads]]) for threads in THREADS}
            for what in ("latency_ms", "texts_per_s")
        }
        | {"peak_memory_mib": round(max(once["peak_memory_mib"] for once in taken[at, THREADS[0]]), 1)}
        for at in range(len(folders))
    ]


def _in_a_process(folder: Path, threads: int, lines: str) -> dict[str, Any]:
    # With -P, and these packages' own folder first: no module of the folder that one happens to be in is imported.
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "training.measure.speed", str(folder.resolve()), str(threads)],
        input=lines,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _over(values: list[Any]) -> Any:
    """The median and spread of numbers, or of each number in dictionaries of one shape."""
    if isinstance(values[0], dict):
        return {key: _over([value[key] for value in values]) for key in values[0]}
    return {"value": statistics.median(values), "spread": [min(values), max(values)]}


def once(folder: Path, threads: int, texts: Sequence[str]) -> dict[str, Any]:
    """Measures one artifact in this process, in which nothing has been tokenised yet."""
    # tokenizers reads both when it first works in parallel.
    os.environ["RAYON_NUM_THREADS"], os.environ["TOKENIZERS_PARALLELISM"] = str(threads), str(threads > 1).lower()
    from models.artifact import load_artifact
    from models.classifier import Classifier
    from models.text import normalise

    classifier = Classifier(load_artifact(str(folder)), threads=threads)
    score, tokenizer = classifier.score, classifier._tokenizer  # noqa: SLF001 - to count tokens, and to pad: no worker does
    for text in texts[:BATCH]:
        score([text])
    latencies = [_milliseconds(score, [text]) for text in texts[:LATENCY_TEXTS]]
    # A letter is a token, so a text of n - 2 letters has n with [CLS] and [SEP].
    by_tokens = {
        str(tokens): statistics.median(_milliseconds(score, [" ".join("a" * (tokens - 2))]) for _ in range(20))
        for tokens in TOKENS
    }
    ordered = sorted(texts[:SORTED_TEXTS], key=lambda text: len(tokenizer.encode(normalise(text)).ids))
    in_order = _per_second(score, ordered)
    peak = _peak_memory_mib()
    spread = ordered[:: -(-len(ordered) // PADDED_TEXTS)]
    tokenizer.enable_padding(length=PADDED)
    return {
        "latency_ms": {
            "mean": statistics.fmean(latencies),
            "p50": statistics.median(latencies),
            "p95": float(np.percentile(latencies, 95)),
            "by_tokens": by_tokens,
        },
        "texts_per_s": {"sorted": in_order, "padded_256": _per_second(score, spread)},
        "peak_memory_mib": peak,
    }


def _milliseconds(score: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    begun = perf_counter()
    score(texts)
    return (perf_counter() - begun) * 1000


def _per_second(score: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    score(texts[:BATCH])
    begun = perf_counter()
    for start in range(0, len(texts), BATCH):
        score(texts[start : start + BATCH])
    return len(texts) / (perf_counter() - begun)


def _peak_memory_mib() -> float:
    """The most resident memory that this process has had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss counts the parent's memory too, because Linux passes it on to a child.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts in bytes


if __name__ == "__main__":
    json.dump(once(Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.read().splitlines()), sys.stdout)
