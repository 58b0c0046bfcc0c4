"""What one turn of the flywheel gains: half of the airline tweets are known, the other half comes as live traffic.

    python -m benchmarks.flywheel --data DIR --out OUT

needs the extra `training` and its base weights, and DIR with airline/{train,dev,test}.csv. An edge network of 2x128
learns from the known half's labels. It serves, with the shipped cloud, in a line on the embedded broker; the other
half is sent through it. `edgewise flywheel collect` makes a set of what the cloud has answered, and the same network
learns from both. The agent `shadow` tries it on samples/airline.csv, `edgewise models compare` judges it, `edgewise
models promote` puts it in force while the workers run, and the test set's texts are sent through. Then the results
are counted by model.

The networks have no teacher and few passes: they are for what one set is worth beside another, no more. Each is
trained with every seed; the line runs with those of the first. The cloud has learned from the live half when it was
made, so its labels there are better than they would be on texts that are new: its accuracy on them is printed, and
with people's labels on the same texts the network is trained as well.
"""

import argparse
import csv
import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.brokers import installation, running
from benchmarks.workers import environment, working
from models.artifact import load_artifact
from models.classifier import Classifier
from models.promotion import add_version, put_in_force
from schemas.records import LABELS, TranscriptEvent
from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import message_value
from streams.kafka.reader import read_topic
from streams.monitoring.paired import Pairs, Stratum, gain_interval, p_value
from streams.system.clock import now_ms
from streams.verify.drain import wait_until_drained
from training.config.config import Config, Schedule
from training.config.sources import Source
from training.data import corpus, statistics
from training.data.corpus import held_out

SCHEDULE = Schedule(epochs=6, rate=1e-3, batch=64)

# Five times the default: of 2,000 events 40 would be too few to judge by. A real line has a week of them.
RANDOM_RATE = 0.1

PEOPLE, SAME = "known half", "known half and people's labels of the live texts"
LEARNED = "known half and the collected set"

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "airline.csv"
Row = Mapping[str, str]


def main() -> None:
    """Runs all of it and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with airline/")
    parser.add_argument("--out", type=Path, required=True, help="a folder for what is made")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    out, data = given.out.resolve(), given.data / "airline"
    live = split(data, out)
    first = [trained(out, PEOPLE, [], each) for each in seeds(given)]
    source = collected(out, first[0], live)
    right = relabelled(out, live)
    second = [trained(out, LEARNED, [source | {"train": "live/live.jsonl"}], each) for each in seeds(given)]
    bound = [trained(out, SAME, [source | {"train": "people.jsonl"}], each) for each in seeds(given)]
    show_accuracy(data / "test.csv", {PEOPLE: first, LEARNED: second, SAME: bound})
    print(f"\nof the collected labels people gave {right:.3f} too\n")
    try_and_promote(out, first[0], second[0], rows(data / "test.csv"))


def seeds(given: argparse.Namespace) -> range:
    """The seeds, from 1."""
    return range(1, given.seeds + 1)


def rows(path: Path) -> list[Row]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def split(data: Path, out: Path) -> list[Row]:
    """The rows of train.csv that come as live traffic, by a hash of their ids: half of those that no recording has.

    The other half and what is measured on lie in `out` for training to read.
    """
    recorded = {row["id"] for row in rows(SAMPLES)}
    found = [row for row in rows(data / "train.csv") if row["id"] not in recorded]
    known = [row for row in found if not held_out(f"flywheel {row['id']}", 0.5)]
    live = [row for row in found if held_out(f"flywheel {row['id']}", 0.5)]
    out.mkdir(parents=True, exist_ok=True)
    for name, part in (("known", known), ("dev", rows(data / "dev.csv")), ("test", rows(data / "test.csv"))):
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, part[0].keys())
            writer.writeheader()
            writer.writerows(part)
    return live


def trained(out: Path, what: str, extra: Sequence[Mapping[str, Any]], seed: int) -> Path:
    """The folder of the edge artifact that learned from the known half and `extra` sources; made once."""
    from training.artifacts import calibrate, manifest
    from training.artifacts.compress import write_model
    from training.learn import bases, curriculum, finetune
    from training.learn.network import MAX_TOKENS

    folder = out / "models" / f"{what.replace(' ', '-').replace(chr(39), '')}-{seed}"
    if (folder / "manifest.json").is_file():
        return folder
    domain = Source(
        name="airline", role="domain", train=("known.csv",), dev=("dev.csv",), test=("test.csv",),
        agreement="label_confidence", licence="CC BY-NC-SA 4.0", origin="half of Twitter US Airline Sentiment",
    )  # fmt: skip
    config = Config(data=out, sources=(domain, *map(Source.model_validate, extra)))
    data = corpus.load(config)
    base, tokenizer = bases.load(bases.TINY, curriculum.texts(data), config.vocabulary)
    model = finetune.with_head(base.bert, seed)
    model = finetune.finetune(model, tokenizer, data.domain_train, data, SCHEDULE, seed, lambda _: None)
    write_model(model, tokenizer, folder, "int8s", [example.text for example in data.domain_train])
    manifest.describe(
        folder, name="edge", source=f"{what}, seed {seed}", base=bases.TINY.name, max_tokens=MAX_TOKENS, seed=seed,
        data=manifest.data_of(statistics.describe(config, data)), libraries={},
    )  # fmt: skip
    calibrate.calibrate(folder, data, routes=True, threads=1)
    print(f"{what}, seed {seed}: {len(data.domain_train):,} texts learned from", file=sys.stderr)
    return folder


def relabelled(out: Path, live: Iterable[Row]) -> float:
    """The share of the collected labels that people gave too. The set with people's labels instead lies in `out`."""
    known = {row["text"]: row["label"] for row in live}
    collected = [json.loads(line) for line in (out / "live" / "live.jsonl").read_text("utf-8").splitlines()]
    # Redaction has changed some texts: of these nobody's label is known, and they stay out of both figures.
    pairs = [(row, known[row["text"]]) for row in collected if row["text"] in known]
    with (out / "people.jsonl").open("w", encoding="utf-8") as file:
        for row, label in pairs:
            file.write(json.dumps(row | {"label": label, "agreement": 1.0}) + "\n")
    return float(np.mean([row["label"] == label for row, label in pairs]))


