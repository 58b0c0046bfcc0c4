"""Makes `samples/`, the recordings that the demo replays: real traffic, labelled where its source is.

The airline rows are dev and the rows held out of training (see `training.data.corpus`): never a row of the test split,
never a row that the shipped models were trained on.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from training.config import config
from training.config.sources import CorpusError
from training.data.corpus import held_out
from training.data.rows import label_id

SHIPPED = Path(__file__).parents[1] / "configs" / "shipped.toml"
"""What the shipped models were trained with, and so what was held out of it."""

AIRLINE_COLUMNS = ("id", "text", "label", "created_at", "company")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One turn of a recording; the columns of the CSV and the fields of the JSON lines, in this order."""

    id: str
    conversation_id: str
    turn: int
    role: str
    channel: str
    language: str
    text: str
    occurred_at: str
    company: str
    label: str = ""


def utc(moment: datetime) -> str:
    """A time with a zone as ISO 8601 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of one of the airline set's files.

    Raises CorpusError: there is no such file, or it lacks one of `AIRLINE_COLUMNS`.
    """
    if not path.is_file():
        raise CorpusError(f"{path}: no such file; --data must name the folder that holds airline/")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in AIRLINE_COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise CorpusError(f"{path}: no column {', '.join(missing)}")
        yield from reader


def airline(folder: Path) -> list[Recorded]:
    """Dev and the held-out training rows of `folder`, oldest first."""
    share = next(source for source in config.read(SHIPPED).sources if source.role == "domain").sample_share
    rows = list(read_rows(folder / "dev.csv"))
    rows += [row for row in read_rows(folder / "train.csv") if held_out(row["id"], share)]
    turns = []
    for row in rows:
        label_id(row["label"], f"{folder}, id {row['id']}")
        turns.append(
            Recorded(
                id=row["id"],
                conversation_id=row["id"],
                turn=1,
                role="customer",
                channel="social",
                language="en",
                text=row["text"],
                occurred_at=utc(datetime.strptime(row["created_at"], "%Y-%m-%d %H:%M:%S %z")),
                company=row["company"],
                label=row["label"],
            )
        )
    return sorted(turns, key=lambda turn: (turn.occurred_at, turn.id))


def care(path: Path) -> Iterator[Recorded]:
    """Every turn of the threads in `path`, one thread after the other, turns counted from 1.

    Raises CorpusError: there is no such file.
    """
    if not path.is_file():
        raise CorpusError(f"{path}: no such file; --data must name the folder that holds care/")
    with path.open(encoding="utf-8") as file:
        for line in file:
            thread = json.loads(line)
            for number, turn in enumerate(thread["turns"], start=1):
                yield Recorded(
                    id=f"{thread['conversation_id']}-{number}",
                    conversation_id=thread["conversation_id"],
                    turn=number,
                    role=turn["speaker"],
                    channel="social",
                    language="en",
                    text=turn["text"],
                    occurred_at=utc(datetime.fromisoformat(turn["at"])),
                    company=thread["company"],
                )


def write(data: Path, out: Path) -> dict[str, int]:
    """Writes `airline.csv` and `care.jsonl` to `out` from the data folder. Returns how many turns each has."""
    out.mkdir(parents=True, exist_ok=True)
    labelled = airline(data / "airline")
    with (out / "airline.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Recorded)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(turn) for turn in labelled)
    threads = list(care(data / "care" / "dev.jsonl"))
    with (out / "care.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for turn in threads:
            record = {name: value for name, value in asdict(turn).items() if name != "label"}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return {"airline.csv": len(labelled), "care.jsonl": len(threads)}
