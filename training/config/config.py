"""What one training run does: read from a TOML file, whose every value has a default here."""

import tomllib
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from models.artifact import MANIFEST, Version
from schemas.errors import UsageError
from training.config.sources import Sources

Kind = Literal["cloud", "small", "tiny"]
"""Of a student: all of MiniLM's layers, every second one, or a BERT of 2 layers by 128."""

Artifact = Literal["edge", "edge-tiny", "cloud"]
"""What a run ships."""

FileFormat = Literal["int8", "int8s", "int8w", "int4w"]
"""In which a model may ship."""


class ConfigError(UsageError):
    """The configuration file is missing, is not TOML, or says something that no run can do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Schedule(_Part):
    """One pass of training: how long, how fast, in what batches."""

    epochs: int = Field(ge=1, le=1000)
    rate: float = Field(gt=0, lt=1)
    """The head's peak learning rate; each layer below learns at 0.9 of the one above."""
    batch: int = Field(default=32, ge=1, le=4096)
    patience: int = Field(default=1000, ge=1)
    """Stop after so many epochs in a row without a better dev accuracy."""


class Pruning(_Part):
    """What is left of the layers and word vectors that a student begins with: what matters most to its answers.

    No more than MiniLM's layers have.
    """

    heads: int = Field(ge=1, le=12)
    """Attention heads of each layer."""
    feed_forward: int = Field(ge=1, le=1536, multiple_of=32)
    """Neurons of each layer's feed-forward part, in blocks that 4-bit weights have a scale for."""
    embeddings: int | None = Field(default=None, ge=1, le=384, multiple_of=32)
    """Rank of the word vectors: so many numbers a piece are kept, and one matrix. Default: all."""


class Student(_Part):
    """How a student is trained: on all sets together, then on the domain's and the extra ones."""

    transfer: Schedule
    domain: Schedule | None = None
    """Default: not at all, and all sets together are what it learns from."""
    transfers: int | None = Field(default=None, ge=1)
    """How many of the seeds have a transfer of their own; later ones start from the first's. Default: all."""
    remembered: float = Field(default=1.0, gt=0, le=1)
    """The share of the domain's and the general texts that the transfer reads. Less than all where the student begins
    from a network that has learned from them: `cloud`, where an artifact is the `teacher`."""
    unlabelled: float = Field(default=1.0, ge=0, le=1)
    """The share of the unlabelled texts that it reads: none where the student is to know better than its teacher."""
    changed: float = Field(default=1.0, gt=0, le=1)
    """How much of what the transfer changes in the weights is kept. Less than all where the student begins from a
    network that answers well already: half of the way it has learned most, and forgotten little."""
    taught_by: Literal["cloud"] | None = None
    """Of `small`: the run's first student of that kind teaches it, of all texts, and it begins from layers of it. It
    comes first in `students`. Default: the teachers teach."""
    pruning: Pruning | None = None
    """Of `small` and `cloud`: cut before training. Default: the layers stay whole."""


class Teacher(_Part):
    """The teacher on a base too large to ship."""

    folder: Path
    """An MPNet's files, as a model hub has them; relative to `data`."""
    general: Schedule = Schedule(epochs=1, rate=5e-5, batch=64)
    domain: Schedule = Schedule(epochs=1, rate=5e-5, batch=64)
    extra: float = Field(default=1.0, ge=0, le=1)
    """The share of the extra texts that it learns from, beside the domain's three times; of all a pass takes hours."""


