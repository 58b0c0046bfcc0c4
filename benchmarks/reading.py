"""What reading a file costs an event, beside `json.loads` or `csv.reader` of the same bytes, and where the rest goes.

    python -m benchmarks.reading [--rows 20000] [--rounds 7]

Every format and dialect is read in turns with the plain way, in rounds of which the first does not count; a ratio is of
the two in one round. Time is the processor's: what else the machine does is left out. `rows` are what `edgewise score`
reads; `events` are what `edgewise replay` sends, before Avro. The second table has the ratio after each step of the way
from bytes to events. A vendor's objects are the samples of the tests.
"""

import argparse
import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from time import thread_time
from typing import NamedTuple

from backports import zstd

from benchmarks.figure import Figure, VoidError, figure
from benchmarks.table import show
from recordings.csv_records import csv_records
from recordings.dialect import Dialect
from recordings.encoding import Checked, decoded
from recordings.fault import stop_at
from recordings.json_records import json_values
from recordings.source import opened
from streams.files.formats.registry import FORMATS, read
from streams.files.formats.turn import Hints
from streams.files.recorded_event import Rules, made_events
from streams.files.rows import Input, read_rows
from streams.files.synthetic import messages
from streams.system.clock import now_ms
from tests.vendor_objects import vendor_object

TALK = 12  # turns of a conversation
VENDORS_OBJECTS = 500


class File(NamedTuple):
    """A file to read, how many rows it has, and the plain way of reading its bytes."""

    path: Path
    rows: int
    plain: Callable[[bytes], object]


