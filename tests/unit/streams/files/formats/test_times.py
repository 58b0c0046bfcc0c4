from typing import Any

import pytest

from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.times import Unit, clock, epoch, moment, offset

MS = 1_767_606_914_250  # 2026-01-05T09:55:14.250Z


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-05T09:55:14.250Z",
        "2026-01-05t09:55:14.25z",
        "2026-01-05 09:55:14.250 UTC",
        "2026-01-05T10:55:14.250000000+01:00",
        "2026-01-05 10:55:14.250 +0100",
        "2026-01-05T09:55:14.250",
        MS,
        f" {MS} ",
        MS / 1000,
        f"{MS / 1000}0",
        MS * 1000,
    ],
)
def test_a_moment_in_the_ways_in_which_vendors_write_it(value: object) -> None:
    assert moment(Field(value)) == MS


@pytest.mark.parametrize("value", ["Mon, 05 Jan 2026 09:55:14 +0000", "Mon, 5 Jan 2026 10:55:14 +0100 (CET)"])
def test_a_moment_of_a_mail(value: str) -> None:
    assert moment(Field(value)) == MS - 250


@pytest.mark.parametrize(
    "value", ["Jan 5, 2026, 9:55:14\u202fAM", "Jan 5, 2026, 9:55:14\xa0AM", "5 Jan 2026 09:55:14 GMT"]
)
def test_a_moment_with_the_spaces_that_programs_write(value: str) -> None:
    """Seen to fail: in the afternoon it was twelve hours early."""
    assert moment(Field(value)) == MS - 250
    assert moment(Field(value.replace("AM", "PM"))) == MS - 250 + (43_200_000 if "AM" in value else 0)


@pytest.mark.parametrize(
    "value",
    [
        "Jan 5 2026 9:55 PM BST", "5 Jan 2026 9:55 PM CET", "January 5, 2026, 9:55 PM Europe/Berlin",
        "Jan 5, 2026, 9:55:14 PM UTC+2", "5 Jan 2026 09:55:14 CEST",
        "Mon, 05 Jan 2026 09:55:14 +0100 PM",
    ],
)  # fmt: skip
def test_what_stands_behind_a_clock_is_not_passed_over(value: str) -> None:
    """Seen to fail: read as a mail's date, it was hours early."""
    with pytest.raises(FormatError):
        moment(Field(value))


@pytest.mark.parametrize("value", [None, "", " "])
def test_no_moment_is_none(value: object) -> None:
    assert moment(Field(value)) is None


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-13-01", "05/01/2026", 12.5, -1, True, [], "9" * 500, float("nan"), 10**400, "1e999"]
)
def test_no_guess_is_made_of_what_is_no_time(value: Any) -> None:
    with pytest.raises(FormatError, match=r"^a\.b: "):
        moment(Field(value, "a.b"))


@pytest.mark.parametrize(("unit", "value"), [("s", MS / 1000), ("ms", MS), ("us", MS * 1000), ("ticks", MS * 10_000)])
def test_time_since_1970_in_a_unit(unit: Unit, value: float) -> None:
    assert epoch(Field(value), unit) == MS


def test_a_time_in_the_wrong_unit_is_refused() -> None:
    with pytest.raises(FormatError, match="wrong unit"):
        epoch(Field(MS // 1000), "ms")


@pytest.mark.parametrize(
    ("value", "unit", "ms"),
    [(1.5, "s", 1500), ("0.05", "s", 50), (1500, "ms", 1500), (22_800_000, "ticks", 2280), ("PT1M2.5S", "s", 62_500),
     ("pt0,04s", "s", 40), ("P1DT1H", "s", 90_000_000), ("00:01:02.500", "s", 62_500), (None, "s", None),
     ("", "s", None), (0, "s", 0), (-0.25, "s", -250), (0.1 + 0.2, "s", 300)],
)  # fmt: skip
def test_offsets(value: object, unit: Unit, ms: int | None) -> None:
    assert offset(Field(value), unit) == ms


@pytest.mark.parametrize("value", ["PT", "P", "PXS", "1:2:3:4", "abc", 1e12, False, {}, float("inf"), "00:61:00"])
def test_what_is_no_offset_is_refused(value: Any) -> None:
    with pytest.raises(FormatError, match=r"^a: "):
        offset(Field(value, "a"), "s")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("00:16.500", 16_500),
        ("01:02:03,5", 3_723_500),
        ("100:00:00.001", 360_000_001),
        ("00:60.000", None),
        ("x", None),
    ],
)
def test_clocks(text: str, ms: int | None) -> None:
    assert clock(text) == ms
