"""The schemas, the records and asyncapi.yaml say the same."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
import yaml
from fastavro.schema import expand_schema

import schemas
from schemas import topics
from schemas.codec import Codec, DeadLetterReason
from schemas.dead_letter import MARK_HEADERS, Action
from schemas.released import released_schemas, schema_fingerprint
from schemas.topics import SENTIMENT
from streams.agents.dead_letter import dead_letter
from streams.config.settings import Settings
from streams.operate.topics import specs
from tests.events import RESULT, consumer_record

FOLDER = Path(schemas.__file__).parent
PRIMITIVES: dict[Any, str] = {int: "long", float: "double", str: "string", bytes: "bytes", bool: "boolean"}
KAFKA_INTEGERS = {"partition"}  # 32 bits in Kafka, and in the schema

every_topic = pytest.mark.parametrize("topic", list(topics.TOPICS))


def current(topic: str) -> dict[str, Any]:
    expanded = expand_schema(list(released_schemas(topic).values())[-1])
    assert isinstance(expanded, dict)
    return expanded


def plain(schema: Any) -> Any:
    """What the record's annotation can tell of a type: no names, no documentation, no logical types."""
    if isinstance(schema, list):
        return [plain(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if schema["type"] == "enum":
        return {"enum": set(schema["symbols"])}
    if schema["type"] in ("array", "map"):
        return {schema["type"]: plain(schema.get("items", schema.get("values")))}
    return schema["type"]


def annotated(annotation: Any) -> Any:
    """The type that `plain` gives for a field of a record with this annotation."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return {"enum": set(arguments)}
    if origin in (types.UnionType, typing.Union):
        return ["null", *(annotated(argument) for argument in arguments if argument is not types.NoneType)]
    if origin is tuple:
        return {"array": annotated(arguments[0])}
    if origin is Mapping:
        return {"map": annotated(arguments[1])}
    return PRIMITIVES[annotation]


@every_topic
def test_records_and_schemas_have_the_same_fields(topic: str) -> None:
    record_type = topics.TOPICS[topic].record_type
    schema = current(topic)
    hints = typing.get_type_hints(record_type)

    assert schema["name"].removeprefix("edgewise.") == record_type.__name__
    expected = {name: "int" if name in KAFKA_INTEGERS else annotated(hint) for name, hint in hints.items()}
    assert {field["name"]: plain(field["type"]) for field in schema["fields"]} == expected


@every_topic
def test_a_default_of_a_record_is_the_schemas(topic: str) -> None:
    defaults = {field["name"]: field["default"] for field in current(topic)["fields"] if "default" in field}

    for field in dataclasses.fields(topics.TOPICS[topic].record_type):
        default = field.default_factory() if callable(field.default_factory) else field.default
        if default is not dataclasses.MISSING:
            assert field.name in defaults
            told = default.decode("latin-1") if isinstance(default, bytes) else default
            assert defaults[field.name] == (list(told) if isinstance(told, tuple) else told)


@every_topic
def test_times_are_timestamps_and_nothing_else_is(topic: str) -> None:
    for field in current(topic)["fields"]:
        is_time = field["name"].endswith("_at") or field["name"] in ("window_start", "window_end", "since", "until")
        kind = field["type"][1] if isinstance(field["type"], list) else field["type"]  # null, or the type
        logical_type = kind.get("logicalType") if isinstance(kind, dict) else None
        assert (logical_type == "timestamp-millis") == is_time, field["name"]


@every_topic
def test_everything_is_documented(topic: str) -> None:
    schema = current(topic)
    documented = [schema, *schema["fields"]]
    documented += [field["type"] for field in schema["fields"] if "enum" in plain(field["type"])]
    for thing in documented:
        assert thing["doc"].endswith(".")


@every_topic
def test_an_enum_with_unknown_falls_back_on_it_and_no_other_falls_back(topic: str) -> None:
    for field in current(topic)["fields"]:
        if isinstance(field["type"], dict) and field["type"]["type"] == "enum":
            assert field["type"].get("default") == ("unknown" if "unknown" in field["type"]["symbols"] else None)


def crc_64_avro(data: bytes) -> bytes:
    """CRC-64-AVRO as the Avro specification gives it, bit by bit."""
    empty = 0xC15D213AA4D7A795
    crc = empty
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (empty if crc & 1 else 0)
    return crc.to_bytes(8, "little")


def test_a_fingerprint_is_the_specifications() -> None:
    schema = {
        "type": "record",
        "name": "Event",
        "namespace": "edgewise",
        "doc": "left out",
        "fields": [
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "left out"},
            {"name": "text", "type": ["null", {"type": "string"}], "default": None},
            {"name": "role", "type": {"type": "enum", "name": "Role", "symbols": ["a", "b"], "default": "a"}},
        ],
    }
    canonical = (
        '{"name":"edgewise.Event","type":"record","fields":[{"name":"at","type":"long"},'
        '{"name":"text","type":["null","string"]},'
        '{"name":"role","type":{"name":"edgewise.Role","type":"enum","symbols":["a","b"]}}]}'
    )

    assert schema_fingerprint(schema) == crc_64_avro(canonical.encode())


@pytest.fixture(scope="module")
def asyncapi() -> Any:
    return yaml.safe_load((FOLDER / "asyncapi.yaml").read_text("utf-8"))


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [
            reference for key, value in node.items() for reference in ([value] if key == "$ref" else references(value))
        ]
    return [reference for entry in node for reference in references(entry)] if isinstance(node, list) else []


def test_every_reference_leads_somewhere(asyncapi: Any) -> None:
    found = references(asyncapi)
    assert len(found) > 20
    for reference in found:
        file, _, pointer = reference.partition("#/")
        node = yaml.safe_load((FOLDER / file).read_text("utf-8")) if file else asyncapi
        for step in filter(None, pointer.split("/")):
            node = node[step]


def test_every_topic_is_a_channel_with_the_current_schema(asyncapi: Any) -> None:
    assert set(asyncapi["channels"]) == {*topics.TOPICS, topics.DEAD_LETTERS, topics.DELIVERIES}
    for topic in topics.TOPICS.values():
        assert asyncapi["channels"][topic]["address"] == "{prefix}" + topic
        assert list(asyncapi["channels"][topic]["messages"]) == [topic.record_type.__name__]
        payload = asyncapi["components"]["messages"][topic.record_type.__name__]["payload"]
        assert payload["schema"]["$ref"] == f"avro/v{max(released_schemas(topic))}/{topic}.avsc"


def test_topics_are_created_as_their_channels_say(asyncapi: Any) -> None:
    for spec in specs(Settings()):
        kafka = asyncapi["channels"][spec.name]["bindings"]["kafka"]
        assert kafka["partitions"] == spec.partitions
        configuration = {
            key: ",".join(value) if isinstance(value, list) else str(value)
            for key, value in kafka["topicConfiguration"].items()
        }
        # AsyncAPI's binding has no place for these, so the description tells of them.
        told = {"message.timestamp.type", "compression.type", "min.compaction.lag.ms"}
        assert configuration == {key: value for key, value in spec.config.items() if key not in told}, spec.name
        for key in told & spec.config.keys():
            assert f"{key} {spec.config[key]}" in " ".join(asyncapi["channels"][spec.name]["description"].split())


def test_dead_letters_have_the_headers_that_are_promised(asyncapi: Any) -> None:
    headers = asyncapi["components"]["messages"]["DeadLetter"]["headers"]
    written = dead_letter(Settings(), "edge", consumer_record(b"x", topic="transcripts"), "undecodable", "damaged")

    assert [name for name, _ in written.headers] == headers["required"]
    assert set(headers["properties"]) == set(headers["required"])
    assert set(headers["properties"]["edgewise-reason"]["enum"]) == set(typing.get_args(DeadLetterReason))


def test_marks_have_the_headers_that_are_promised(asyncapi: Any) -> None:
    headers = asyncapi["components"]["messages"]["DeadLetterMark"]["headers"]
    assert list(MARK_HEADERS) == headers["required"] == list(headers["properties"])
    assert set(headers["properties"]["edgewise-mark"]["enum"]) == set(typing.get_args(Action))


class EndOfTopicError(Exception):
    pass


class OneMessage:
    """Stands in for a Kafka consumer: one message, then the end of the program that reads it."""

    def __init__(self, config: dict[str, str]) -> None:
        assert config["isolation.level"] == "read_committed"
        self.polled = 0

    def subscribe(self, names: list[str]) -> None:
        assert names == ["sentiment"]

    def poll(self, _: float) -> "OneMessage":
        self.polled += 1
        if self.polled > 1:
            raise EndOfTopicError
        return self

    def error(self) -> None:
        return None

    def value(self) -> bytes:
        return Codec(SENTIMENT).encode(RESULT)


def test_the_documented_way_to_read_works(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = (FOLDER.parent / "docs" / "schemas.md").read_text("utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(FOLDER.parent)
    monkeypatch.setattr(confluent_kafka, "Consumer", OneMessage)

    with pytest.raises(EndOfTopicError):
        exec(program, {})  # noqa: S102

    assert capsys.readouterr().out == "e1 negative 0.95 2023-11-14 22:13:20.020000+00:00\n"
