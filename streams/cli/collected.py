"""The folder of a training set that was collected: rows, provenance, what a training run's configuration needs."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from schemas.errors import UsageError
from streams.cli.output import whole_file
from streams.config.settings import Settings
from streams.files.writing import write_jsonl
from streams.operate.flywheel import Tally

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")  # what training takes for a set's name


def write_set(folder: Path, rows: Iterable[Mapping[str, Any]], tally: Tally, settings: Settings, licence: str) -> str:
    """Writes the set to `folder`, and says what is in it; `tally` is what the rows are counted in as they come.

    Raises UsageError: the folder's name is no set's, it can't be written, or there are no rows; what reading them
    raises.
    """
    name = folder.name
    if not _NAME.fullmatch(name):
        raise UsageError(f"--out {folder}: a set's name is small letters, digits and underscores, a letter first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {error.strerror}") from None
    texts = folder / f"{name}.jsonl"
    with whole_file(texts) as file:
        write_jsonl(rows, file)
        if not tally.rows:
            raise UsageError(
                "no event of this time that people or the cloud have labelled has its text in transcripts: "
                "nothing to learn from"
            )
    provenance = _provenance(texts, tally, settings, licence)
    with whole_file(folder / "provenance.json") as file:
        file.write(json.dumps(provenance, indent=2, ensure_ascii=False) + "\n")
    with whole_file(folder / "source.toml") as file:
        file.write(_source(name, texts, provenance))
    return _told(folder, tally)


def _provenance(texts: Path, tally: Tally, settings: Settings, licence: str) -> dict[str, Any]:
    return {
        "format": 1,
        "rows": tally.rows,
        "sha256": sha256(texts.read_bytes()).hexdigest(),
        "licence": licence,
        "topic_prefix": settings.topic_prefix,
        "first": _iso(tally.first_ms),
        "last": _iso(tally.last_ms),
        "labels": dict(tally.labels),
        "labelled_by": dict(tally.by),
        "cloud_models": dict(tally.models),
        "reasons": dict(tally.reasons),
        "sources": dict(tally.sources),
        "redaction": {
            "by": "rules and tagger" if settings.redaction == "tagger" else "rules",
            "kinds": sorted(settings.kinds_redacted),
        },
        "left_out": {
            "beyond_the_most": tally.beyond,
            "without_text": tally.without_text,
            "redaction_failed": tally.not_redacted,
        },
    }


def _source(name: str, texts: Path, provenance: Mapping[str, Any]) -> str:
    by = [f"{rows:,} by {model}" for model, rows in provenance["cloud_models"].items()]
    if people := provenance["labelled_by"].get("people"):
        by.insert(0, f"{people:,} by people")
    origin = f"live traffic from {provenance['first']} to {provenance['last']}, redacted; labels: {', '.join(by)}"
    fields = {
        "name": name,
        "role": "extra",
        "train": texts.name,
        "agreement": "agreement",
        "licence": provenance["licence"],
        "origin": origin,
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(
        [
            "# For the configuration of `edgewise train all`, beside its sources. `train` is relative to its `data`.",
            "[[sources]]",
            *lines,
            "",
        ]
    )


def _told(folder: Path, tally: Tally) -> str:
    parts = [f"{rows:,} labelled by {'people' if by == 'people' else 'the cloud'}" for by, rows in tally.by.items()]
    lines = [f"{folder}: {tally.rows:,} texts, {', '.join(parts)}"]
    left = [
        f"{count:,} {why}"
        for count, why in (
            (tally.beyond, "beyond --max"),
            (tally.without_text, "whose text transcripts no longer holds"),
            (tally.not_redacted, "whose redaction failed"),
        )
        if count
    ]
    if left:
        lines.append(f"left out: {', '.join(left)}")
    lines.append(f"to learn from it, put {folder / 'source.toml'} into the configuration of `edgewise train all`")
    return "\n".join(lines)


def _iso(milliseconds: int | None) -> str:
    return (
        "" if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
    )