def collected(out: Path, serves: Path, live: Iterable[Row]) -> dict[str, Any]:
    """The source of the set that was collected of `live`, scored by the artifact `serves` and the cloud; made once."""
    if not (out / "live" / "source.toml").is_file():
        with line(out / "first", serves) as settings, working(settings, ["edge", "cloud"]):
            send(settings, "live", live)
            wait_until_drained(settings, agents=["edge", "cloud"])
            licence = "CC BY-NC-SA 4.0"
            print(edgewise(settings, "flywheel", "collect", "--licence", licence, "--out", str(out / "live")))
    source: dict[str, Any] = tomllib.loads((out / "live" / "source.toml").read_text("utf-8"))["sources"][0]
    return source


def try_and_promote(out: Path, serves: Path, candidate: Path, after: Iterable[Row]) -> None:
    """Has the shadow try `candidate` beside `serves`, compares, promotes, sends `after`, counts results by model."""
    with line(out / "second", serves, shadow_model=str(candidate)) as settings:
        with working(settings, ["edge", "cloud"]):
            with working(settings, ["shadow"]):
                send(settings, "recorded", rows(SAMPLES))
                wait_until_drained(settings, agents=["edge", "cloud", "shadow"])
            print(edgewise(settings, "models", "compare", str(candidate)), "\n")
            print(edgewise(settings, "models", "promote", str(candidate)), "\n")
            send(settings, "test", after)
            wait_until_drained(settings, agents=["edge", "cloud"])
        show_results(settings)


@contextmanager
def line(versions: Path, serves: Path, **values: str) -> Iterator[Settings]:
    """The settings of a line on an embedded broker, with `serves` in force in the folder `versions`."""
    put_in_force(versions, add_version(versions, load_artifact(str(serves))).id)
    with running("embedded") as servers:
        yield installation(servers, edge_model=str(versions), random_cloud_rate=RANDOM_RATE, **values)


def send(settings: Settings, name: str, found: Iterable[Row]) -> None:
    """Sends the rows' texts to `transcripts`, each a conversation of its own."""
    producer, encode, now = Cluster(settings).producer(), codec(settings, TRANSCRIPTS).encode, now_ms()
    for row in found:
        event = TranscriptEvent(
            event_id=f"{name}-{row['id']}", conversation_id=f"{name}-{row['id']}", turn=1, text=row["text"],
            occurred_at=now, role="customer", channel="social", source=name,
        )  # fmt: skip
        producer.produce(settings.topic(TRANSCRIPTS), encode(event), event.conversation_id)
        producer.poll(0)
    producer.flush(60)


def edgewise(settings: Settings, *arguments: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-P", "-m", "edgewise", *arguments]
    root = str(SAMPLES.parents[1])
    variables = environment(settings) | {"PYTHONPATH": root, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.strip()


def show_accuracy(test: Path, models: Mapping[str, Sequence[Path]]) -> None:
    """The accuracy of each kind of model on the test set, a figure a seed, and the gain over the first kind."""
    found = rows(test)
    texts, truth = [row["text"] for row in found], np.array([LABELS.index(row["label"]) for row in found])
    right = {
        what: [Classifier(load_artifact(str(each))).score(texts).argmax(axis=1) == truth for each in folders]
        for what, folders in models.items()
    }
    print(f"\nairline test, {len(found):,} texts, people's labels, a figure a seed")
    before = right[PEOPLE]
    for what, each in right.items():
        accuracies = ", ".join(f"{hits.mean():.3f}" for hits in each)
        print(f"  {what}: {np.mean([hits.mean() for hits in each]):.3f} ({accuracies})")
        if what == PEOPLE:
            continue
        for seed, (old, new) in enumerate(zip(before, each, strict=True), 1):
            pairs = Pairs(
                int((old & new).sum()), int((old & ~new).sum()), int((new & ~old).sum()), int((~old & ~new).sum())
            )
            low, high = gain_interval([Stratum(pairs.known, pairs)], 0.95)
            print(f"    seed {seed}: {pairs.gain:+.3f} ({low:+.3f} to {high:+.3f}), McNemar p {p_value(pairs):.3f}")


def show_results(settings: Settings) -> None:
    """How many results each model has given, by what was sent."""
    decode = codec(settings, SENTIMENT).decode
    results = [decode(message_value(message)) for message in read_topic(Cluster(settings), SENTIMENT)]
    for (sent, model), count in sorted(Counter((each.source, each.model) for each in results).items()):
        print(f"{sent}: {count:,} results of {model}")
    print(f"events with more than one result: {len(results) - len({each.event_id for each in results})}")


if __name__ == "__main__":
    main()
