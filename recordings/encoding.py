"""Bytes as characters: which encoding a file is in, and what in it is none."""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

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
"""What stands for a byte that is none of the encoding's."""

# As Python's `surrogateescape`, but of bytes under 128 too, of which UTF-16 may lack a half: it never raises, so that
# what stands before and behind is read.
_ESCAPE: Final = "edgewise-escape"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 | 0x80 | byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_ESCAPE, _escape)

_RUN: Final = 64 * 1024  # bytes of a run of lines, give or take a line
_LINE_END: Final = re.compile(r"[\r\n]")

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


def decoded(source: Source, encoding: str | None = None) -> "io.TextIOWrapper[io.BufferedReader]":
    """The characters of `source`, their line ends as they are; a byte order mark is left out.

    A byte that is none of the encoding's becomes half a surrogate pair, `ESCAPED`, for `Checked` to find.
    """
    name = encoding or recognised_encoding(source.head)
    buffered: io.BufferedReader = io.BufferedReader(source, 64 * 1024)
    buffered.read(next((len(mark) for mark, of in _MARKS if of == name and source.head.startswith(mark)), 0))
    return io.TextIOWrapper(buffered, encoding=name, errors=_ESCAPE, newline="")


class Checked:
    """The lines of a text. Of one that is no text, `fault` says why, until it is taken."""

    def __init__(self, text: "io.TextIOWrapper[io.BufferedReader]") -> None:
        self._text = text
        self.number = 0  # of the line that iterating gave last, from 1
        self.fault = ""

    def __iter__(self) -> Iterator[str]:
        """The lines, with their ends."""
        for run in self.runs():
            for line in run:
                self.number += 1
                yield line

    def runs(self) -> Iterator[Iterator[str]]:
        """The lines in runs: of one in which nothing is wrong, all are checked at once.

        What was read before reading fails has been given by then.
        """
        decoder = codecs.getincrementaldecoder(self._text.encoding)(_ESCAPE)
        held: list[str] = []  # of a line without its end
        data = b"\n"
        while data:
            data = self._text.buffer.read1(_RUN)
            text = decoder.decode(data, final=not data)
            if data and not (_LINE_END.search(text) or (held and held[-1].endswith("\r"))):
                held.append(text)
                continue
            text = "".join([*held, text])
            # Whether a carriage return at the end is all of a line end, the next character tells.
            end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1 if data else len(text)
            held = [text[end:]]
            lines = io.StringIO(text[:end], newline="")
            yield lines if _is_text(text) else self._checked(lines)

    def take_fault(self) -> str:
        """What is wrong with the lines given since this was asked last; "" for nothing."""
        fault, self.fault = self.fault, ""
        return fault

    def _checked(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if not _is_text(line):
                self.fault = _what(line, self._text.encoding)
            yield line


def _is_text(text: str) -> bool:
    """Whether it has neither a NUL nor half a surrogate pair."""
    return "\x00" not in text and has_utf8(text)


def has_utf8(text: str) -> bool:
    """Whether UTF-8 can hold `text`: not half a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _what(line: str, encoding: str) -> str:
    found = _SPLIT_BYTES.search(line)
    before = line[: found.start()] if found else line
    byte = len(before.encode(encoding, "replace")) + 1
    if found is not None and found[0] == "\x00":
        return f"a NUL (byte {byte} of the line), which no text has: give --encoding, such as utf-16"
    return f"not {encoding.upper()} (byte {byte} of the line): give --encoding, such as cp1252"
