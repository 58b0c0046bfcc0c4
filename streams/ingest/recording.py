"""A recording to replay: surveyed as a whole before anything of it is sent, then read again as its events."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

from recordings.fault import OnFault, RecordingError, stop_at
from schemas.codec import EncodeError
from schemas.records import TranscriptEvent
from schemas.validation import CLOCK_SKEW_MS
from streams.files.faults import Faults
from streams.files.formats.turn import LeftOut
from streams.files.identity import EventIds
from streams.files.recorded_event import Made, Rules, made_events, unmade
from streams.files.recorded_time import Times
from streams.files.recording import digest
from streams.files.rows import Input, read_rows
from streams.files.survey import Survey, number_together
from streams.files.vendor_file import LeftOutCounts

OnError = Literal["stop", "skip", "dead-letter"]


class Recording(NamedTuple):
    """A file to replay, and how it is read.

    The roles and the start of `given.vendor` are of recordings too; `time_format` is as `Times.form`. `on_error` says
    what becomes of a row that no event can be made of. With `apart`, ids that repeat are kept apart.
    """

    path: Path
    given: Input = Input()
    time_format: str | None = None
    on_error: OnError = "stop"
    apart: bool = False

    def survey(self, encode: Callable[[TranscriptEvent], bytes], now_ms: int) -> "Surveyed":
        """The file as a whole, as of `now_ms` (UTC milliseconds): times after that are none.

        Raises RecordingError: it cannot be read, also what Avro cannot hold; or events have the ids of others.
        """
        found = Surveyed(self, digest(self.path), now_ms, Faults(self.path), Survey(EventIds(apart=self.apart)))
        told = stop_at(self.path) if self.on_error == "stop" else found.faults.add
        for made in found.made(told, found.left_out.update):
            try:
                encode(made.event)
            except EncodeError as error:
                told(unmade(made.row, error))
            else:
                found.survey.add(made)
        ids = found.survey.ids
        if ids.repeated and not self.apart:
            lines = ", ".join(f"{line:,}" for line in ids.lines)
            raise RecordingError(
                f"{self.path}: {ids.repeated:,} rows have the id of an earlier one, first in line {lines}: who drops "
                "repeated ids would lose them. Is it the conversation's? --column conversation_id=COLUMN; else "
                "--repeated-ids apart sends them under ids of their own"
            )
        return found


@dataclass(slots=True)
class Surveyed:
    """A recording that was read to its end; `sha` is the digest of its content then."""

    recording: Recording
    sha: str
    now_ms: int
    faults: Faults
    survey: Survey
    left_out: Counter[LeftOut] = field(default_factory=Counter)

    def made(
        self, on_fault: OnFault, on_left_out: Callable[[LeftOutCounts], object] = lambda _: None
    ) -> Iterator[Made]:
        """The file's rows with their events, as they stand in it. Raises RecordingError."""
        recording = self.recording
        given = replace(recording.given, vendor=replace(recording.given.vendor, timed=True))
        times = Times(form=recording.time_format, base_ms=given.vendor.base_ms, latest_ms=self.now_ms + CLOCK_SKEW_MS)
        rules = Rules(columns=given.columns, roles=given.vendor.roles, times=times)
        rows = read_rows(recording.path, given, on_left_out=on_left_out, on_fault=on_fault)
        yield from made_events(rows, recording.path, self.sha, rules, lambda: self.now_ms, on_fault)

    def events(self, on_fault: OnFault, encode: Callable[[TranscriptEvent], bytes]) -> Iterator[Made]:
        """The rows with their events as they are sent. Raises RecordingError."""
        for made in self.made(on_fault):
            try:
                encode(made.event)
            except EncodeError as error:
                on_fault(unmade(made.row, error))
            else:
                yield made._replace(event=self.survey.final(made.event))

    def notices(self, factor: float | None) -> list[str]:
        """What is worth knowing before it is sent, in words; `factor` is how much faster than recorded it is paced."""
        path, survey = self.recording.path, self.survey
        found = list(self.faults.lines())
        if survey.blank:
            found.append(f"{path}: {survey.blank:,} of {survey.rows:,} texts are empty: the workers refuse them")
        if survey.rounded:
            found.append(f"{path}: {survey.rounded:,} ids look rounded by a spreadsheet: export them as text")
        if survey.reordered:
            found.append(f"{path}: {survey.reordered:,} conversations are not in order: their turns go by their times")
        if survey.ids.are_joined:
            found.append(f"{path}: its ids are unique within a conversation alone: they are sent joined with it")
        if survey.ids.repeated:
            found.append(f"{path}: {survey.ids.repeated:,} ids repeat: they are sent with ~2, ~3 … at their end")
        pause_s = survey.longest_gap_ms / 1000 / factor if factor else 0.0
        if pause_s > _LONG_S:
            found.append(
                f"{path}, line {survey.longest_gap_line}: at this pace {pause_s / 60:,.0f} minutes pass before it: "
                "--longest-pause caps them"
            )
        return found


_LONG_S = 60.0


def number_in_all(surveyed: Sequence[Surveyed]) -> list[str]:
    """Numbers turns over all of the recordings that are replayed together; what is worth knowing of that, in words.

    Raises RecordingError: an event of one has the id of another's, and they are not to be kept apart.
    """
    seen: set[int] = set()
    for place, each in enumerate(surveyed if len(surveyed) > 1 else ()):
        ids = each.survey.ids.known
        if not each.recording.apart and not seen.isdisjoint(ids):
            other = next(other for other in surveyed[:place] if not ids.isdisjoint(other.survey.ids.known))
            count = len(ids & other.survey.ids.known)
            raise RecordingError(
                f"{each.recording.path}: {count:,} of its ids are in {other.recording.path} too: who drops repeated "
                "ids would lose events. --column event_id=COLUMN names others; --repeated-ids apart sends them as "
                "they are"
            )
        seen |= ids
    split = number_together([each.survey for each in surveyed])
    return [f"{split:,} conversations are in several files: their turns are numbered as one, by time"] if split else []
