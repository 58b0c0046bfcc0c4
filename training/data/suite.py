"""The behaviour suite: hand-written contact-centre texts, by kind, each with the labels that are right for it.

Short lists of cases for each kind of behaviour are CheckList's idea (Ribeiro et al. 2020, ACL). `docs/labels.md` tells
what a label means.
"""

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.errors import UsageError
from schemas.records import LABELS, Channel, Label, Role

SUITE: Final = Path(__file__).parents[1] / "behaviour"
"""The folder with a file a kind."""

KINDS: Final = (
    "plain_complaint",
    "polite_complaint",
    "thanks_closing",
    "plain_answers",
    "questions",
    "requests",
    "wishes",
    "hypothetical",
    "negation_near",
    "negation_far",
    "praise_by_negation",
    "negated_neutral",
    "contrast",
    "sarcasm",
    "reported_speech",
    "others_feelings",
    "quantities",
    "competitors",
    "escalation_words",
    "domain_words",
    "bereavement",
    "safety",
    "agent_turns",
    "bot_and_system_turns",
    "emoji",
    "ratings",
    "letters",
    "asr",
    "captions",
    "mails",
    "long_mails",
    "chat_bursts",
    "dialogues",
    "long_turns",
    "other_languages",
    "nothing",
)
"""Every kind, in the order of the report; each has its file in `SUITE`."""

Unsure = Literal["unsure"]
UNSURE: Final[Unsure] = "unsure"
"""Right where the model's confidence is below the threshold, whatever its label is."""

Expected = Label | Unsure
Form = Literal["turn", "burst", "mail", "captions"]
"""`turn`: one message or utterance. `burst`: one turn sent in several lines, or a short dialogue. `mail`: a whole mail.
`captions`: transcript lines with times or speakers."""


class SuiteError(UsageError):
    """A file of the suite is missing, is not TOML, or has an item that breaks a rule."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Item(_Part):
    """One text and the labels that are right for it. In a file, `label` stands for `labels` with one."""

    id: str
    text: str = Field(min_length=1)
    labels: Annotated[tuple[Expected, ...], BeforeValidator(_as_tuple)] = Field(min_length=1)
    role: Role
    channel: Channel
    form: Form
    kind: str
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _one_or_more(cls, values: dict[str, object]) -> dict[str, object]:
        if ("label" in values) == ("labels" in values):
            raise ValueError("give either `label` or `labels`")
        rest = {key: value for key, value in values.items() if key != "label"}
        return rest | {"labels": [values["label"]]} if "label" in values else rest

    @field_validator("labels")
    @classmethod
    def _leaves_a_wrong_answer(cls, labels: tuple[Expected, ...]) -> tuple[Expected, ...]:
        if len(set(labels)) < len(labels):
            raise ValueError("a label is given twice")
        if set(LABELS) <= set(labels):
            raise ValueError("every answer would be right")
        return labels

    @model_validator(mode="after")
    def _named_after_its_kind(self) -> Self:
        prefix = self.kind.replace("_", "-") + "-"
        if not self.id.removeprefix(prefix).isdigit() or not self.id.startswith(prefix):
            raise ValueError(f"the id is {prefix} and a number, not {self.id!r}")
        return self

    @property
    def digest(self) -> str:
        """What changes when the text or what is right for it does: the first 12 hex digits of a SHA-256."""
        return sha256("\0".join([self.text, *sorted(self.labels)]).encode()).hexdigest()[:12]


class _File(_Part):
    """A kind's file: what it is about, what its items have unless they say otherwise, and the items."""

    kind: str
    about: str = Field(min_length=1)
    role: Role
    channel: Channel
    form: Form = "turn"
    item: list[dict[str, object]] = Field(min_length=1)


def load(folder: Path = SUITE) -> list[Item]:
    """The items of the suite in `folder`, in the order of `KINDS`.

    Raises SuiteError: a kind has no file, or a file no kind; a file is not TOML or lacks a part; an item has an unknown
    field, label, role, channel or form, no text, an id that is not its kind's, or an id or text that another has.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if unknown := [name for name in files if name not in KINDS]:
        raise SuiteError(f"{files[unknown[0]]}: {unknown[0]!r} is not a kind: {', '.join(KINDS)}")
    if missing := [kind for kind in KINDS if kind not in files]:
        raise SuiteError(f"{folder}: no file for the kind {missing[0]!r}: {missing[0]}.toml is missing")
    items = [item for kind in KINDS for item in _read(files[kind], kind)]
    ids: set[str] = set()
    texts: dict[str, str] = {}
    for item in items:
        where = f"{files[item.kind]}: item {item.id}"
        if item.id in ids:
            raise SuiteError(f"{where}: the id is taken: each item has its own")
        ids.add(item.id)
        # What differs in case and spaces alone is the same text.
        if (other := texts.setdefault(" ".join(item.text.casefold().split()), item.id)) != item.id:
            raise SuiteError(f"{where}: the text is also that of {other}")
    return items


def _read(path: Path, kind: str) -> list[Item]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SuiteError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path} is not TOML: {error}") from error
    try:
        file = _File.model_validate(values)
    except ValidationError as error:
        raise SuiteError(f"{path}: {_first(error)}") from error
    if file.kind != kind:
        raise SuiteError(f"{path}: the kind is {file.kind!r}, the file's name says {kind!r}")
    defaults = {"role": file.role, "channel": file.channel, "form": file.form}
    return [_item(path, number, defaults | values | {"kind": kind}) for number, values in enumerate(file.item, 1)]


def _item(path: Path, number: int, values: dict[str, object]) -> Item:
    try:
        item = Item.model_validate(values)
    except ValidationError as error:
        raise SuiteError(f"{path}: item {values.get('id', number)}: {_first(error)}") from error
    if not item.text.strip():
        raise SuiteError(f"{path}: item {item.id}: the text is blank")
    return item


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("literal[", "union")))
    return f"{where}: {first['msg']}" if where else first["msg"].removeprefix("Value error, ")
