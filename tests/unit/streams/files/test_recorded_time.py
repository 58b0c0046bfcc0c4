import time

import pytest

from schemas.errors import UsageError
from streams.files.recorded_time import Times, milliseconds, parse_form

MS = 1_424_776_548_000  # 2015-02-24T11:15:48Z
TODAY = Times(latest_ms=1_700_000_000_000)


@pytest.mark.parametrize(
    "written",
    [
        "2015-02-24T11:15:48Z", "2015-02-24t11:15:48z", "2015-02-24 11:15:48 UTC", "2015-02-24 03:15:48 -0800",
        20150224111548, " 20150224111548", "Tue Feb 24 11:15:48 +0000 2015", "Tue Feb 24 03:15:48 PST 2015",
        "Tue, 24 Feb 2015 11:15:48 +0000", "24.02.2015 11:15:48", "2/24/2015 11:15:48", "24/02/2015, 11:15:48",
        "2/24/2015 11:15:48 AM", "2015/02/24 11:15:48", "2015/2/24 3:15:48 -0800", "2015.02.24T11:15:48Z",
        "2015-2-24 11:15:48", "24-02-2015 11:15:48", "02-24-2015 11:15:48", "2/24/15 11:15:48", "24.2.15, 11:15:48",
        "24-Feb-2015 11:15:48", "Feb 24, 2015 11:15:48 AM", "Tuesday, February 24th, 2015 11:15:48 GMT",
        "24 February 2015 03:15:48 PST", "Tue, 24 Feb 2015 12:15:48 +0100 (CET)", "1.424776548E9",
        "1424776548", 1424776548.0, 1424776548000, "1424776548000000", 1424776548000000000,
    ],
)  # fmt: skip
def test_a_time_is_read_where_it_says_one_moment(written: object) -> None:
    assert milliseconds(written, TODAY) == MS


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2/24/2015 11:15 PM", 23),
        ("2/24/2015 12:15 a.m.", 0),
        ("Feb 24, 2015 9:15 pm", 21),
        ("24 Feb 2015 12:15 PM", 12),
    ],
)
def test_an_hour_of_the_afternoon_is_one(written: str, hour: int) -> None:
    assert milliseconds(written, TODAY) == 1_424_736_000_000 + hour * 3_600_000 + 15 * 60_000


@pytest.mark.parametrize(
    ("written", "form", "ms"),
    [
        ("42059.469305555555", "excel", MS),
        ("03/04/2015 10:00", "%d/%m/%Y %H:%M", 1_428_055_200_000),
        ("03/04/2015 10:00 +0100", "%m/%d/%Y %H:%M %z", 1_425_459_600_000),
        ("1424776548000", "ms", MS),
        (0, "s", 0),
    ],
)
def test_a_format_that_is_given_says_what_a_time_is(written: object, form: str, ms: int) -> None:
    assert milliseconds(written, Times(form=parse_form(form))) == ms


@pytest.mark.parametrize(
    ("written", "form", "ms"),
    [(0.0, None, 0), ("3.5", None, 3500), ("00:01:02.500", None, 62_500), ("PT1M", None, 60_000), (2500, "ms", 2500)],
)
def test_times_count_from_the_base_that_is_given(written: object, form: str | None, ms: int) -> None:
    assert milliseconds(written, Times(form=form, base_ms=MS, latest_ms=TODAY.latest_ms)) == MS + ms


def test_with_a_base_what_says_a_moment_by_itself_is_that_moment() -> None:
    assert milliseconds("2015-02-24T11:15:48Z", Times(base_ms=5)) == milliseconds(MS, Times(base_ms=5)) == MS


@pytest.mark.parametrize(
    ("written", "what"),
    [
        (3.5, r"would be 1970-01-01T00:00:03\.500Z: times from 2000 .* are taken; does it count .* --time-base$"),
        ("42059.4693", "--time-base; or days, as spreadsheets do\\? give --time-format excel"),
        ("2031-01-01", "would be 2031-01-01T00:00:00.000Z: times from 2000 to a day from now are taken$"),
        ("9" * 30, "would be after the year 9999"),
        ("03/04/2015", "could be either: give --time-format"),
        ("03-04-2015", "could be either: give --time-format"),
        ("2/3/15", "could be either: give --time-format"),
        ("24/2/15", "could be either: give --time-format"),
        ("1.42478E+12", "looks rounded by a spreadsheet: export the column as text"),
        ("1,42478E+09", "looks rounded by a spreadsheet"),
        ("24 Feb 2015 11:15:48 CET", "is none of"),
        ("2015/02/24 11:15:48 IST", "is none of"),
        ("Tue, 24 Feb 2015 11:15:48 Uhr", "is none of"),
        ("2/24/2015 13:15 PM", "is none of"),
        ("2015/13/24", "is none of"),
        ("31.02.2015", "is none of"),
        ("24.02.201511:15", "is none of"),
        ("my card is 4111", "is none of ISO 8601"),
        ("", "is none of"),
        ("1e999", "is none of"),
        (True, "is none of"),
        (["2015-02-24"], "is none of"),
    ],
)
def test_what_says_no_moment_or_an_impossible_one_is_refused(written: object, what: str) -> None:
    with pytest.raises(ValueError, match=what) as raised:
        milliseconds(written, TODAY)
    assert "4111" not in str(raised.value)


def test_what_is_not_of_the_format_given_is_refused() -> None:
    for written in ("2015-02-24", "12:00", None):
        with pytest.raises(ValueError, match=r"is not '%d/%m/%Y', as --time-format says|is none of"):
            milliseconds(written, Times(form="%d/%m/%Y"))
    with pytest.raises(ValueError, match="is not 'ms'"):
        milliseconds("2015-02-24", Times(form="ms"))


@pytest.mark.parametrize("form", ["", "minutes", "%Q"])
def test_a_format_that_is_none_is_refused(form: str) -> None:
    with pytest.raises(UsageError, match="--time-format"):
        parse_form(form)


def test_a_time_without_a_zone_is_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "America/New_York")
        time.tzset()
        assert milliseconds("2015-02-24 11:15:48") == milliseconds("Tue Feb 24 11:15:48 2015") == MS
    time.tzset()
