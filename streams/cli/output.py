"""Where a command writes its result."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from schemas.errors import UsageError


@contextmanager
def text_output(path: Path | None, source: str) -> Iterator[TextIO]:
    """The file at `path`, or standard output, as UTF-8.

    Raises UsageError: it can't be written there, or it is the file `source` that is being read.
    """
    if path is None:
        yield sys.stdout
        return
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise UsageError(f"{path} is the input: writing it would empty it; name another file")
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
    with file:
        yield file
