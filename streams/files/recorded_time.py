"""The times of a recording's rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.errors import UsageError
from schemas.validation import EARLIEST_MS
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.times import PER_MS, Unit, offset, unit_of
from streams.files.formats.written_time import from_text, is_compact

# What stood there is not repeated: where columns are mixed up it may be a customer's words.
_NO_TIME: Final = "is none of ISO 8601, 2015-02-24 11:15:48 -0800, or a number since 1970: give --time-format"
_SHORTENED: Final = "looks rounded by a spreadsheet: export the column as text"
_AMBIGUOUS: Final = "has a day and a month that could be either: give --time-format, such as %m/%d/%Y"

EXCEL: Final = "excel"
_UNITS: Final[Mapping[str, Unit]] = {unit: unit for unit in PER_MS}
# Excel counts days from here, since it takes 1900 for a leap year.
_EXCELS_ZERO: Final = datetime(1899, 12, 30, tzinfo=UTC)
_DAY_MS: Final = 86_400_000
_MOST: Final = 1e300  # infinity and NaN are no times
# As days, from the year 2000 to 2100; as seconds, an offset of ten to twenty hours.
_EXCELS_DAYS: Final = (36_526, 73_051)
_ROUNDED: Final = re.compile(r"\d(?:[.,]\d{1,5})?[eE]\+\d{1,3}")  # 1.42478E+12 is right to a day or an hour
_OFFSET: Final = re.compile(r"(?:\d{1,4}:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,9})?|[Pp].+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How times are read. `form`: a unit since 1970, `excel`, or a pattern of strptime; None: as they are written.

    `base_ms`: where a conversation began whose times count from there, in UTC milliseconds. `latest_ms`: a time after
    it, or before 2000, is refused; None: none is.
    """

    form: str | None = None
    base_ms: int | None = None
    latest_ms: int | None = None


def parse_form(text: str) -> str:
    """`--time-format` as `Times.form`. Raises UsageError: it is no unit, nor `excel`, nor a pattern."""
    if text in _UNITS or text == EXCEL:
        return text
    try:
        datetime.strptime(datetime(2015, 2, 24, tzinfo=UTC).strftime(text), text)  # noqa: DTZ007
    except ValueError as error:
        raise UsageError(f"--time-format {text}: {error}") from None
    if "%" not in text:
        raise UsageError(
            f"--time-format {text}: give {', '.join(_UNITS)} (since 1970, or since --time-base), {EXCEL}, or a pattern "
            "such as '%d/%m/%Y %H:%M'"
        )
    return text


def milliseconds(value: object, times: Times = Times()) -> int:
    """A recorded time as UTC milliseconds; without a zone it is UTC.

    Without a form it is written out, see `from_text`, or a number of seconds, milliseconds, microseconds or nanoseconds
    since 1970; a number that is no such, in seconds, or a clock, counts from `times.base_ms` where that is given.

    Raises ValueError: it is none of these, or outside what `times` allows; the message begins with a verb.
    """
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and _ROUNDED.fullmatch(text):
        raise ValueError(_SHORTENED)
    try:
        found = _read(text, times)
    except FormatError as error:
        raise ValueError(_AMBIGUOUS if "could be either" in str(error) else _NO_TIME) from None
    except (ValueError, OverflowError):
        raise ValueError(_NO_TIME if times.form is None else f"is not {times.form!r}, as --time-format says") from None
    if times.latest_ms is not None and not EARLIEST_MS <= found <= times.latest_ms:
        raise ValueError(f"would be {_shown(found)}: times from 2000 to a day from now are taken{_hint(text)}")
    return found


def _read(value: object, times: Times) -> int:
    if isinstance(value, str) and times.form is not None and "%" in times.form:
        found = datetime.strptime(value, times.form)  # noqa: DTZ007 - without a zone it is UTC
        return _since_1970(found if found.tzinfo else found.replace(tzinfo=UTC))
    unit = _UNITS.get(times.form or "")
    number = _number(value)
    if times.form == EXCEL and number is not None:
        return round(number * _DAY_MS) + _since_1970(_EXCELS_ZERO)
    if times.form is not None and (unit is None or number is None):
        raise ValueError
    if times.base_ms is not None and (unit is not None or _is_offset(value, number)):
        return times.base_ms + (offset(Field(value), unit or "s") or 0)
    if number is None:
        return from_text(str(value) if isinstance(value, str) else "")
    if unit is None and is_compact(str(value)):
        return from_text(str(value))
    return round(number / float(PER_MS[unit or unit_of(number)]))


def _number(value: object) -> float | None:
    """The finite number that a value is, or that a text says; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e300 else None


def _is_offset(value: object, number: float | None) -> bool:
    if number is not None:
        return abs(number / float(PER_MS[unit_of(number)])) < EARLIEST_MS and not is_compact(str(value))
    return isinstance(value, str) and _OFFSET.fullmatch(value) is not None


def _since_1970(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _shown(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return "after the year 9999" if ms > 0 else "before the year 1"


def _hint(value: object) -> str:
    number = _number(value)
    if number is None or abs(number) >= EARLIEST_MS / 1000:
        return ""
    excel = _EXCELS_DAYS[0] <= number <= _EXCELS_DAYS[1]
    return "; does it count from the start of a call, in seconds or in what --time-format says? give --time-base" + (
        "; or days, as spreadsheets do? give --time-format excel" if excel else ""
    )
