"""Moments that are written out: ISO 8601, mail's and Twitter's ways, dates as tables have them where they are clear."""

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
# After a date: `11:15`, ` 1:15:48.5 PM`, `T11:15 +01:00`.
_CLOCK: Final = (
    r"(?:(?:,? ?| ?T ?)(?<=[ ,T])(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)? ?(?P<zone>[A-Z]{1,3}|[+-]\d\d:?\d\d)?)?"
)
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAME: Final = "(?P<name>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})"
_DATES: Final = [
    re.compile(f"(?:[A-Z][a-z]{{2,8}},? )?{date}{_CLOCK}")
    for date in (
        r"(?P<year>\d{4})(?P<by>[./-])(?P<month>\d{1,2})(?P=by)(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<by>[./-])(?P<then>\d{1,2})(?P=by)(?P<year>\d{4}|\d\d)",
        rf"(?P<day>\d{{1,2}})[ -]{_NAME}\.?[ -](?P<year>\d{{4}})",
        rf"{_NAME}\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
    )
]

# Python's reader of mail dates passes over in silence what stands behind the clock and is not this: an hour that is in
# the afternoon, another zone's name.
_BEHIND_THE_CLOCK: Final = re.compile(r"\d:\d\d(?P<rest>[^:]*)$")
_MAILS_ZONE: Final = re.compile(r"\s*(?:[+-]\d{4}\s*(?:\([^()]*\))?|\(?(?P<zone>[A-Za-z]+)\)?)?\s*")
# Spaces that programs put before "PM".
_SPACES: Final = str.maketrans({"\u202f": " ", "\xa0": " "})
_CENTURY: Final = 2000  # of a year of two digits: no transcript is older


def from_text(text: str, path: str = "") -> int:
    """A written moment as UTC milliseconds; without a zone it is UTC.

    It is ISO 8601, also with a space before the zone, in lower case or without separators (`20150224111548`); RFC 2822;
    Twitter's way; the year first; the month by its name; day, month and year with dots; or with slashes or hyphens
    where a number over 12 tells the day.

    Raises FormatError: it is none of these, says two days, or has a zone by a name that means several.
    """
    joined = text.translate(_SPACES).strip()
    try:
        found: datetime | None = datetime.fromisoformat(joined)
    except ValueError:
        found = _compact(joined) or _iso(joined) or _twitter(joined) or _day(joined, path)
    if found is None:
        found = _mail(joined)
    if found is None:
        raise FormatError("a time that is neither ISO 8601, RFC 2822, nor a number since 1970", path)
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
    found = _parsed(f"{match[1]} {match[2]} {match[5]} {match[3]}", "%b %d %Y %H:%M:%S")
    zone = _zone(match[4] or "UTC")
    return None if found is None or zone is None else found.replace(tzinfo=zone)


def _day(text: str, path: str) -> datetime | None:
    match = next((match for date in _DATES if (match := date.fullmatch(text))), None)
    if match is None:
        return None
    said = match.groupdict()
    year = int(said["year"]) + (_CENTURY if len(said["year"]) == 2 else 0)
    if said.get("first"):
        month, day = _month_and_day(int(said["first"]), int(said["then"]), said, path)
    else:
        month = _MONTHS.index(said["name"][:3].lower()) + 1 if said.get("name") else int(said["month"])
        day = int(said["day"])
    hour = int(said["hour"] or 0)
    if said["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if said["half"][0] in "Pp" else 0)
    zone = _zone(said["zone"] or "UTC")
    if zone is None:
        return None
    fraction = int((said["fraction"] or "").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day, hour, int(said["minute"] or 0), int(said["second"] or 0), fraction, zone)
    except ValueError:
        return None


def _month_and_day(first: int, second: int, said: dict[str, str | None], path: str) -> tuple[int, int]:
    """Which of two numbers is the day. Raises FormatError: either could be."""
    if said["by"] == ".":
        return second, first
    short = len(said["year"] or "") == 2  # the first may be the year then
    if (max(first, second) <= 12 and first != second) or (short and first > 12):
        raise FormatError("a date whose day and month could be either: give --time-format, such as %m/%d/%Y", path)
    return (second, first) if first > 12 else (first, second)


def _zone(name: str) -> timezone | None:
    """The zone of `PST` or `+01:00`; None for letters that mean something else in each country."""
    if name.isalpha():
        return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else None
    sign = -1 if name[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(name[1:3]), minutes=int(name[-2:])))


def _mail(text: str) -> datetime | None:
    behind = _BEHIND_THE_CLOCK.search(text)
    zone = _MAILS_ZONE.fullmatch(behind["rest"]) if behind else None
    if behind is not None and (zone is None or (zone["zone"] or "UTC").upper() not in _ZONES):
        return None
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is told by what stands beside it
    except ValueError:
        return None
