"""JSON as values: an object a line, the members of an array however long, or objects one after another."""

import io
import json
import re
from collections.abc import Iterator
from itertools import repeat
from json.scanner import make_scanner
from pathlib import Path
from typing import Any, Final

from recordings.encoding import ESCAPED, Checked
from recordings.fault import Fault, OnFault, RecordingError, named
from recordings.source import LONGEST_LINE

UNREADABLE: Final = "not JSON that can be read: nested too deep, or a number too long"

_PIECE: Final = 256 * 1024
_COMMA: Final = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()
_SCAN: Final = make_scanner(_DECODER)  # type: ignore[arg-type] # typeshed has it take itself
_LINE_ENDS: Final = frozenset({"", "\n", "\r\n", "\r"})


def json_lines(lines: Checked, on_fault: OnFault) -> Iterator[tuple[int, Any]]:
    """The value of each line that is not blank, with its number; `on_fault` is told of what is no JSON."""
    for line in lines:
        if line.isspace():
            continue
        fault = lines.take_fault()
        if not fault:
            try:
                value = _loaded(line)
            except json.JSONDecodeError as error:
                fault = f"not JSON: {error.msg} (column {error.colno})"
            except (RecursionError, ValueError):  # a thousand brackets; an integer of over 4,300 digits
                fault = UNREADABLE
            else:
                yield lines.number, value
                continue
        on_fault(Fault(lines.number, fault, line.rstrip("\r\n")))


def is_lines(head: str) -> bool:
    """Whether a text that begins with `head` is a value a line: its first line is one, and is not all of it."""
    first, end, _ = head.lstrip().partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(end) and not first.startswith("[")


def _loaded(line: str) -> Any:
    """`json.loads`, in half the time where a line is all of a value; it says better what is wrong with another."""
    try:
        value, end = _SCAN(line, 0)
    except StopIteration:
        return json.loads(line)
    return value if line[end:] in _LINE_ENDS else json.loads(line)


def json_values(text: io.TextIOWrapper, path: Path | str, longest: int = LONGEST_LINE) -> Iterator[tuple[int, Any]]:
    """The members of the array that `text` is, or else the values that stand in it, each with the line where it begins.

    One value is held at a time, up to `longest` characters. Behind what is no JSON nothing can be told apart, so
    that it always raises RecordingError; the values before it have been given by then.
    """
    values = _Values(text, path, longest)
    array = values.take("[")
    if array and values.take("]"):
        values.end()
        return
    while True:
        if array:
            yield from values.members()
        yield values.value()
        if array and not values.comma():
            values.need("]")
            values.end()
            return
        if not array and values.ended():
            return


class _Values:
    """A text of JSON, and how far it is read. A window of it is held."""

    def __init__(self, text: io.TextIOWrapper, path: Path | str, longest: int) -> None:
        self._text = text
        self._longest = longest
        self._path = path
        self._held = ""
        self._at = 0  # in what is held
        self._line = 1
        self._all = False  # nothing comes after what is held
        self._together = True  # members are tried to be read at once

    def take(self, mark: str) -> bool:
        """Whether `mark` comes next; it is then passed."""
        self._skip_blanks()
        if not self._held.startswith(mark, self._at):
            return False
        self._pass(self._at + len(mark))
        return True

    def comma(self) -> bool:
        """Whether a comma comes next; it is then passed, with the blanks around it."""
        match = _COMMA.match(self._held, self._at)
        if match is None or match.end() == len(self._held):
            return self.take(",")
        self._pass(match.end())
        return True

    def need(self, mark: str) -> None:
        """Passes `mark`. Raises RecordingError: something else comes next."""
        if not self.take(mark):
            raise self._wrong(f"not JSON: {mark!r} or ',' is missing")

    def ended(self) -> bool:
        """Whether nothing comes next."""
        self._skip_blanks()
        return self._at == len(self._held)

    def end(self) -> None:
        """Raises RecordingError: something comes next."""
        if not self.ended():
            raise self._wrong("not JSON: something stands behind the array")

    def members(self) -> Iterator[tuple[int, Any]]:
        """The objects of an array that can be told at once: all that are held but the last, if they stand on one line.

        What parses as a list of values is one, whatever stands behind it. Where it does not, the comma at its end was
        within a member: they are then told one by one.
        """
        while self._together:
            self._skip_blanks()
            end = self._held.rfind("},", self._at) + 1
            while end and self._held[end + 1 : end + 3].lstrip()[:1] != "{":
                end = self._held.rfind("},", self._at, end) + 1
            if not end or self._held.find("\n", self._at, end) >= 0:
                return
            whole = f"[{self._held[self._at : end]}]"
            try:
                found, parsed = _SCAN(whole, 0)
            except (StopIteration, ValueError, RecursionError):
                found, parsed = [], 0
            if parsed != len(whole):
                self._together = False
                return
            self._at = end + 1
            yield from zip(repeat(self._line), found)
            self._read()

    def value(self) -> tuple[int, Any]:
        """The next value, and the line where it begins. Raises RecordingError: it is no JSON."""
        self._skip_blanks()
        while True:
            try:
                value, end = self._decoded()
            except json.JSONDecodeError as error:
                if not self._all:
                    self._read()
                    continue
                line = self._line + self._held.count("\n", self._at, error.pos)
                column = error.pos - self._held.rfind("\n", 0, error.pos)
                raise self._wrong(f"not JSON: {error.msg} (column {column})", line) from None
            except (RecursionError, ValueError):
                raise self._wrong(UNREADABLE) from None
            if end < len(self._held) or self._all:  # a number may go on in what was not read yet
                line = self._line
                self._pass(end)
                return line, value
            self._read()

    def _decoded(self) -> tuple[Any, int]:
        try:
            return _SCAN(self._held, self._at)
        except StopIteration:
            return _DECODER.raw_decode(self._held, self._at)  # which says what is wrong

    def _skip_blanks(self) -> None:
        if self._held[self._at : self._at + 1] in {"{", "["}:
            return
        while True:
            match = _BLANK.match(self._held, self._at)
            self._pass(match.end() if match else self._at)
            if self._at < len(self._held) or self._all:
                return
            self._read()

    def _pass(self, end: int) -> None:
        self._line += self._held.count("\n", self._at, end)
        self._at = end

    def _read(self) -> None:
        """Hold as much again as is held of the value, so that reading a long one takes no square of its length."""
        left = len(self._held) - self._at
        if left > self._longest:
            raise self._wrong(f"a value of more than {self._longest // 1024**2} MiB")
        more = self._text.read(max(_PIECE, left))
        if not more.isascii() and (found := ESCAPED.search(more)):
            line = self._line + self._held.count("\n", self._at) + more.count("\n", 0, found.start())
            raise self._wrong(f"not {self._text.encoding.upper()}: give --encoding, such as cp1252", line)
        self._held, self._at = self._held[self._at :] + more, 0
        self._all = not more

    def _wrong(self, what: str, line: int | None = None) -> RecordingError:
        return RecordingError(f"{named(self._path)}, line {line or self._line}: {what}")
