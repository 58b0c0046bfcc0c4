"""Which version of a model is in force: a folder of versions, and the one small file in it that names the current one.

FOLDER/current.json     {"format": 1, "model": "edge@2.1.0", "former": ["edge@2.0.0"]}
FOLDER/edge@2.0.0/      an artifact
FOLDER/edge@2.1.0/      another
"""

import json
import os
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import UsageError

POINTER: Final = "current.json"
"""The file that names the version in force."""

MOST_FORMER: Final = 20
"""So many versions that one may go back to are remembered: the file is read whole at every change."""

ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}@[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]


class PointerError(UsageError):
    """The file that names the version in force cannot be read or written, or says nothing of use."""


class Pointer(BaseModel):
    """What the file says: the folder (`name@version`) in force, and those that were before it, the last one last."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1]
    model: ModelId
    former: tuple[ModelId, ...] = ()

    def promoted(self, model: str) -> "Pointer":
        """The same after `model` has taken the place of what is in force."""
        return Pointer(format=1, model=model, former=(*self.former, self.model)[-MOST_FORMER:])

    def rolled_back(self) -> "Pointer":
        """The same with the last former version in force again. Raises PointerError: there is none."""
        if not self.former:
            raise PointerError(f"{self.model} is the first version that was put in force: there is none to go back to")
        return Pointer(format=1, model=self.former[-1], former=self.former[:-1])


Stamp = tuple[int, int, int]
"""What tells that a file was replaced, at the price of one look: its inode, when it was modified (ns), its bytes."""


def is_pointed_at(folder: Path) -> bool:
    """Whether `folder` is one of versions. Raises PointerError: it may not be entered, or cannot be the name of one."""
    try:
        return (folder / POINTER).is_file()
    except OSError as error:
        raise PointerError(f"{folder / POINTER} can't be read: {error.strerror}") from None


def stamp(folder: Path) -> Stamp | None:
    """The stamp of the pointer in `folder`; None where it cannot be seen."""
    try:
        found = (folder / POINTER).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_pointer(folder: Path) -> Pointer:
    """What the pointer in `folder` says. Raises PointerError."""
    path = folder / POINTER
    try:
        return Pointer.model_validate_json(path.read_bytes(), strict=False)
    except OSError as error:
        raise PointerError(f"{path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise PointerError(f"{path} does not name a model's version: {where}: {first['msg']}") from None


def write_pointer(folder: Path, pointer: Pointer) -> None:
    """Puts `pointer` in force: who reads the file sees the former one or this one, whole. Raises PointerError."""
    path = folder / POINTER
    unfinished = folder / f".{POINTER}.{secrets.token_hex(4)}.partial"
    try:
        try:
            with unfinished.open("x", encoding="utf-8") as file:
                file.write(json.dumps(pointer.model_dump(mode="json"), indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise PointerError(f"{path} can't be written: {error.strerror}") from None
