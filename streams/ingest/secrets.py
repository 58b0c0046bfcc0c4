"""The secrets of those who may come in: a folder with a file for each of them, read again when a file changes."""

import hmac
from pathlib import Path
from typing import Final

from schemas.errors import UsageError
from streams.ingest.signatures import VENDORS

TOKENS: Final = "tokens"
"""The file with the bearer tokens of `/v1/events`."""

_FILES: Final = (TOKENS, *VENDORS)
_Stamp = tuple[int, int, int]


class Secrets:
    """The secrets in `folder`, in files called after who they are of.

    A file holds one a line, and all of them are valid: to replace one, add the new one first. Files whose names begin
    with a dot are left alone, for Kubernetes mounts such.

    Raises UsageError: no folder is set, it can't be read, it holds a file of nobody that is known, or no secret.
    """

    def __init__(self, folder: str | None) -> None:
        if folder is None:
            raise UsageError(
                "nobody may come in yet: set EDGEWISE_INGEST_SECRETS_FOLDER to a folder with the files "
                f"{', '.join(_FILES)}, as far as they are wanted, each with a secret a line"
            )
        self._folder = Path(folder)
        self._read: dict[str, tuple[_Stamp, tuple[str, ...]]] = {}
        try:
            names = [path.name for path in self._folder.iterdir() if not path.name.startswith(".")]
        except OSError as error:
            raise UsageError(f"ingest_secrets_folder is {folder!r}, which can't be read: {error.strerror}") from None
        if unknown := sorted(set(names) - set(_FILES)):
            raise UsageError(f"ingest_secrets_folder has a file {unknown[0]!r}: there are {', '.join(_FILES)}")
        if not any(map(self.of, names)):
            raise UsageError(f"ingest_secrets_folder is {folder!r}, which holds no secret: give {' or '.join(_FILES)}")

    def of(self, name: str) -> tuple[str, ...]:
        """The secrets of `name`, one of the vendors or `tokens`; none where there is no file that can be read."""
        path = self._folder / name
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            kept = self._read.get(name)
            if kept is None or kept[0] != stamp:
                lines = path.read_text("utf-8-sig").splitlines()
                self._read[name] = kept = stamp, tuple(line.strip() for line in lines if line.strip())
        except (OSError, UnicodeDecodeError):
            return ()
        return kept[1]

    def is_token(self, given: str) -> bool:
        """Whether `given` is one of the bearer tokens; compared in constant time with every one of them."""
        right = False
        for token in self.of(TOKENS):
            right |= hmac.compare_digest(token.encode(), given.encode(errors="replace"))
        return right
