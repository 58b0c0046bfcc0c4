"""The ways in which vendors write times: moments as UTC milliseconds, offsets from a start as milliseconds."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, Literal

from schemas.validation import EARLIEST_MS
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.written_time import from_text, is_compact

Unit = Literal["s", "ms", "us", "ns", "ticks"]

PER_MS: Final[Mapping[Unit, Fraction]] = {
    "s": Fraction(1, 1000),
    "ms": Fraction(1),
    "us": Fraction(1000),
    "ns": Fraction(1_000_000),
    "ticks": Fraction(10_000),  # of 100 nanoseconds
}

_LATEST_MS: Final = 253_402_300_799_999  # the end of the year 9999, where datetime ends
_LONGEST_MS: Final = 31 * 86_400_000  # no call or chat lasts longer

# Which unit a bare number since 1970 has is told by its size: as seconds these end in the year 5138.
_MOST_SECONDS: Final = 1e11
_MOST_MS: Final = 1e14
_MOST_US: Final = 1e17

_DURATION: Final = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9}(?:[.,]\d{1,12})?)S)?)?", re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?")


def moment(field: Field) -> int | None:
    """The moment in UTC milliseconds; None where it is missing.

    It is written out, see `from_text`, or seconds, milliseconds or microseconds since 1970, as a number or as text.

    Raises FormatError: it is none of these, or before 2000.
    """
    if isinstance(field.value, str):
        text = field.value.strip()
        if not text:
            return None
        if not re.fullmatch(r"[+-]?\d+(\.\d*)?", text[:40]):
            return _plausible(from_text(text, field.path), field)
    number = field.number()
    if number is None:
        return None
    written = str(field.value).strip()
    if is_compact(written):
        return _plausible(from_text(written, field.path), field)
    return epoch(field, unit_of(number))


def unit_of(number: float) -> Unit:
    """The unit of a number since 1970, which its size tells: since March 1973 a smaller unit's number is too large."""
    size = abs(number)
    return "s" if size < _MOST_SECONDS else "ms" if size < _MOST_MS else "us" if size < _MOST_US else "ns"


def epoch(field: Field, unit: Unit) -> int | None:
    """The time since 1970 in `unit` as UTC milliseconds; None where it is missing. Raises FormatError: see `moment`."""
    number = field.number()
    return None if number is None else _plausible(_milliseconds(number, unit), field)


def offset(field: Field, unit: Unit) -> int | None:
    """The offset in `unit`, ISO 8601 duration (`PT1.23S`) or clock (`00:01:02.500`) as milliseconds; None if missing.

    Raises FormatError: it is none of these, or more than 31 days.
    """
    if isinstance(field.value, str) and (text := field.value.strip())[:1] in {"P", "p"}:
        found = _from_duration(text)
    elif isinstance(field.value, str) and ":" in field.value:
        found = clock(field.value.strip())
    else:
        number = field.number()
        if number is None:
            return None
        found = _milliseconds(number, unit)
    if found is None:
        raise FormatError("neither a number, a duration such as PT1.5S, nor a clock such as 00:01:02.500", field.path)
    if abs(found) > _LONGEST_MS:
        raise FormatError("an offset of more than 31 days", field.path)
    return found


def clock(text: str) -> int | None:
    """`hh:mm:ss.mmm`, hours and fraction optional, comma or point, as milliseconds; None if it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[3]) > 59 or (match[1] and int(match[2]) > 59):
        return None
    seconds = int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    return seconds * 1000 + int((match[4] or "").ljust(3, "0")[:3])


def _from_duration(text: str) -> int | None:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups()[:3])
    seconds = Fraction((match[4] or "0").replace(",", "."))
    return round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)


def _milliseconds(number: float, unit: Unit) -> int:
    return round(Fraction(number) / PER_MS[unit])


def _plausible(found: int, field: Field) -> int:
    if not EARLIEST_MS <= found <= _LATEST_MS:
        raise FormatError("a time before 2000 or after 9999: a wrong unit, or an offset from the start", field.path)
    return found
