"""Bytes as characters: which encoding a file is in, and what in it is none."""

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from recordings.fault import RecordingError, named
from recordings.source import Source
from schemas.errors import UsageError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LEAST_NULS: Final = 0.2  # of one half of the bytes: text with a Latin letter in five, even in Cyrillic or Greek

ESCAPED: Final = re.compile("[\udc80-\udcff]")
"""What stands for a byte that is none of the encoding's: so says Python's error handler `surrogateescape`."""

_SPLIT_BYTES: Final = re.compile("[\x00\udc80-\udcff]")


def encoding_name(name: str) -> str:
    """Python's name of an encoding. Raises UsageError: there is none of that name, or it is none of text."""
    try:
        found = codecs.lookup(name)
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # hex and rot13 are codecs too
    except (LookupError, ValueError):
        raise UsageError(f"--encoding {name}: no encoding of that name; there are utf-8, utf-16, cp1252 …") from None
    return found.name


def recognised_encoding(head: bytes) -> str:
    """The encoding of what begins with `head`: by its byte order mark, UTF-16 by its NULs, else UTF-8."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[0:4096:2], head[1:4096:2]
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros and zeros.count(0) >= max(1, _LEAST_NULS * len(zeros)) and others.count(0) == 0:
            return name
    return "utf-8"


def decoded(source: Source, encoding: str | None = None) -> io.TextIOWrapper:
    """The characters of `source`, their line ends as they are; a byte order mark is left out.

    A byte that is none of the encoding's becomes half a surrogate pair, for `Checked` to find.
    """
    name = encoding or recognised_encoding(source.head)
    buffered = io.BufferedReader(source, 64 * 1024)
    buffered.read(next((len(mark) for mark, of in _MARKS if of == name and source.head.startswith(mark)), 0))
    return io.TextIOWrapper(buffered, encoding=name, errors="surrogateescape", newline="")


class Checked:
    """The lines of a text. Of one that is no text, `fault` then says why, until it is taken."""

    def __init__(self, text: io.TextIOWrapper, path: Path | str) -> None:
        self._text = text
        self._path = path
        self._bad = ""
        self.number = 0  # of the line that was given last, from 1

    def __iter__(self) -> Iterator[str]:
        """The lines, with their ends. Raises RecordingError: what cannot be decoded any further."""
        encoding = self._text.encoding
        try:
            for line in self._text:
                self.number += 1
                if "\x00" in line or not (line.isascii() or ESCAPED.search(line) is None):
                    self._bad = _what(line, encoding)
                yield line
        except UnicodeDecodeError:
            raise RecordingError(
                f"{named(self._path)}, after line {self.number}: not {encoding.upper()}: give --encoding"
            ) from None

    def take_fault(self) -> str:
        """What is wrong with the lines given since this was asked last; "" for nothing."""
        bad, self._bad = self._bad, ""
        return bad


def _what(line: str, encoding: str) -> str:
    found = _SPLIT_BYTES.search(line)
    before = line[: found.start()] if found else line
    byte = len(before.encode(encoding, "surrogateescape")) + 1
    if found is not None and found[0] == "\x00":
        return f"a NUL (byte {byte} of the line), which no text has: give --encoding, such as utf-16"
    return f"not {encoding.upper()} (byte {byte} of the line): give --encoding, such as cp1252"
