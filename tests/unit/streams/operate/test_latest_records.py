"""The last value of each key, whatever their number."""

import random
import sqlite3

import pytest

from streams.operate.latest_records import latest_values
from streams.operate.temporary_file import TemporaryFileError


def test_the_last_value_of_each_key_is_left() -> None:
    draw = random.Random(3)
    pairs = [(b"%d" % draw.randrange(2_000), draw.choice((None, draw.randbytes(9)))) for _ in range(20_000)]
    expected = [value for _, value in sorted(dict(pairs).items()) if value is not None]
    assert list(latest_values(iter(pairs))) == expected
    assert len(expected) > 900


def test_what_has_no_key_replaces_nothing() -> None:
    assert list(latest_values([(b"a", b"1"), (None, b"2"), (b"b", b"3")])) == [b"1", b"3"]
    assert list(latest_values([])) == []


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(*_: object, **__: object) -> sqlite3.Connection:
        file = connect("", isolation_level=None)
        file.execute("PRAGMA max_page_count = 16")
        return file

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", limited)
    with pytest.raises(TemporaryFileError, match=r"cannot be used \(database or disk is full\): is the disk full\?"):
        list(latest_values((b"%d" % at, bytes(100)) for at in range(10_000)))