def main() -> None:
    """Prints three tables: formats and dialects, the steps of two of them, then vendors."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=7)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgewise-reading-") as folder:
        figures: list[Figure] = []
        steps: list[Figure] = []
        for name, file in _files(Path(folder), arguments.rows):
            figures += _measured(name, file, arguments.rounds)
            if name in _STEPS:
                steps += _stepped(name, file, arguments.rounds)
    show(f"Reading {arguments.rows:,} rows, {arguments.rounds} rounds: beside the plain way, 1 is as fast", figures)
    show("The same after each step", steps)
    vendors = [_vendor(name, arguments.rounds) for name in FORMATS if not isinstance(vendor_object(name), str)]
    show(f"Vendors' objects to turns, {arguments.rounds} rounds: beside json.loads, 1 is as fast", vendors)


def _files(folder: Path, count: int) -> Iterable[tuple[str, File]]:
    rows = [
        {"id": str(number), "conversation_id": f"c{number // TALK}", "at": "2026-01-31T12:00:00Z", "text": message.text}
        for number, message in enumerate(messages(count, 1))
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    for ending, pack, unpack in (
        ("", bytes, bytes), (".gz", gzip.compress, gzip.decompress), (".zst", zstd.compress, zstd.decompress),
    ):  # fmt: skip
        path = folder / f"a.jsonl{ending}"
        path.write_bytes(pack(lines))
        yield f"jsonl{ending}", File(path, count, lambda data, unpack=unpack: _loads(unpack(data).splitlines()))  # type: ignore[misc]
    (folder / "array.json").write_bytes(json.dumps(rows).encode())
    yield "json array", File(folder / "array.json", count, json.loads)
    talks = [{"id": f"c{i}", "turns": rows[i : i + TALK]} for i in range(0, count, TALK)]
    (folder / "talks.jsonl").write_text("".join(json.dumps(talk) + "\n" for talk in talks))
    yield "jsonl of conversations", File(folder / "talks.jsonl", count, lambda data: _loads(data.splitlines()))
    for name, delimiter, encoding in (
        ("csv", ",", "utf-8"), ("csv, semicolons", ";", "utf-8"), ("tsv", "\t", "utf-8"),
        ("csv, UTF-16", ",", "utf-16"), ("csv, cp1252", ",", "cp1252"),
    ):  # fmt: skip
        path = folder / f"{name}.csv"
        with path.open("w", encoding=encoding, newline="", errors="replace") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        yield name, File(path, count, lambda data, d=delimiter, e=encoding: _cells(data, d, e))  # type: ignore[misc]
    (folder / "lines.txt").write_text("".join(row["text"] + "\n" for row in rows))
    yield "lines", File(folder / "lines.txt", count, lambda data: data.decode().splitlines())


def _loads(lines: Iterable[bytes]) -> None:
    for line in lines:
        json.loads(line)


def _cells(data: bytes, delimiter: str, encoding: str) -> None:
    for _ in csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding, newline=""), delimiter=delimiter):
        pass


def _measured(name: str, file: File, rounds: int) -> list[Figure]:
    given = Input(encoding="cp1252" if "cp1252" in name else None)

    def rows() -> None:
        _require(read_rows(file.path, given), file.rows)

    def events() -> None:
        rows = read_rows(file.path, given)
        _require(made_events(rows, file.path, "digest", Rules(), now_ms), file.rows)

    taken = [(_took(lambda: file.plain(file.path.read_bytes())), _took(rows), _took(events)) for _ in range(rounds + 1)]
    kept = taken[1:]
    return [
        figure(f"{name}: rows", "", "/s", [file.rows / each[1] for each in kept]),
        figure(f"{name}: rows, ratio", "", "", [each[0] / each[1] for each in kept]),
        figure(f"{name}: events, ratio", "", "", [each[0] / each[2] for each in kept]),
    ]


def _read_bytes(path: Path) -> Iterable[object]:
    with opened(path) as source:
        while source.read(64 * 1024):
            pass
    return ()


def _csv_lines(path: Path) -> Iterable[object]:
    with opened(path) as source:
        yield from chain.from_iterable(Checked(decoded(source)).runs())


def _csv_cells(path: Path) -> Iterable[object]:
    with opened(path) as source:
        yield from csv.reader(chain.from_iterable(Checked(decoded(source)).runs()), strict=True)


def _csv_records(path: Path) -> Iterable[object]:
    with opened(path) as source:
        yield from csv_records(Checked(decoded(source)), Dialect(), path, stop_at(path))


def _json_values(path: Path) -> Iterable[object]:
    with opened(path) as source:
        source.lines = False
        yield from json_values(decoded(source), path)


def _events(path: Path) -> Iterable[object]:
    return made_events(read_rows(path), path, "digest", Rules(), now_ms)


_STEPS: Mapping[str, Mapping[str, Callable[[Path], Iterable[object]]]] = {
    "csv": {
        "bytes, with their digest": _read_bytes, "lines, checked": _csv_lines, "cells": _csv_cells,
        "cells by the header's names": _csv_records, "rows": read_rows, "events": _events,
    },
    "json array": {
        "bytes, with their digest": _read_bytes, "objects": _json_values, "rows": read_rows, "events": _events,
    },
}  # fmt: skip


def _stepped(name: str, file: File, rounds: int) -> list[Figure]:
    """The plain way's time beside that of each step, with all before it."""
    taken = [
        [_took(lambda: file.plain(file.path.read_bytes())), *(_took(partial(_run, step, file)) for step in steps)]
        for steps in [_STEPS[name].values()]
        for _ in range(rounds + 1)
    ]
    return [
        figure(f"{name}: {what}", "", "", [each[0] / each[place] for each in taken[1:]])
        for place, what in enumerate(_STEPS[name], 1)
    ]


def _run(step: Callable[[Path], Iterable[object]], file: File) -> None:
    for _ in step(file.path):
        pass


def _require(found: Iterable[object], count: int) -> None:
    if sum(1 for _ in found) != count:
        raise VoidError("not all rows were read")


def _vendor(name: str, rounds: int) -> Figure:
    line = json.dumps(vendor_object(name))
    hints = Hints(conversation_id="c", base_ms=1_767_606_914_000)

    def plain() -> None:
        for _ in range(VENDORS_OBJECTS):
            json.loads(line)

    def turns() -> None:
        for _ in range(VENDORS_OBJECTS):
            read(json.loads(line), hints, name)

    taken = [(_took(plain), _took(turns)) for _ in range(rounds + 1)]
    return figure(name, "", "", [before / after for before, after in taken[1:]])


def _took(work: Callable[[], object]) -> float:
    begun = thread_time()
    work()
    return thread_time() - begun


if __name__ == "__main__":
    main()
