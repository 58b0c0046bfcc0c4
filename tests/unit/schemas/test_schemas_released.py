"""FULL compatibility: what any released version wrote is read today, and what is written today by any released one."""

import copy
import dataclasses
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_reader
from fastavro.schema import expand_schema

from schemas.codec import Codec, EncodeError
from schemas.released import released_schemas, schema_fingerprint, without_logical_types
from schemas.topics import ROUTING_EVENTS, TOPICS
from tests.events import ROUTING
from tests.released_values import RELEASED
from tests.schema_records import EXAMPLES

PROMOTIONS = {("int", "long"), ("int", "float"), ("int", "double"), ("long", "double"), ("float", "double")}

every_topic = pytest.mark.parametrize("topic", list(TOPICS))


def unreadable(writer: Any, reader: Any, path: str = "") -> list[str]:
    """Where a reader with the schema `reader` fails on some record of `writer`: Avro's rules of schema resolution."""
    if isinstance(writer, list):
        return [problem for branch in writer for problem in unreadable(branch, reader, path)]
    if isinstance(reader, list):
        tried = [unreadable(writer, branch, path) for branch in reader]
        return [] if [] in tried else [f"{path}: no branch fits"]
    kind, other = (schema["type"] if isinstance(schema, dict) else schema for schema in (writer, reader))
    problems: list[str] = []
    if kind != other:
        problems += [f"{path}: {kind} is not {other}"] if (kind, other) not in PROMOTIONS else []
    elif kind in ("record", "enum") and writer["name"] != reader["name"]:
        problems.append(f"{path}: another name")
    elif kind == "record":
        problems += unreadable_fields(writer, reader, path)
    elif kind == "enum" and "default" not in reader:
        problems += [f"{path}: unknown {symbol}" for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    elif kind in ("array", "map"):
        inner = "items" if kind == "array" else "values"
        problems += unreadable(writer[inner], reader[inner], path)
    return problems


def unreadable_fields(writer: Any, reader: Any, path: str) -> list[str]:
    written = {field["name"]: field["type"] for field in writer["fields"]}
    problems = []
    for field in reader["fields"]:
        here = f"{path}.{field['name']}"
        if field["name"] in written:
            problems += unreadable(written[field["name"]], field["type"], here)
        elif "default" not in field:
            problems.append(f"{here}: neither written nor a default")
    return problems


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What keeps `new` from being FULL compatible with `old`."""
    before, after = expand_schema(copy.deepcopy(old)), expand_schema(copy.deepcopy(new))
    return unreadable(before, after) + unreadable(after, before)


@every_topic
def test_versions_are_fully_compatible_with_all_before_them(topic: str) -> None:
    versions = list(released_schemas(topic).values())

    for i, newer in enumerate(versions):
        for older in versions[: i + 1]:
            assert breaks(older, newer) == []


@every_topic
def test_every_version_is_represented_below(topic: str) -> None:
    assert {version for name, version in RELEASED if name == topic} == set(released_schemas(topic))


@pytest.mark.parametrize(("topic", "version"), list(RELEASED))
def test_what_a_released_version_wrote_is_read(topic: str, version: int) -> None:
    value, fields = RELEASED[topic, version]

    record = Codec(TOPICS[topic]).decode(bytes.fromhex(value))

    current = {field["name"] for field in list(released_schemas(topic).values())[-1]["fields"]}
    kept = {name: field for name, field in fields.items() if name in current}
    assert {name: getattr(record, name) for name in kept} == kept


@pytest.mark.parametrize(("topic", "version"), list(RELEASED))
def test_the_current_version_writes_as_it_was_released(topic: str, version: int) -> None:
    value, fields = RELEASED[topic, version]
    if version == max(released_schemas(topic)):
        assert Codec(TOPICS[topic]).encode(TOPICS[topic].record_type(**fields)).hex() == value


@pytest.mark.parametrize(
    "topic", [name for name in TOPICS if max(released_schemas(name)) > 1 in released_schemas(name)]
)
def test_what_is_written_for_an_older_release_is_read_by_it_and_by_this_one(topic: str) -> None:
    versions = released_schemas(topic)
    older, newer = without_logical_types(versions[1]), versions[max(versions)]
    _, fields = RELEASED[topic, max(versions)]
    value = Codec(TOPICS[topic], write_version=1).encode(TOPICS[topic].record_type(**fields))

    assert value[2:10] == schema_fingerprint(versions[1])
    names = {field["name"] for field in older["fields"]}
    expected = {name: "unknown" if field == "not_scored" else field for name, field in fields.items() if name in names}
    there: Any = schemaless_reader(BytesIO(value[10:]), older, None)
    assert {name: tuple(found) if isinstance(found, list) else found for name, found in there.items()} == expected
    here = Codec(TOPICS[topic]).decode(value)
    assert {name: getattr(here, name) for name in names} == expected
    plain = TOPICS[topic].record_type(**{name: fields[name] for name in names})  # with the defaults of what was added
    added = {field["name"] for field in newer["fields"]} - names
    assert {name: repr(getattr(here, name)) for name in added} == {name: repr(getattr(plain, name)) for name in added}


def test_a_topic_that_is_younger_is_written_with_its_oldest_schemas_at_least() -> None:
    topic = next(name for name in TOPICS if min(released_schemas(name)) > 1)
    assert Codec(TOPICS[topic], write_version=1).encode(EXAMPLES[topic]) == Codec(TOPICS[topic]).encode(EXAMPLES[topic])


def test_a_symbol_that_is_none_is_refused_for_an_older_release_too() -> None:
    record = dataclasses.replace(ROUTING, reason="because")  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match="not among those that its schema allows"):
        Codec(ROUTING_EVENTS, write_version=1).encode(record)


def _field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(field for field in schema["fields"] if field["name"] == name)


def _without(schema: dict[str, Any], name: str) -> None:
    schema["fields"].remove(_field(schema, name))


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: _without(schema, "text"),
        lambda schema: schema["fields"].append({"name": "mood", "type": "string"}),
        lambda schema: _field(schema, "turn").update(type="string"),
        lambda schema: _field(schema, "turn").update(type="double"),
        lambda schema: _field(schema, "language").update(type=["null", "string", "long"]),
        lambda schema: _field(schema, "attributes").update(type={"type": "map", "values": "long"}),
        lambda schema: (
            _field(schema, "role")["type"].pop("default") and _field(schema, "role")["type"]["symbols"].pop()
        ),
        lambda schema: schema.update(name="Event"),
    ],
    ids=["removed", "added", "retyped", "promoted", "wider union", "map values", "symbol removed", "renamed"],
)
def test_an_incompatible_change_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    old = released_schemas("transcripts")[1]
    new = copy.deepcopy(old)
    change(new)

    assert breaks(old, new) != []


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda schema: _without(schema, "attributes"),
        lambda schema: schema["fields"].append({"name": "mood", "type": "string", "default": ""}),
        lambda schema: _field(schema, "role")["type"]["symbols"].append("supervisor"),
        lambda schema: schema["fields"].reverse(),
    ],
    ids=["none", "removed with a default", "added with a default", "symbol of an open enum", "order"],
)
def test_a_compatible_change_is_not(change: Callable[[dict[str, Any]], object]) -> None:
    old = released_schemas("transcripts")[1]
    new = copy.deepcopy(old)
    change(new)

    assert breaks(old, new) == []
