"""Scored rows as files, and in sum."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TextIO

from schemas.errors import UsageError
from schemas.records import LABELS, nanodollars
from streams.files.score import CHUNK, FIELDS
from streams.system.json_text import finite, json_text


@dataclass
class Summary:
    """What became of scored rows."""

    rows: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # by reason
    cost_nanos: int = 0
    cloud_only_cost_nanos: int = 0

    def counting(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """`rows`, counted as they pass."""
        for row in rows:
            self.rows += 1
            if row["sentiment"] is None:
                self.refused[row["reason"]] += 1
            else:
                self.routes[row["route"]] += 1
                self.labels[row["sentiment"]] += 1
                self.cost_nanos += nanodollars(row["cost_usd"])
                self.cloud_only_cost_nanos += nanodollars(row["cloud_only_cost_usd"])
            yield row

    def lines(self) -> list[str]:
        """The summary in words."""
        scored = self.routes.total()
        lines = [f"{scored:,} of {self.rows:,} rows scored"]
        if self.refused:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.most_common())
            lines.append(f"  not scored: {reasons}")
        if scored:
            for counts, names in ((self.labels, LABELS), (self.routes, ("edge", "cloud"))):
                lines.append(
                    "  " + ", ".join(f"{name} {counts[name]:,} ({counts[name] / scored:.1%})" for name in names)
                )
            cost, cloud_only = self.cost_nanos / 1e9, self.cloud_only_cost_nanos / 1e9
            saved = f": {1 - cost / cloud_only:.1%} saved" if cloud_only else ""
            lines.append(f"  cost ${cost:.4f}; with the cloud alone ${cloud_only:.4f}{saved}")
        return lines


def write_jsonl(rows: Iterable[Mapping[str, object]], out: TextIO) -> None:
    """Writes a JSON object a line; a number that is not finite is null."""
    for row in rows:
        line = json_text(row)
        # Half a surrogate pair, which JSON can name, has no UTF-8: such a row goes out the way it came in, escaped.
        out.write((line if _has_utf8(line) else json.dumps(finite(row))) + "\n")


def write_csv(rows: Iterable[Mapping[str, object]], out: TextIO) -> None:
    """Writes CSV with a header: the fields of the first `CHUNK` rows, the result's last. Nested values are JSON.

    Raises UsageError: a later row has a field that the header lacks.
    """
    remaining = iter(rows)
    first = list(islice(remaining, CHUNK))
    names = dict.fromkeys(name for row in first for name in row if name not in FIELDS)
    header = [*names, *FIELDS]
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(chain(first, remaining), 1):
        if new := [name for name in row if name not in names and name not in FIELDS]:
            raise UsageError(
                f"row {number} has the field {new[0]!r}, which none of the first {CHUNK:,} rows has; CSV's columns are "
                "fixed by then: write JSONL instead"
            )
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: object) -> object:
    value = finite(value)
    if isinstance(value, dict | list | bool):
        value = json_text(value)
    if isinstance(value, str) and not _has_utf8(value):
        return value.encode("utf-8", "replace").decode()
    return value


def _has_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
