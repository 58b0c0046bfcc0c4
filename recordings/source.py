"""The bytes of a file or of standard input, unpacked, never more of them in memory than a line may have."""

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

from recordings.fault import STDIN, RecordingError, named

HEAD: Final = 64 * 1024
"""How many bytes of a file's beginning are looked at to recognise what it is."""

LONGEST_LINE: Final = 64 * 1024 * 1024
"""A longer line is no row: what has no line ends would fill the memory."""

# DEFLATE makes one byte of 1,032 at most, and logs and transcripts one of 5 to 30: what unpacks to a gigabyte of more
# than 500 times its size was made to.
_BOMB_BYTES: Final = 1024**3
_BOMB_RATIO: Final = 500

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_OTHERS: Final = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet (.xlsx): unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet (.xls): save the sheet as CSV"),
    (b"%PDF", "a PDF: export the transcript as text, CSV or JSON"),
    (b"PAR1", "Parquet: write it as JSON lines or CSV first"),
    (b"BZh", "bzip2: unpack it first; .gz and .zst are read"),
    (b"\xfd7zXZ", "xz: unpack it first; .gz and .zst are read"),
)


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Source(io.RawIOBase):
    """The unpacked bytes. `head` has the beginning of them; they are given again by `readinto`.

    `packed` is gzip, zstd or "". `sha256` is of the bytes as they came, up to where they were read. Of what is read in
    lines, `lines` is left True: then a line may have `LONGEST_LINE` bytes. `most` bounds all of it, where it is set.

    Raises RecordingError, also as it is read: it cannot be read or unpacked, is of a kind that holds no text, or a
    bound is passed.
    """

    def __init__(self, file: _Reader, path: Path | str) -> None:
        super().__init__()
        self._name = named(path)
        self._packed = _Counted(file, self._name)
        self.lines = True
        self.most: int | None = None
        self._given = self._since_line_end = 0
        first = self._packed.peek()
        for magic, what in _OTHERS:
            if first.startswith(magic):
                raise RecordingError(f"{self._name}: {what}")
        self.packed = "gzip" if first.startswith(_GZIP) else "zstd" if first.startswith(_ZSTD) else ""
        self._unpacked: _Reader = self._packed
        if self.packed == "gzip":
            self._unpacked = gzip.GzipFile(fileobj=self._packed)  # type: ignore[call-overload] # reading takes no more
        elif self.packed == "zstd":
            self._unpacked = zstd.ZstdFile(self._packed)  # type: ignore[call-overload]
        self.head = self._beginning()
        self._left = self.head

    @property
    def sha256(self) -> str:
        """SHA-256, in hexadecimal, of what was read so far, packed as it came."""
        return self._packed.sha.hexdigest()

    def readable(self) -> bool:
        """True: io asks."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Puts the next bytes into `buffer`, and returns how many; 0 at the end. Raises RecordingError."""
        data = self._left[: len(buffer)] or self._read(len(buffer))
        self._left = self._left[len(data) :]
        self._check(data)
        buffer[: len(data)] = data
        return len(data)

    def _beginning(self) -> bytes:
        """All that comes at once, and on until there is a whole line, a `HEAD`, or no more."""
        pieces = [self._read(HEAD)]
        while pieces[-1] and b"\n" not in pieces[-1] and sum(map(len, pieces)) < HEAD:
            pieces.append(self._read(HEAD))
        return b"".join(pieces)

    def _read(self, size: int) -> bytes:
        try:
            return self._unpacked.read(size)
        except (EOFError, zlib.error, zstd.ZstdError, gzip.BadGzipFile) as error:
            raise RecordingError(f"{self._name}: damaged {self.packed}, or cut off: {error}") from None

    def _check(self, data: bytes) -> None:
        self._given += len(data)
        if self.most is not None and self._given > self.most:
            raise RecordingError(f"{self._name}: over {self.most // 1024**2} MiB, which is read at once: split it")
        if self.packed and self._given > max(_BOMB_BYTES, _BOMB_RATIO * self._packed.count):
            raise RecordingError(
                f"{self._name}: it unpacks to more than {_BOMB_RATIO} times its size: unpack it yourself if it is real"
            )
        if self.lines:
            end = max(data.rfind(b"\n"), data.rfind(b"\r"))
            self._since_line_end = len(data) - end - 1 if end >= 0 else self._since_line_end + len(data)
            if self._since_line_end > LONGEST_LINE:
                raise RecordingError(
                    f"{self._name}: a line of more than {LONGEST_LINE // 1024**2} MiB: no file of lines, or damaged"
                )


class _Counted:
    """The bytes as they came: counted, and their digest taken."""

    def __init__(self, file: _Reader, name: str) -> None:
        self._file = file
        self._name = name
        self._ahead = b""
        self.count = 0
        self.sha = hashlib.sha256()

    def peek(self) -> bytes:
        """The first bytes, which `read` gives again."""
        self._ahead = self.read(HEAD)
        return self._ahead

    def read(self, size: int = -1) -> bytes:
        """The next bytes: what is there, be it less than `size`."""
        if self._ahead:
            data, self._ahead = (self._ahead, b"") if size < 0 else (self._ahead[:size], self._ahead[size:])
            return data
        try:
            data = self._file.read1(size) if isinstance(self._file, io.BufferedReader) else self._file.read(size)
        except OSError as error:  # a folder, a disk that fails
            raise RecordingError(f"{self._name}: {error.strerror}") from None
        self.count += len(data)
        self.sha.update(data)
        return data


@contextmanager
def opened(path: Path | str) -> Iterator[Source]:
    """The file at `path`, or standard input for `-`. Raises RecordingError: it cannot be opened, or see `Source`."""
    with ExitStack() as stack:
        try:
            file: IO[bytes] = sys.stdin.buffer if str(path) == STDIN else stack.enter_context(Path(path).open("rb"))
            source = Source(file, path)
        except OSError as error:
            raise RecordingError(f"{named(path)}: {error.strerror}") from None
        yield source
