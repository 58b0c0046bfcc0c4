"""The classifier alone, in a process of its own: what the line's throughput is compared with.

It scores the line's texts in lots of the size that a busy edge agent scores at once.
"""

import argparse
import json
import subprocess
import sys
from time import perf_counter

from benchmarks.traffic import texts
from benchmarks.workers import REPOSITORY
from models.artifact import load_artifact
from models.classifier import Classifier
from streams.agents.agent import CHUNKS
from streams.config.settings import Settings

WARM_UP_TEXTS = 500


def texts_per_second(model: str, seconds: float, threads: int = 1) -> float:
    """Texts a second of `model`, measured for some `seconds` in a new process."""
    command = [sys.executable, "-m", "benchmarks.bare", model, str(seconds), str(threads)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def _measure(model: str, seconds: float, threads: int) -> float:
    lot = CHUNKS * Settings().chunk_records
    sample = texts(20 * lot)
    lots = [sample[i : i + lot] for i in range(0, len(sample), lot)]
    classifier = Classifier(load_artifact(model), threads=threads)
    classifier.score(sample[:WARM_UP_TEXTS])
    done = 0
    begun = perf_counter()
    while perf_counter() - begun < seconds:
        done += len(classifier.score(lots[done // lot % len(lots)]))
    return done / (perf_counter() - begun)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model")
    arguments.add_argument("seconds", type=float)
    arguments.add_argument("threads", type=int)
    options = arguments.parse_args()
    print(json.dumps(_measure(options.model, options.seconds, options.threads)))
