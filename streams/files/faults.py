"""The rows of a file that could not be read, in sum."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from recordings.fault import Fault, named

SHOWN: Final = 10
"""How many are listed: in a file of another kind than said every row is one."""


@dataclass(slots=True)
class Faults:
    """Counts what it is told, and keeps the first ones."""

    path: Path | str
    count: int = 0
    first: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Take one."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(fault)

    def lines(self) -> list[str]:
        """In words: how many, then where and why, without what stands there; nothing where there was none."""
        if not self.count:
            return []
        lines = [f"{named(self.path)}: {self.count:,} rows could not be read"]
        lines += [f"  line {fault.line}: {fault.what}" for fault in self.first]
        if self.count > len(self.first):
            lines.append(f"  … and {self.count - len(self.first):,} more")
        return lines
