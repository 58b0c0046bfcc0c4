"""Putting a version of a model in force in a folder of versions, and going back to the one before."""

import os
import secrets
import shutil
from pathlib import Path

from models.artifact import CARD, MANIFEST, Artifact, ArtifactError, load_artifact
from models.pointer import Pointer, PointerError, is_pointed_at, read_pointer, write_pointer


def add_version(folder: Path, candidate: Artifact) -> Artifact:
    """`candidate`, copied to `folder` and verified there; it is not in force yet. `folder` is made where it is missing.

    The manifest, the files it names and the card are copied. Who may read them is as for any file that is made there.

    Raises ArtifactError: a version of that name is there with another manifest, or what was copied is not what it
    should be. PointerError: `folder` is an artifact itself, or can't be written.
    """
    target = folder / candidate.id
    if target.is_dir():
        there = load_artifact(str(target))
        if there.manifest != candidate.manifest:
            raise ArtifactError(
                f"{target} has another model of the same name and version, or another manifest of it: give the new one "
                "a version of its own (`version` in the configuration of its training)"
            )
        return there
    # A promotion that was killed has left its unfinished copy.
    if folder.is_dir() and not is_pointed_at(folder) and any(path.name[0] != "." for path in folder.iterdir()):
        raise PointerError(f"{folder} is no folder of versions: name one, or a folder that is empty or not there yet")
    unfinished = folder / f".{candidate.id}.{secrets.token_hex(4)}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.mkdir()
            for name in (MANIFEST, *candidate.manifest.files, CARD):
                if (source := candidate.folder / name).exists():  # there may be no card
                    shutil.copyfile(source, unfinished / name)
            load_artifact(str(unfinished))
            for path in (*unfinished.iterdir(), unfinished):
                _onto_disk(path)
            unfinished.rename(target)
            _onto_disk(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except (OSError, shutil.Error) as error:
        raise PointerError(
            f"{target} can't be written: {getattr(error, 'strerror', None) or 'copying failed'}"
        ) from None
    return load_artifact(str(target))


def put_in_force(folder: Path, model: str) -> Pointer:
    """Names `model` (`name@version`, a version in `folder`) as the one in force; the pointer as it is then.

    A model that is in force already stays so. Raises PointerError.
    """
    if not is_pointed_at(folder):
        pointer = Pointer(format=1, model=model)
    else:
        before = read_pointer(folder)
        if before.model == model:
            return before
        pointer = before.promoted(model)
    write_pointer(folder, pointer)
    return pointer


def _onto_disk(path: Path) -> None:
    """Has it written before the pointer names it, a file or what a folder holds.

    A machine that loses power must not keep the name alone.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
