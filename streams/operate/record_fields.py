"""The fields that a topic's records are shown with, what each may be, and conditions on them."""

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from schemas.codec import DeadLetterReason
from schemas.dead_letter import LETTER_HEADERS, MARK_HEADERS, Action
from schemas.errors import UsageError
from schemas.topics import (
    ALERTS,
    BUDGET,
    CLOUD_INFERENCE,
    CONVERSATIONS,
    DEAD_LETTERS,
    LABELS,
    MONITORING,
    NOTIFICATIONS,
    ROUTING_EVENTS,
    SENTIMENT,
    SHADOW,
    SILENCES,
    TOPICS,
    TRANSCRIPTS,
)
from streams.operate.moment import EXAMPLES, parse_moment
from streams.system.clock import Clock

Kind = Literal["text", "number", "time", "flag", "choice", "list", "inside"]

PERCENTILES: Final = (50, 95, 99)
"""The percentiles that a distribution (DDSketch) is shown by."""

PLACE: Final = ("_key", "_partition", "_offset", "_timestamp")
"""What every record is shown with, after its own fields."""

# What a table shows unless fields are named: as much as fits beside each other on 80 columns.
_TABLE: Final[Mapping[str, tuple[str, ...]]] = {
    TRANSCRIPTS: ("conversation_id", "turn", "role", "text"),
    SENTIMENT: ("conversation_id", "turn", "label", "confidence", "route", "reason"),
    CLOUD_INFERENCE: ("conversation_id", "turn", "reason", "text"),
    ROUTING_EVENTS: ("conversation_id", "turn", "stage", "route", "reason", "cost_usd"),
    SHADOW: ("conversation_id", "turn", "label", "confidence", "route", "model"),
    MONITORING: ("window_start", "partition", "events", "degraded", "cost_usd", "end_to_end_ms"),
    CONVERSATIONS: ("conversation_id", "status", "risk", "risk_reasons", "last_turn_at"),
    LABELS: ("conversation_id", "event_id", "label", "answer_label", "route", "labeller"),
    BUDGET: ("window_start", "worker", "claimed", "granted", "spent"),
    ALERTS: ("rule", "subject", "state", "severity", "value", "started_at"),
    SILENCES: ("rule", "until", "by", "reason"),
    NOTIFICATIONS: ("webhook", "rule", "subject", "state", "status", "tries"),
    DEAD_LETTERS: ("_partition", "_offset", "edgewise-reason", "edgewise-topic", "edgewise-agent", "edgewise-mark"),
}

UNREADABLE: Final = ("_error", "_value")
"""What stands for a record that cannot be decoded. A dead letter has `_value` too."""


class Field(NamedTuple):
    """What a field may be: `choices` of a choice, the fields `inside` one that has some; None where any name goes."""

    kind: Kind
    choices: tuple[str, ...] = ()
    inside: "Mapping[str, Field] | None" = None
    any_name: "Field | None" = None


