"""A model artifact: a folder with a model, its tokenizer and a manifest, checked before anything in it is loaded."""

import hashlib
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.languages import ALL, primary
from models.long_text import How, Weighing
from models.pointer import PointerError, is_pointed_at, read_pointer
from models.text import READ_BY_MODELS_OF, VERSION
from schemas.errors import UsageError
from schemas.records import LABELS

ARTIFACTS = Path(__file__).parent / "artifacts"
"""Where an artifact that is named, not given as a folder, is looked up."""

MANIFEST = "manifest.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
CARD = "CARD.md"

PlainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]


class ArtifactError(UsageError):
    """A model artifact is missing, altered, or not one that this version can run."""


class _Part(BaseModel):
    # Fields that a later writer adds are ignored; a change that matters gets a new `format`.
    model_config = ConfigDict(frozen=True, extra="ignore")


def _in_order(labels: tuple[str, ...]) -> tuple[str, ...]:
    if labels != LABELS:
        raise ValueError(f"a model's outputs are {', '.join(LABELS)}, in this order, not {', '.join(labels)}")
    return labels


def _as_subtags(languages: tuple[str, ...]) -> tuple[str, ...]:
    for language in languages:
        if language != ALL and primary(language) != language:
            raise ValueError(f"a language is its shortest code of ISO 639, such as en, or *, not {language!r}")
    return languages


class FileEntry(_Part):
    """What a file of the artifact must be."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


def _finite(offsets: tuple[float, float, float]) -> tuple[float, float, float]:
    if not all(map(isfinite, offsets)):
        raise ValueError("an offset is a finite number")
    return offsets


class WeighingEntry(_Part):
    """The numbers of a `models.long_text.Weighing`."""

    temperature: float = Field(gt=0, allow_inf_nan=False)
    offsets: Annotated[tuple[float, float, float], AfterValidator(_finite)]  # of `labels`


class Manifest(_Part):
    """manifest.json: what the model is, what it reads and returns, how good it is and on what, under which terms."""

    format: Literal[1]
    name: PlainName
    version: Version
    created: str
    base: str
    labels: Annotated[tuple[str, ...], AfterValidator(_in_order)]
    files: dict[PlainName, FileEntry]
    max_tokens: int = Field(ge=3, le=8192)  # [CLS], one token, [SEP]
    text_version: int
    long_text: How = "head"  # what is read of a text of more than max_tokens, if there is no weighing
    weighing: WeighingEntry | None = None  # reads such a text in pieces, of which what is neutral counts least
    reads_roles: bool = False  # it learned what agents, bots and systems say with `models.text.SPOKEN_BY` before it
    languages: Annotated[tuple[str, ...], AfterValidator(_as_subtags)] = ("en",)  # that it reads; `*` for all
    temperature: float = Field(gt=0, allow_inf_nan=False)
    confidence_threshold: float | None = Field(ge=0, le=1)  # null: a model that does not route
    opset: int
    metrics: dict[str, dict[str, float]]
    training: dict[str, object]
    licence: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model whose files are there and are what its manifest says."""

    folder: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """`name@version`, as results and audit events carry it."""
        return f"{self.manifest.name}@{self.manifest.version}"

    @property
    def model_path(self) -> Path:
        """The ONNX model."""
        return self.folder / MODEL

    @property
    def tokenizer_path(self) -> Path:
        """The tokenizer, as the `tokenizers` library saves it."""
        return self.folder / TOKENIZER

    @property
    def temperature(self) -> float:
        """What the logits are divided by, so that probabilities are calibrated."""
        return self.manifest.temperature

    @property
    def confidence_threshold(self) -> float | None:
        """The calibrated threshold of the default routing policy; None for a model that does not route."""
        return self.manifest.confidence_threshold

    @property
    def reads_roles(self) -> bool:
        """Whether the model is told of a text that an agent, a bot or a system wrote it."""
        return self.manifest.reads_roles

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model reads, as first subtags of BCP 47; `*` stands for all."""
        return self.manifest.languages

    @property
    def max_tokens(self) -> int:
        """The longest input, in tokens, [CLS] and [SEP] included; `long_text` says what of a longer text is read."""
        return self.manifest.max_tokens

    @property
    def long_text(self) -> How:
        """What of a text of more than `max_tokens` is read, where there is no `weighing`."""
        return self.manifest.long_text

    @property
    def weighing(self) -> Weighing | None:
        """How a text of more than `max_tokens` is answered from its pieces; None: as `long_text` says."""
        entry = self.manifest.weighing
        return None if entry is None else Weighing(entry.temperature, entry.offsets)


def shipped() -> list[str]:
    """The names of the artifacts in models/artifacts."""
    return sorted(path.parent.name for path in ARTIFACTS.glob(f"*/{MANIFEST}"))


def artifact_folder(name_or_folder: str) -> Path:
    """The folder in models/artifacts of that name, where there is one, else the folder of that path."""
    names = {path.name for path in ARTIFACTS.glob("*")}
    return ARTIFACTS / name_or_folder if name_or_folder in names else Path(name_or_folder)


def load_artifact(name_or_folder: str) -> Artifact:
    """The artifact of that name in models/artifacts, or in that folder, with every file verified.

    Of a folder of versions (`models.pointer`) it is the one in force. Raises ArtifactError: the folder or a file is
    missing or can't be read, a file's SHA-256 differs, the manifest is unreadable, of an unknown format, for other
    labels, or for other text rules than this version's; or a version's folder holds another model.
    `models.compatibility` finds what takes onnxruntime to see.
    """
    folder = artifact_folder(name_or_folder)
    try:
        model = read_pointer(folder).model if is_pointed_at(folder) else None
    except PointerError as error:
        raise ArtifactError(str(error)) from None
    if model is not None:
        return _in_force(folder / model, model)
    if not folder.is_dir():
        known = ", ".join(shipped()) or "(none)"
        raise ArtifactError(
            f"there is no model {name_or_folder!r}: give a folder with a {MANIFEST}, or one of: {known}"
        )
    return _load(folder)


def _in_force(folder: Path, model: str) -> Artifact:
    artifact = _load(folder)
    if artifact.id != model:
        raise ArtifactError(f"{folder} holds {artifact.id}, not the version that its name says")
    return artifact


def _load(folder: Path) -> Artifact:
    manifest = _read_manifest(folder / MANIFEST)
    for name in (MODEL, TOKENIZER):
        if name not in manifest.files:
            raise ArtifactError(f"{folder / MANIFEST}: files must list {name}")
    for name, entry in manifest.files.items():
        verify_file(folder / name, entry)
    return Artifact(folder, manifest)


def _read_manifest(path: Path) -> Manifest:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read the model's manifest {path}: {error.strerror}") from error
    try:
        manifest = Manifest.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise ArtifactError(f"{path} is not a model manifest that this version can read: {what}") from error
    if manifest.text_version not in READ_BY_MODELS_OF:
        raise ArtifactError(
            f"{path}: the model was trained with text rules {manifest.text_version}, this version applies {VERSION}: "
            "train it again or install the matching version"
        )
    return manifest


def verify_file(path: Path, entry: FileEntry) -> None:
    """Checks that a file is what its manifest says. Raises ArtifactError: it is missing, or another."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read the model's file {path}: {error.strerror}") from error
    if len(content) != entry.bytes:
        raise ArtifactError(
            f"{path} has {len(content):,} bytes, its manifest says {entry.bytes:,}: get the whole file again"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry.sha256:
        raise ArtifactError(
            f"{path} was altered: its SHA-256 is {digest[:12]}…, its manifest says {entry.sha256[:12]}…: get it again"
        )
