"""A time as the option of a command gives it."""

import re

from streams.files.recorded_time import milliseconds
from streams.system.clock import Clock

EXAMPLES = "2026-01-31T12:00:00Z, -5m for five minutes ago, or seconds, milliseconds or microseconds since 1970"

_AGO = re.compile(r"-?([0-9]{1,9})([smhdw])", re.ASCII)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
# Digits of seconds, milliseconds and microseconds from 2001 to 2286. Of another length a number is none of them.
_EPOCH = re.compile(r"[0-9]{10}|[0-9]{13}|[0-9]{16}", re.ASCII)


def is_epoch(text: str) -> bool:
    """Whether `text` is a whole number that reads as a time since 1970 by its 10, 13 or 16 digits."""
    return _EPOCH.fullmatch(text) is not None


def parse_moment(text: str, clock: Clock) -> int:
    """`text` as UTC milliseconds: ISO 8601, in UTC where it has no zone; `-5m` or `5m`, so long before `clock`; digits.

    Raises ValueError: it is none of these, or is before 1970. To Kafka -1 is no time but the end of a topic.
    """
    if ago := _AGO.fullmatch(text):
        moment = clock() - int(ago[1]) * _UNIT_MS[ago[2]]
    elif _is_number(text) and not is_epoch(text):
        raise ValueError("a number of another length")
    else:
        try:
            moment = milliseconds(text)
        except OverflowError:
            raise ValueError("a time out of range") from None
    if moment < 0:
        raise ValueError("before 1970")
    return moment


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
