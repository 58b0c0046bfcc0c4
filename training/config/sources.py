"""Where texts come from: files, one's own or public ones, by a mapping of their columns."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from models.text import SPOKEN_BY
from schemas.errors import UsageError
from schemas.records import Label, Role

EXAMPLE = (
    'list at least one, such as: [[sources]] name = "ours", role = "domain", train = "transcripts.csv", '
    'text = "text", label = "sentiment"'
)


class CorpusError(UsageError):
    """A data file is missing, lacks a column, or has a label that no model knows."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Files = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Share = Annotated[float, Field(ge=0, lt=1)]


def _as_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


Pattern = Annotated[str, AfterValidator(_as_pattern)]


class Source(BaseModel):
    """One set of texts: what it is for, its files, and which of their columns are which.

    Files are CSV (`.csv`) or JSON lines (`.jsonl`, `.ndjson`), as paths or patterns (`calls/*.jsonl`) relative
    to the configuration's `data`. A set that is measured on and has no file for it has `test_share` of its
    `train` rows held out, by the SHA-256 of their ids: the same rows in every run, whatever is added to the files.
    Where rows are turns, give the conversation's column as `id`, and whole conversations are held out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Of the set in reports: `airline` gives the metrics `airline_dev` and `airline_test`."""
    role: Literal["domain", "extra", "general", "unlabelled", "calls", "measured"]
    """`domain`: the labelled text that the model is for. `extra`: labelled text to learn from together with it, which
    is not measured on; with `turns`, each turn is a text. `general`: other labelled text, learned from first.
    `unlabelled`: text of the domain to read. `calls`: whole conversations to measure on; those that are not held
    out for it are read as `unlabelled`. `measured`: labelled text of another kind, its `test` files to measure on."""
    train: Files = ()
    generate: int | None = Field(default=None, ge=1, le=200_000)
    """Of an `extra`, instead of `train`: so many texts of the grammar in `training/grammar`, by the run's seed. Of a
    `measured`, instead of `test`: so many of the turns there that are kept aside."""
    dev: Files = ()
    test: Files = ()

    text: str = "text"
    """Column of the text; with `turns`, the field of each turn's text."""
    label: str = "label"
    id: str | None = None
    """Column of a row's id. Default: `id` where there is one, else the text's SHA-256."""
    agreement: str | None = None
    """Column of the share of annotators behind the label, from 0 to 1; empty is 1."""
    labels: Mapping[str, Label] = Field(default_factory=dict)
    """What one's own names mean: `{ angry = "negative" }` or `{ "1" = "negative" }`."""
    other_labels: Literal["refused", "left out"] = "refused"
    """Of an `extra` or `measured`: `left out` leaves out rows with none of `labels`, be it one of the three."""
    always: Label | None = None
    """Of an `extra` or `measured`: the label of all its rows, in place of `label`."""
    matching: Pattern | None = None
    """Of an `extra` or `measured`: only texts that this regular expression is found in, in either case."""
    without: Pattern | None = None
    """Of an `extra` or `measured`: no text that this one is found in."""
    weight: float = Field(default=1.0, gt=0, le=1)
    """How much a row of an `extra` or `general` source counts, where one of the domain's counts 1 to a teacher and 3 to
    a student, which reads the domain three times; a `measured` set as a whole, for the temperature, where the domain's
    dev counts 1."""
    turns: str | None = None
    """In JSON lines, the field with a conversation's list of turns."""
    speaker: str = "speaker"
    speakers: Files = ()
    """Only rows or turns whose `speaker` is one of these; all by default."""

    test_share: Share | None = None
    """Of `train`, held out for testing. Default: a tenth where there is no `test`."""
    dev_share: Share | None = None
    """Of `train`, held out to choose on (domain). Default: a tenth where there is no `dev`."""
    sample_share: Share = 0.0
    """Of `train`, held out to be shown, as in a demo (domain)."""

    licence: str = ""
    origin: str = ""
    """Where it was published: an address or a paper."""

    @model_validator(mode="after")
    def _check_choice(self) -> Self:
        chosen = (self.always, self.matching, self.without, None if self.other_labels == "refused" else True)
        if self.role not in {"extra", "measured"} and any(value is not None for value in chosen):
            raise ValueError(f"{self.name}: always, matching, without and other_labels are for extra and measured text")
        if self.weight != 1 and self.role not in {"extra", "general", "measured"}:
            raise ValueError(f"{self.name}: a weight is for extra, general or measured text; this is {self.role}")
        if self.always is not None and self.labels:
            raise ValueError(f"{self.name}: give either `labels` or the label that rows have `always`")
        return self

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if self.role == "measured":
            if self.train or self.test_share or bool(self.test) == (self.generate is not None):
                raise ValueError(f"{self.name}: text that is measured has `test` or `generate`, and no `train`")
        elif not self.train and self.generate is None and (self.role != "calls" or not self.test):
            raise ValueError(f"{self.name}: give the files in `train`{' or `test`' if self.role == 'calls' else ''}")
        return self

    @model_validator(mode="after")
    def _check(self) -> Self:
        labelled = self.role in {"domain", "general"}
        if self.generate is not None and (self.role not in {"extra", "measured"} or self.train):
            raise ValueError(f"{self.name}: `generate` is for an extra or measured source, in place of its files")
        if self.role != "domain" and (self.dev or self.dev_share or self.sample_share):
            raise ValueError(f"{self.name}: dev, dev_share and sample_share are the domain's; this is {self.role}")
        if self.role in {"unlabelled", "extra"} and (self.test or self.test_share):
            raise ValueError(f"{self.name}: {self.role} text has no test and no test_share: nothing is measured on it")
        for part in ("dev", "test"):
            if getattr(self, part) and getattr(self, f"{part}_share") is not None:
                raise ValueError(f"{self.name}: give either `{part}` or `{part}_share`")
        if sum(self.shares) >= 1:
            raise ValueError(f"{self.name}: the shares held out leave nothing to train on")
        if labelled and not self.test and not self.shares[0]:
            raise ValueError(f"{self.name}: nothing to test on: give `test` or a `test_share` above 0")
        if self.role == "domain" and not self.dev and not self.shares[1]:
            raise ValueError(f"{self.name}: nothing to choose on: give `dev` or a `dev_share` above 0")
        return self

    @property
    def said_by(self) -> Role:
        """The role of all who speak in it, where `speakers` names one alone."""
        return next((role for role in get_args(Role) if self.speakers == (role,)), "unknown")

    @property
    def tells_roles(self) -> bool:
        """Whether some of its texts are of those whom a model may be told of: agents, bots and systems."""
        return self.generate is not None or self.said_by in SPOKEN_BY

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares of `train` that are held out: for testing, to choose on, as sample."""

        def share(wanted: float | None, needed: bool) -> float:
            return wanted if wanted is not None else 0.1 * needed

        return (
            share(self.test_share, self.role not in {"unlabelled", "extra", "measured"} and not self.test),
            share(self.dev_share, self.role == "domain" and not self.dev),
            self.sample_share,
        )


def check_sources(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """`sources`. Raises ValueError: not exactly one is the domain, several are general, or a name comes twice."""
    if not sources:
        raise ValueError(f"no sources: {EXAMPLE}")
    domains = [source.name for source in sources if source.role == "domain"]
    if len(domains) != 1:
        found = f"these are: {', '.join(domains)}" if domains else f"none is: {EXAMPLE}"
        raise ValueError(f"exactly one source has the role domain; {found}")
    generals = [source.name for source in sources if source.role == "general"]
    if len(generals) > 1:
        raise ValueError(f"at most one source has the role general; these are: {', '.join(generals)}")
    names = [source.name for source in sources]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two sources are called {', '.join(twice)}")
    return sources


Sources = Annotated[tuple[Source, ...], AfterValidator(check_sources)]
