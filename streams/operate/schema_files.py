"""The topics' schemas for others: as files, and in a schema registry."""

from pathlib import Path
from shutil import copytree
from typing import NamedTuple

from schemas.errors import UsageError
from schemas.registry import schema_id
from schemas.released import AVRO_FOLDER, released_schemas
from schemas.topics import TOPICS
from streams.config.codecs import registry
from streams.config.settings import Settings


class Registered(NamedTuple):
    """A released schema's place in the registry."""

    subject: str
    version: int  # of the release, `schemas/avro/v<N>`
    id: int


def export(folder: Path) -> list[Path]:
    """Copies every released schema to `folder`/v<N>/<topic>.avsc, and returns the files, sorted.

    Raises UsageError: the folder can't be written to.
    """
    try:
        copytree(AVRO_FOLDER, folder, dirs_exist_ok=True)
    except OSError as error:  # shutil's own, of several files, has no text of its own
        raise UsageError(f"{folder} can't be written to: {error.strerror or 'some files failed'}") from None
    return sorted(folder / file.relative_to(AVRO_FOLDER) for file in AVRO_FOLDER.glob("v*/*.avsc"))


def register(settings: Settings) -> list[Registered]:
    """Registers every released schema, oldest first, under `<prefix><topic>-value`, where it is not there yet.

    So the registry knows all that topics may hold, and a worker that may only read it finds what it writes with.
    Raises UsageError: no registry is set. RegistryError: it does not answer, or refuses.
    """
    client = registry(settings)
    if client is None:
        raise UsageError("no schema registry is set: name one in EDGEWISE_SCHEMA_REGISTRY_URL")
    every = [(version, topic, schema) for topic in TOPICS for version, schema in released_schemas(topic).items()]
    subjects = [(version, f"{settings.topic(topic)}-value", schema) for version, topic, schema in every]
    return [
        Registered(subject, version, schema_id(client, subject, schema))
        for version, subject, schema in sorted(subjects, key=lambda each: each[:2])
    ]
