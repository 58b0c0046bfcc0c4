"""The rows in the files of a source: CSV or JSON lines. An error names the line that is wrong."""

import glob
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recordings.fault import RecordingError
from recordings.read import FORMATS, ending_of, values
from recordings.source import opened
from schemas.records import LABELS, Label, Role
from training.config.sources import CorpusError, Source

_SURROGATE = re.compile("[\ud800-\udfff]")

_OF_TURNS = ("extra", "measured")
"""The roles of sources whose turns are texts of their own; of the others a conversation is one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text of a file: `parts` are the turns of a conversation, else the one text. `label` indexes LABELS."""

    id: str
    parts: tuple[str, ...]
    label: int
    agreement: float
    role: Role = "unknown"


def label_id(name: str, where: str, labels: Mapping[str, Label] | None = None) -> int:
    """The index of a label in `LABELS`; `labels` has names of one's own.

    Raises CorpusError: it is none of them. The error says `where`.
    """
    plain = name.strip().lower()
    own = {key.strip().lower(): value for key, value in (labels or {}).items()}
    try:
        return LABELS.index(own.get(plain, plain))  # type: ignore[arg-type]  # whether it is one is the question
    except ValueError:
        # Where columns are mixed up the label may be a customer's words, which an error must not repeat.
        shown = repr(name) if len(plain) <= 24 and len(plain.split()) <= 2 else f"of {len(plain)} characters"
        allowed = ", ".join([*LABELS, *(labels or {})])
        raise CorpusError(f"{where}: label {shown} is not one of {allowed}") from None


def unescape(text: str) -> str:
    r"""Undoes the `\u2019` escapes in which SemEval's files write every tenth tweet's commas and quotes.

    Halves of a character outside the first 65,536, which JSON's escapes can leave, are joined, or replaced if alone.
    """
    if "\\u" in text:
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def paths(data: Path, patterns: Sequence[str]) -> list[Path]:
    """The files that `patterns` name in `data`, in the order of the patterns, then of their names.

    Raises CorpusError: a pattern names no file.
    """
    found: list[Path] = []
    for pattern in patterns:
        # Path.glob takes no absolute pattern. A name with brackets is looked up as a file first, then as a pattern.
        names = [pattern] if (data / pattern).is_file() else sorted(glob.glob(pattern, root_dir=data))  # noqa: PTH207
        files = [data / name for name in names if (data / name).is_file()]
        if not files:
            raise CorpusError(f"{data / pattern}: no such file; `data` (or --data) names the folder that it is in")
        found += [file for file in files if file not in found]
    return found


def rows(source: Source, path: Path, labelled: bool) -> Iterator[Row]:
    """The rows of a file of `source`, without labels unless `labelled`; rows without a text are then left out.

    Of an `extra` or `measured` source with `turns` each turn is a row, and those without a text are left out.

    Raises CorpusError: no such column, an unknown label, a label without a text. It names the line.
    """
    count = 0
    for fields, where in _wanted(source, path):
        count += 1
        parts = _parts(source, fields, where)
        if parts is None:
            continue  # of another speaker
        if not labelled:
            if parts:
                yield Row(_id(source, fields, parts, where), parts, 0, 1.0)
            continue
        label = source.always or _field(fields, source.label, "label", where)
        if _left_out(source, label, " ".join(parts)):
            continue
        if not parts:
            raise CorpusError(f"{where}: a label without a text: take the row out, or fill in {source.text!r}")
        yield Row(
            id=_id(source, fields, parts, where),
            parts=parts,
            label=label_id(label, where, source.labels),
            agreement=_agreement(source, fields, where),
            role=source.said_by if source.role in _OF_TURNS else "unknown",
        )
    if not count:
        raise CorpusError(f"{path}: no rows")


def _left_out(source: Source, label: str, text: str) -> bool:
    if source.other_labels == "left out" and label.strip().lower() not in {
        name.strip().lower() for name in source.labels
    }:
        return True
    if source.matching is not None and not re.search(source.matching, text, re.IGNORECASE):
        return True
    return source.without is not None and re.search(source.without, text, re.IGNORECASE) is not None


def _wanted(source: Source, path: Path) -> Iterator[tuple[Mapping[str, object], str]]:
    """The records that are rows, and where each is: of an `extra` or `measured` source its turns with a text."""
    for line, fields in _records(path):
        where = f"{path}, line {line}"
        if source.role not in _OF_TURNS or source.turns is None:
            yield fields, where
            continue
        for number, turn in enumerate(_turns(source, fields, where), 1):
            place = f"{where}, turn {number}"
            if _field(turn, source.text, "text", place).strip():
                yield turn, place


def _turns(source: Source, fields: Mapping[str, object], where: str) -> list[Any]:
    given = fields.get(str(source.turns))
    if not isinstance(given, list) or not all(isinstance(turn, dict) for turn in given):
        raise CorpusError(f"{where}: {source.turns!r} is not a list of turns; there are {', '.join(fields)}")
    return given


def _parts(source: Source, fields: Mapping[str, object], where: str) -> tuple[str, ...] | None:
    """The texts that are not blank; None where no speaker is wanted."""
    whole = source.turns is None or source.role in _OF_TURNS
    turns = [fields] if whole else _turns(source, fields, where)
    texts, wanted = [], not source.speakers
    for number, turn in enumerate(turns, 1):
        place = where if whole else f"{where}, turn {number}"
        if source.speakers and _field(turn, source.speaker, "speaker", place) not in source.speakers:
            continue
        wanted = True
        texts.append(unescape(_field(turn, source.text, "text", place)))
    return tuple(text for text in texts if text.strip()) if wanted else None


def _id(source: Source, fields: Mapping[str, object], parts: tuple[str, ...], where: str) -> str:
    given = _string(fields.get("id")) if source.id is None else _field(fields, source.id, "id", where)
    return given or hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _agreement(source: Source, fields: Mapping[str, object], where: str) -> float:
    if source.agreement is None or not (given := _field(fields, source.agreement, "agreement", where).strip()):
        return 1.0
    try:
        share = float(given)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise CorpusError(f"{where}: the agreement is not a number from 0 to 1")
    return share


def _field(fields: Mapping[str, object], column: str, key: str, where: str) -> str:
    if column not in fields:
        there = ", ".join(fields) or "none"
        raise CorpusError(f"{where}: no column {column!r}; there are {there}: name it with `{key}` in the source")
    return _string(fields[column])


def _string(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The file's records, each with its line's number, from 1. Raises CorpusError: it is not what its ending says."""
    file_format = FORMATS.get(ending_of(path))
    if file_format not in {"csv", "jsonl"}:
        raise CorpusError(f"{path}: its ending does not tell the format: .csv, .tsv, .jsonl and .ndjson do")
    try:
        with opened(path) as source:
            for line, value in values(source, path, file_format):
                if not isinstance(value, dict):
                    raise CorpusError(f"{path}, line {line}: not a JSON object")
                yield line, value
    except RecordingError as error:
        raise CorpusError(str(error)) from None