_TEXT: Final = Field("text")
_NUMBER: Final = Field("number")
_SKETCH: Final = Field("inside", inside=dict.fromkeys(("count", *(f"p{percent}" for percent in PERCENTILES)), _NUMBER))
_PLAIN: Final = {bool: Field("flag"), int: _NUMBER, float: _NUMBER, str: _TEXT, bytes: _SKETCH}
_TIMES: Final = ("window_start", "window_end", "until")
_PLACE_FIELDS: Final = {"_key": _TEXT, "_partition": _NUMBER, "_offset": _NUMBER, "_timestamp": Field("time")}
_OF_LETTERS: Final = {
    **dict.fromkeys((*LETTER_HEADERS, *MARK_HEADERS), _TEXT),
    "edgewise-reason": Field("choice", get_args(DeadLetterReason)),
    "edgewise-mark": Field("choice", get_args(Action)),
    "edgewise-partition": _NUMBER,
    "edgewise-offset": _NUMBER,
    "edgewise-timestamp": Field("time"),
    "edgewise-attempts": _NUMBER,
}

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le, ">=": operator.ge, "!=": operator.ne, "=": operator.eq, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_CONDITION: Final = re.compile(r"(.+?)(<=|>=|!=|=|<|>)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of a field with a value: a number where both are numbers, else text."""

    name: str
    operator: str
    value: float | str

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether `record` has the field and the comparison is true; a number is never compared with a text."""
        if not has_field(record, self.name):
            return False
        found = field_value(record, self.name)
        if isinstance(self.value, str):
            return _OPERATORS[self.operator](_as_text(found), self.value)
        number = _number(found)
        return self.operator == "!=" if number is None else _OPERATORS[self.operator](number, self.value)


def fields_of(topic: str) -> dict[str, Field]:
    """The fields of `topic`'s records (its name without the prefix), in the order in which they are shown."""
    if topic == DEAD_LETTERS:
        return {**_OF_LETTERS, "_value": _TEXT, **_PLACE_FIELDS}
    hints = get_type_hints(TOPICS[topic].record_type)
    own = {name: _field(name, hint) for name, hint in hints.items()}
    return own | _PLACE_FIELDS | dict.fromkeys(UNREADABLE, _TEXT)


def table_fields(topic: str) -> list[str]:
    """The fields of `topic`'s records that a table shows: few enough to fit; and why one cannot be decoded."""
    return [*_TABLE[topic], *([] if topic == DEAD_LETTERS else ["_error"])]


def parse_fields(topic: str, text: str) -> list[str]:
    """`event_id,label,…` as names. Raises UsageError: the records of `topic` have no such field."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--fields: name at least one field, such as event_id,label")
    for name in names:
        find_field(topic, name)
    return names


def parse_conditions(topic: str, given: Iterable[str], clock: Clock) -> list[Condition]:
    """`["route=cloud", "confidence<0.6", …]` as conditions on the records of `topic`.

    Raises UsageError: it is no comparison, there is no such field, or the field can't have that value.
    """
    return [_condition(topic, item, clock) for item in given]


def matches(record: Mapping[str, Any], conditions: Sequence[Condition]) -> bool:
    """Whether every condition holds for `record`."""
    return all(condition.holds(record) for condition in conditions)


def has_field(record: Mapping[str, Any], name: str) -> bool:
    """Whether `record` has the field `name`, where `attributes.label` looks inside."""
    outer, dot, inner = name.partition(".")
    nested = record.get(outer)
    return name in record or (bool(dot) and isinstance(nested, Mapping) and has_field(nested, inner))


def field_value(record: Mapping[str, Any], name: str) -> Any:
    """The field `name` of `record`, where `attributes.label` looks inside; None where it has none."""
    if name in record:
        return record[name]
    outer, dot, inner = name.partition(".")
    nested = record.get(outer)
    return field_value(nested, inner) if dot and isinstance(nested, Mapping) else None


def find_field(topic: str, name: str) -> Field:
    """What the field `name` of `topic`'s records may be. Raises UsageError, with the near names: there is none."""
    known = fields_of(topic)
    if name in known:
        return known[name]
    if topic == DEAD_LETTERS and not name.startswith(("_", "edgewise-")) and f"edgewise-{name}" not in known:
        return _TEXT  # a header that the record came with, which may have any name
    outer, dot, inner = name.partition(".")
    field = known.get(outer) if dot else None
    if field is not None and field.any_name is not None and inner:
        return field.any_name
    if field is not None and field.inside is not None:
        if inner in field.inside:
            return field.inside[inner]
        known = {f"{outer}.{each}": within for each, within in field.inside.items()}
    raise UsageError(f"{topic} has no field {name!r}: {_near(name, known)}")


def _condition(topic: str, item: str, clock: Clock) -> Condition:
    found = _CONDITION.fullmatch(item)
    if found is None:
        raise UsageError(
            f"--where {item}: give FIELD=VALUE, such as route=cloud, or FIELD<NUMBER, such as confidence<0.6"
        )
    name, comparison, text = found.groups()
    field = find_field(topic, name)
    ordered = comparison not in {"=", "!="}
    if text == "null" and not ordered:
        return Condition(name, comparison, text)
    if field.kind == "time":
        try:
            return Condition(name, comparison, parse_moment(text, clock))
        except ValueError:
            raise UsageError(f"--where {item}: {name} is a time: give one such as {EXAMPLES}") from None
    number = _number(text)
    if field.kind == "number" or (ordered and field.kind == "text"):
        if number is None:
            raise UsageError(f"--where {item}: give a number to compare {name} with")
        return Condition(name, comparison, number)
    if ordered:
        raise UsageError(f"--where {item}: {name} has no order, it can only be = or !=")
    if field.kind == "flag" and text not in {"true", "false"}:
        raise UsageError(f"--where {item}: {name} is true or false")
    if field.kind == "choice" and text not in field.choices:
        raise UsageError(f"--where {item}: {_near(text, field.choices, 'value')}")
    return Condition(name, comparison, text)


def _near(name: str, known: Iterable[str], what: str = "field") -> str:
    """The names in `known` that are near `name`, and all of them where they are few or none is near."""
    names = list(known)
    near = [each for each in names if each.endswith((f"-{name}", f"_{name}"))] or get_close_matches(name, names, 3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"the {what}s are {', '.join(names)}"


def _field(name: str, hint: Any) -> Field:
    """What a field of a record may be, by its type; an `int` whose name ends like a time's is UTC milliseconds."""
    kind = next((option for option in get_args(hint) if NoneType in get_args(hint) and option is not NoneType), hint)
    origin = get_origin(kind)
    if origin is Literal:
        return Field("choice", get_args(kind))
    if origin is tuple:
        return Field("list")
    if origin is not None:  # a mapping
        return Field("inside", any_name=_field("", get_args(kind)[1]))
    if kind is int and (name.endswith("_at") or name in _TIMES):
        return Field("time")
    return _PLAIN[kind]


def _number(value: object) -> float | None:
    """`value` as a number, also where a text says one; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