class Config(_Part):
    """A run's settings. Rates and epochs are those that dev preferred; `training/README.md` has the comparison."""

    data: Path
    """The folder with the data sets; relative to the configuration file."""
    sources: Sources = ()
    """The sets in it, and what each is for."""
    seed: int = 1
    seeds: int = Field(default=3, ge=1, le=20)
    """How many teachers are trained (one, if on a larger base), and students of each kind: their spread is what a
    difference must exceed."""
    vocabulary: int = Field(default=8_000, ge=200, le=30_522)
    """WordPiece pieces kept of the base model's 30,522."""

    general: Schedule = Schedule(epochs=2, rate=1e-4, batch=64)
    """The general teacher, on the general set."""
    domain: Schedule = Schedule(epochs=3, rate=6e-5)
    """The domain teachers, each from the general one."""
    large: Teacher | None = None
    """MPNet-base as the one teacher, in place of MiniLM's: better, and ten times slower to train."""
    teacher: Path | None = None
    """The folder of an artifact that teaches in place of teachers that are trained, and whose network `cloud` and
    `small` begin from; relative to the configuration file. A MiniLM in `int8s`, such as a former cloud artifact.
    It must not have learned from what this run measures on."""
    adapt: Schedule = Schedule(epochs=3, rate=5e-4, batch=64)
    """Masked-language-model training of the tiny base model."""
    cloud: Student = Student(
        transfer=Schedule(epochs=1, rate=8e-5, batch=64), domain=Schedule(epochs=2, rate=4e-5), transfers=1
    )
    """All six of MiniLM's layers, taught by the ensemble."""
    small: Student = Student(
        transfer=Schedule(epochs=1, rate=1e-4, batch=64), domain=Schedule(epochs=2, rate=6e-5), transfers=1
    )
    """Layers 0, 2 and 4 of them: every second one, from the first; the last is the most tied to the teacher's head."""
    tiny: Student = Student(
        transfer=Schedule(epochs=8, rate=1e-3, batch=64), domain=Schedule(epochs=4, rate=3e-4, patience=2)
    )
    """The BERT of 2 layers by 128."""
    students: tuple[Kind, ...] = ("cloud", "tiny")
    """Which are made. One that ships as nothing is there to compare with. With none, all of `ships` are `former`
    artifacts, and the run measures them."""
    ships: dict[Artifact, Kind] = {"edge": "tiny", "cloud": "cloud"}
    """Which kind of student ships as which artifact."""
    formats: dict[str, FileFormat] = {}
    """In which file format an artifact ships, where that is not `int8s`."""
    compared: tuple[FileFormat, ...] = get_args(FileFormat)
    """In which formats, beside float32 and those that ship, the first seed's models are made and compared."""
    former: Path | None = None
    """The folder of the artifacts in service; relative to the configuration file. Of those it has, each goes on
    serving unless a model of this run is better on dev. It must not have learned from what this run measures on."""
    baseline: Path | None = None
    """What models answered to the behaviour suite before, as `edgewise train behaviour --record` writes it; relative to
    the configuration file. A kind that falls behind it fails the run. Default: the suite is measured, not judged."""
    version: str | None = None
    """What the models that this run ships are called in results and audit events, as in `edge@2.1.0`. Default:
    `0.0.0+` and the first eight digits of the model file's SHA-256."""

    def format_of(self, artifact: str) -> FileFormat:
        """The file format in which `artifact` ships."""
        return self.formats.get(artifact, "int8s")

    @field_validator("ships")
    @classmethod
    def _has_both(cls, ships: dict[Artifact, Kind]) -> dict[Artifact, Kind]:
        if missing := [artifact for artifact in ("edge", "cloud") if artifact not in ships]:
            raise ValueError(f"say which student ships as {missing[0]}")
        return ships

    @model_validator(mode="after")
    def _one_way_to_teach(self) -> Self:
        if self.teacher is not None and self.large is not None:
            raise ValueError("an artifact is the teacher, or teachers are trained: give either `teacher` or `large`")
        return self

    @model_validator(mode="after")
    def _teacher_comes_first(self) -> Self:
        for kind in ("cloud", "small", "tiny"):
            by = getattr(self, kind).taught_by
            if by is not None and (kind != "small" or by not in self.students[: (*self.students, kind).index(kind)]):
                raise ValueError(
                    f"{kind}.taught_by: only `small` is taught by `cloud`, which comes before it in `students`"
                )
        return self

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Self:
        if self.tiny.pruning is not None:
            raise ValueError("tiny.pruning: only `small` and `cloud` are cut")
        if unknown := sorted(self.formats.keys() - self.ships.keys()):
            raise ValueError(f"formats: {unknown[0]!r} does not ship; {', '.join(self.ships)} do")
        return self

    @field_validator("version")
    @classmethod
    def _fits_an_id(cls, version: str | None) -> str | None:
        try:
            TypeAdapter(Version | None).validate_python(version)
        except ValidationError:
            raise ValueError(
                f"{version!r} is not a version: it is letters, digits, dots, '_', '+' and '-', begins with a letter or "
                "a digit, and has at most 100 characters, such as 2.1.0"
            ) from None
        return version


def read(path: Path) -> Config:
    """The configuration in `path`. Raises ConfigError: it cannot be read, or a value is wrong, which is named."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    changed = {"data": (path.parent / config.data).resolve()}
    if config.former is not None:
        changed["former"] = former = (path.parent / config.former).resolve()
        if not any((former / name).is_dir() for name in config.ships):
            raise ConfigError(f"{path}: former: {former} has no folder {' or '.join(config.ships)}")
    _check_ships(path, config, changed.get("former"))
    if config.teacher is not None:
        changed["teacher"] = teacher = (path.parent / config.teacher).resolve()
        if not (teacher / MANIFEST).is_file():
            raise ConfigError(f"{path}: teacher: there is no artifact in {teacher}")
    if config.baseline is not None:
        changed["baseline"] = baseline = (path.parent / config.baseline).resolve()
        if not baseline.is_file():
            raise ConfigError(f"{path}: baseline: there is no file {baseline}")
    return config.model_copy(update=changed)


def _check_ships(path: Path, config: Config, former: Path | None) -> None:
    for name, kind in config.ships.items():
        if kind not in config.students and (former is None or not (former / name).is_dir()):
            raise ConfigError(
                f"{path}: ships: nothing would ship as {name}: make {kind} one of the `students`, let another kind "
                f"ship, or name a `former` folder with {name} in it"
            )
