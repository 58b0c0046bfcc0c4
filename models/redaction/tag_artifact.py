"""A tagger's artifact: a folder with a network over words, its tokenizer and a manifest, checked before it is used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.artifact import MODEL, TOKENIZER, ArtifactError, FileEntry, artifact_folder, verify_file
from models.redaction.kinds import Kind

MANIFEST = "tagger.json"

OUTSIDE = "O"
"""The class of what is nothing to be redacted; the others are kinds."""


class TagManifest(BaseModel):
    """tagger.json: the classes in the order of the model's outputs, which of them are told, and from what on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[2]
    name: Literal["redaction"]
    version: str
    created: str
    base: str
    classes: tuple[Literal["O"] | Kind, ...] = Field(min_length=2)
    told: tuple[Kind, ...] = Field(min_length=1)
    # From this probability of the kinds in `told` together on, a word is one of them.
    threshold: float = Field(gt=0, lt=1)
    # Words, in small letters, that were hardly ever in a kind told: a text of these alone is not read.
    common: frozenset[str]
    files: dict[str, FileEntry]
    # Words on either side that the probabilities of a word depend on.
    reach: int = Field(ge=0, le=64)
    metrics: dict[str, dict[str, float]]
    training: dict[str, object]
    licence: str


@dataclass(frozen=True, slots=True)
class TagArtifact:
    """A tagger whose files are there and are what its manifest says."""

    folder: Path
    manifest: TagManifest

    @property
    def model_path(self) -> Path:
        """The ONNX model."""
        return self.folder / MODEL

    @property
    def tokenizer_path(self) -> Path:
        """The tokenizer."""
        return self.folder / TOKENIZER


def load_tag_artifact(name_or_folder: str) -> TagArtifact:
    """The tagger's artifact of that name in models/artifacts, or in that folder, with every file verified.

    Raises ArtifactError: the folder or a file is missing, a file's SHA-256 differs, or the manifest is no tagger's.
    """
    folder = artifact_folder(name_or_folder)
    path = folder / MANIFEST
    try:
        manifest = TagManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ArtifactError(f"cannot read the tagger's manifest {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(f"{path} is not a tagger's manifest: {where}: {first['msg']}") from error
    if manifest.classes[0] != OUTSIDE or not set(manifest.told) <= set(manifest.classes):
        raise ArtifactError(f"{path}: the first class is {OUTSIDE}, and the kinds told are among the others")
    for name in (MODEL, TOKENIZER):
        if name not in manifest.files:
            raise ArtifactError(f"{path}: files must list {name}")
    for name, entry in manifest.files.items():
        verify_file(folder / name, entry)
    return TagArtifact(folder, manifest)
