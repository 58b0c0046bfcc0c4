"""`edgewise inspect`: what would be read of a file, as what, and what looks wrong, before anything is sent."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from recordings.fault import STDIN, RecordingError
from recordings.read import PLAIN, Found
from schemas.validation import CLOCK_SKEW_MS
from schemas.vendor_sentiment import vendor_label
from streams.files.columns import COLUMNS, Columns
from streams.files.faults import Faults
from streams.files.recorded_event import Made, Rules, made_events
from streams.files.recorded_time import Times
from streams.files.recording import Row, can_be_read_twice, digest
from streams.files.rows import BY_CONTENT, Input, read_rows
from streams.files.survey import Survey
from streams.files.vendor_file import NO_START, LeftOutCounts
from streams.system.clock import Clock

SHOWN: Final = 3
"""How many events are shown."""

_LONGEST_TEXT: Final = 60


@dataclass(slots=True)
class Inspection:
    """What was found in a file; `unreadable` is why its end was not reached."""

    path: Path | str
    found: Found | None = None
    columns: dict[str, str] = field(default_factory=dict)  # a field of the event to the first column with a value
    others: list[str] = field(default_factory=list)  # columns that become attributes
    first: list[Made] = field(default_factory=list)
    survey: Survey = field(default_factory=Survey)
    faults: Faults = field(default_factory=lambda: Faults(STDIN))
    left_out: LeftOutCounts = field(default_factory=dict)
    vendor_labels: Counter[str] = field(default_factory=Counter)
    unreadable: str = ""
    without_start: int = 0  # turns of a vendor that tell only how long after the start they were

    @property
    def refused(self) -> bool:
        """Whether `edgewise replay` with the same options sends nothing of it."""
        return bool(self.unreadable or self.faults.count or self.survey.ids.repeated or self.without_start)

    @property
    def wrong(self) -> list[str]:
        """What looks wrong, and the way out, in words."""
        survey = self.survey
        ids = survey.ids
        lines = ", ".join(str(line) for line in ids.lines)
        unknown = survey.roles["unknown"]
        return [
            *([self.unreadable] if self.unreadable else []),
            *self.faults.lines(),
            *_if(
                ids.repeated,
                f"{ids.repeated:,} ids repeat, first in line {lines}: replay refuses the file without --repeated-ids "
                "apart; or name the conversation's id: --column conversation_id=COLUMN",
            ),
            *_if(survey.rounded, f"{survey.rounded:,} ids look rounded by a spreadsheet: export them as text"),
            *_if(survey.blank, f"{survey.blank:,} texts are empty: they are not scored"),
            *_if(unknown, f"who speaks is unknown in {unknown:,} of {survey.rows:,} rows: --role-map WHO=ROLE"),
            *_if(
                survey.untimed,
                f"{survey.untimed:,} of {survey.rows:,} rows have no time: "
                + (NO_START if self.without_start else "they happen when they are replayed"),
            ),
            *_if(survey.reordered, f"{survey.reordered:,} conversations are not in order: turns go by their times"),
            *_if(
                "conversation_id" not in self.columns and survey.conversations == survey.rows > 1,
                "each row is a conversation of its own: name its id with --column conversation_id=COLUMN",
            ),
            *_if(not survey.rows and not self.unreadable, "nothing was read"),
        ]


def inspect(path: Path | str, given: Input, time_format: str | None, clock: Clock) -> Inspection:
    """Reads the file at `path`, or standard input for `-`, as `edgewise replay` would, to its end or to what ends it.

    Raises UsageError: `given` contradicts itself.
    """
    inspection = Inspection(path, faults=Faults(path))

    def note(found: Found) -> None:
        inspection.found = found

    def leave_out(counts: LeftOutCounts) -> None:
        inspection.left_out = counts

    times = Times(form=time_format, base_ms=given.vendor.base_ms, latest_ms=clock() + CLOCK_SKEW_MS)
    rules = Rules(columns=given.columns, roles=given.vendor.roles, times=times)
    columns = Columns(given.columns)
    try:
        sha = digest(Path(path)) if can_be_read_twice(path) else STDIN
        rows = read_rows(path, given, on_left_out=leave_out, on_fault=inspection.faults.add, on_found=note)
        seen = (_look(inspection, row, columns) for row in rows)
        for made in made_events(seen, path, sha, rules, clock, inspection.faults.add):
            inspection.survey.add(made)
            label = vendor_label(made.event.attributes)
            inspection.vendor_labels[label or ""] += 1
            inspection.without_start += made.row.is_vendors and not made.timed and "offset_ms" in made.event.attributes
            if len(inspection.first) < SHOWN:
                inspection.first.append(made)
    except RecordingError as error:
        inspection.unreadable = str(error)
    inspection.first = [made._replace(event=inspection.survey.final(made.event)) for made in inspection.first]
    return inspection


def _look(inspection: Inspection, row: Row, columns: Columns) -> Row:
    """The row; its columns are noted."""
    found, rest = columns.split(row.fields)
    for name, column in found.items():
        inspection.columns.setdefault(name, column)
    for name in islice(rest, 100):
        if name not in inspection.others and len(inspection.others) < 100:
            inspection.others.append(name)
    return row


def described(inspection: Inspection) -> list[str]:
    """The inspection in words, a line each; no text of a customer's but the first rows', which were asked for."""
    survey = inspection.survey
    lines = [f"{inspection.path}: {inspection.found or 'unknown'}"]
    lines.append(f"  {survey.rows:,} events in {survey.conversations:,} conversations" + _span(survey))
    for title, counts in (("roles", survey.roles), ("channels", survey.channels), ("languages", survey.languages)):
        named = {name or "none": count for name, count in counts.items()}
        if set(named) - {"none", "unknown"}:
            lines.append(f"  {title}: " + _counted(named))
    if told := {name: count for name, count in inspection.vendor_labels.items() if name}:
        lines.append("  the vendor's sentiment: " + _counted(told))
    if inspection.left_out:
        lines.append(
            "  left out, as no turns: " + _counted({str(why): count for why, count in inspection.left_out.items()})
        )
    if inspection.found is not None and inspection.found.format in {*PLAIN, BY_CONTENT}:
        lines.append("columns")
        shown = [name for name in COLUMNS if name in inspection.columns or name in _ALWAYS]
        lines += [f"  {name:<16} {inspection.columns.get(name, '-')}" for name in shown]
        if inspection.others:
            lines.append(f"  {'attributes':<16} {', '.join(inspection.others)}")
    if inspection.first:
        lines.append("first events")
        lines += [f"  {_event(made, 'event_id' in inspection.columns)}" for made in inspection.first]
    lines.append("looks wrong" if inspection.wrong else "nothing looks wrong")
    lines += [f"  {line}" for line in inspection.wrong]
    return lines


_ALWAYS: Final = ("event_id", "conversation_id", "role", "text", "occurred_at")


def _event(made: Made, has_ids: bool) -> str:
    event = made.event
    text = " ".join(event.text.split())
    shown = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    own = event.event_id if has_ids else "id made"
    conversation = event.conversation_id if event.conversation_id != event.event_id else "itself"
    time = _time(event.occurred_at) if made.timed else "no time"
    return f"{own} of {conversation}, turn {event.turn}, {event.role}, {time}: {shown}"


def _span(survey: Survey) -> str:
    if survey.first_ms is None or survey.last_ms is None:
        return ""
    return f", {_time(survey.first_ms)} to {_time(survey.last_ms)}"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counted(counts: dict[str, int]) -> str:
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    shown = ", ".join(f"{name} {count:,}" for name, count in most[:8])
    return shown + (f", {len(most) - 8} more" if len(most) > 8 else "")


def _if(holds: object, line: str) -> list[str]:
    return [line] if holds else []
