"""What was played, as JSON lines: a run of an hour that was interrupted goes on where it stopped."""

import json
from pathlib import Path
from typing import NamedTuple

from tests.faults.scene import Outcome


class Failure(NamedTuple):
    """A fault that the line did not stand, or that could not be played."""

    fault: str
    brokers: int
    seed: int
    why: str

    def __str__(self) -> str:
        return f"{self.fault}, {self.brokers} broker{'s' * (self.brokers > 1)}, seed {self.seed}: {self.why}"


def load(path: Path) -> list[Outcome | Failure]:
    """What `add` wrote; nothing where there is no file."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [Failure(**line) if "why" in line else Outcome(**line) for line in lines]


def add(path: Path, played: Outcome | Failure) -> None:
    """Append a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        print(json.dumps(played._asdict()), file=file)
