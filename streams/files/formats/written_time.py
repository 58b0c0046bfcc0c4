"""Moments that are written out: ISO 8601, mail's and Twitter's ways, dates with dots, or with slashes if clear."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

from streams.files.formats.error import FormatError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ISO_LOWER: Final = re.compile(r"\d{4}-\d\d-\d\d[tT]")
_ISO_FRACTION: Final = re.compile(r"(?<=:\d\d)[.,](\d{1,12})")
_COMPACT: Final = re.compile(r"((?:19|20)\d{6})(\d{6})?")

# RFC 2822 defines these, in hours; other letters mean something else in each country.
_ZONES: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
# `Tue Oct 31 22:10:47 +0000 2017`, `Mon Apr 06 22:19:45 PDT 2009`, `Mon Apr  6 22:19:45 2009`.
_TWITTER: Final = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2})\s+(\d{1,2}) (\d\d:\d\d:\d\d) (?:([A-Z]{1,4}|[+-]\d{4}) )?(\d{4})"
)
_DAY: Final = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})(?:,?[ T](\d{1,2}:\d\d(?::\d\d)?)(?: ?([AaPp][Mm]))?)?")


def from_text(text: str, path: str = "") -> int:
    """A written moment as UTC milliseconds; without a zone it is UTC.

    It is ISO 8601, also with a space before the zone, in lower case or without separators (`20150224111548`); RFC 2822;
    Twitter's way; day, month and year with dots; or with slashes where a number over 12 tells the day.

    Raises FormatError: it is none of these, or says two days.
    """
    joined = text.strip()
    try:
        found: datetime | None = datetime.fromisoformat(joined)
    except ValueError:
        found = _compact(joined) or _iso(joined) or _twitter(joined) or _day(joined, path)
    if found is None:
        try:
            found = parsedate_to_datetime(joined)
        except (ValueError, TypeError, IndexError, OverflowError):
            raise FormatError("a time that is neither ISO 8601, RFC 2822, nor a number since 1970", path) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return round((found - _EPOCH).total_seconds() * 1000)


def is_compact(text: str) -> bool:
    """Whether digits are a day, or a day and a time, without separators: `20150224`, `20150224111548`.

    As a number since 1970 the former is in August 1970, the latter after the year 2500.
    """
    return _compact(text) is not None


def _iso(text: str) -> datetime | None:
    joined = text.upper() if _ISO_LOWER.match(text) else text
    if joined.upper().endswith((" UTC", " GMT")) and joined[:4].isdigit():
        joined = joined[:-4] + "Z"
    # datetime takes 3 or 6 digits of a second; vendors write up to nine.
    joined = _ISO_FRACTION.sub(lambda match: "." + match[1].ljust(6, "0")[:6], joined)
    joined = re.sub(r" ([+-]\d\d:?\d\d)$", r"\1", joined)
    try:
        return datetime.fromisoformat(joined)
    except ValueError:
        return None


def _compact(text: str) -> datetime | None:
    match = _COMPACT.fullmatch(text)
    return _parsed(match[1] + (match[2] or "000000"), "%Y%m%d%H%M%S") if match else None


def _twitter(text: str) -> datetime | None:
    match = _TWITTER.fullmatch(text)
    if match is None:
        return None
    zone = match[4] or "UTC"
    found = _parsed(f"{match[1]} {match[2]} {match[5]} {match[3]}", "%b %d %Y %H:%M:%S")
    if found is None or (zone.isalpha() and zone not in _ZONES):
        return None
    hours = _ZONES[zone] if zone.isalpha() else int(zone[:3]) + int(zone[0] + zone[3:]) / 60
    return found.replace(tzinfo=timezone(timedelta(hours=hours)))


def _day(text: str, path: str) -> datetime | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    first, second = int(match[1]), int(match[3])
    if match[2] == "/" and first <= 12 and second <= 12 and first != second:
        raise FormatError("a date whose day and month could be either: give --time-format, such as %m/%d/%Y", path)
    day, month = (first, second) if match[2] == "." or first > 12 else (second, first)
    time = match[5] or "00:00:00"
    time += ":00" if time.count(":") == 1 else ""
    if match[6]:
        return _parsed(f"{day} {month} {match[4]} {time} {match[6]}", "%d %m %Y %I:%M:%S %p")
    return _parsed(f"{day} {month} {match[4]} {time}", "%d %m %Y %H:%M:%S")


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is told by what stands beside it
    except ValueError:
        return None
