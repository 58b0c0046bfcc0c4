"""Records to bytes and back: Avro single-object encoding, or the Confluent wire format where a registry is set."""

import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from io import BytesIO
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple

from fastavro import parse_schema, schemaless_reader
from fastavro.read import SchemaResolutionError

from schemas.encoder import compile_encoder
from schemas.errors import EdgewiseError
from schemas.released import released_schemas, schema_fingerprint, without_logical_types
from schemas.topics import R, Topic

if TYPE_CHECKING:  # it brings an HTTP client along, which a worker without a registry need not import
    from confluent_kafka.schema_registry import SchemaRegistryClient

DeadLetterReason = Literal[
    "null_value",  # no bytes at all
    "undecodable",  # damaged, cut short or too long
    "unknown_schema",  # written with a schema that this topic's records cannot be read from
    "invalid_utf8",
    "empty_text",
    "text_too_long",
    "invalid_timestamp",
    "invalid_id",
    "invalid_turn",
]

SINGLE_OBJECT_MARKER: Final = b"\xc3\x01"
SINGLE_OBJECT_HEADER_BYTES: Final = 10  # the marker, then the fingerprint
CONFLUENT_MARKER: Final = b"\x00"
CONFLUENT_HEADER: Final = struct.Struct(">bI")  # the marker, then the schema's id in the registry

# The registry is asked again for an id that it did not know after so long, for so many ids: a flood of records with a
# bad id is not a flood of requests, each of which blocks, and a schema that is registered late is found.
REFUSED_S: Final = 60.0
REFUSED_SCHEMAS: Final = 1_000


class DecodeError(EdgewiseError):
    """A value that is not a good record, for `reason`: it belongs in dead-letters. The message has no customer text."""

    def __init__(self, reason: DeadLetterReason, message: str) -> None:
        super().__init__(message)
        self.reason: DeadLetterReason = reason


class EncodeError(EdgewiseError):
    """A record holds something that Avro cannot write. The message has no customer text."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """How to read what was written with one schema; `reader` is None where that is the current schema."""

    schema: Any
    reader: Any | None


class _Refusal(NamedTuple):
    """Why values with a header cannot be read, and until when (by the codec's clock) nobody is asked again."""

    message: str
    until_s: float


class Codec(Generic[R]):
    """Encodes and decodes the records of one topic.

    `topic` is the name without `prefix`; both together name the subject in the registry. With a `registry`, values are
    written in the Confluent wire format; without, in single-object encoding. Either way, values of both kinds are read,
    whichever released version they were written with, so that a registry can be introduced on a topic in use.

    Values are written with the newest schema, or the newest up to `write_version`, for readers of an older release; a
    symbol that such a schema does not have is written as its enum's default.
    """

    def __init__(
        self,
        topic: Topic[R],
        *,
        registry: "SchemaRegistryClient | None" = None,
        prefix: str = "",
        write_version: int | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = topic
        self._clock_s = clock_s
        self._refused: OrderedDict[bytes, _Refusal] = OrderedDict()
        self._subject = f"{prefix}{topic}-value"
        self._registry = registry
        self._record_type = topic.record_type
        versions = released_schemas(topic)
        current = versions[max(versions)]
        self._written = versions[_version_to_write(versions, write_version)]
        self._encode = compile_encoder(self._written, _stand_ins(current, self._written))
        self._fingerprint = schema_fingerprint(current)
        self._schema = _parse(current)
        self._reader = _parse_strictly(current)
        self._writers = {
            SINGLE_OBJECT_MARKER + schema_fingerprint(schema): self._writer(schema) for schema in versions.values()
        }
        self._header: bytes | None = None
        names = tuple(field["name"] for field in current["fields"])
        self._items: Callable[[dict[str, object]], tuple[object, ...]] = itemgetter(*names)
        # The slots' own setters: the generated __init__ of a frozen dataclass calls object.__setattr__ for each field,
        # which takes three times as long.
        self._setters = tuple(self._record_type.__dict__[name].__set__ for name in names)
        self._sequences = tuple(
            field["name"]
            for field in current["fields"]
            if isinstance(field["type"], dict) and field["type"]["type"] == "array"
        )
        self._maps_of_sequences = tuple(
            field["name"]
            for field in current["fields"]
            if isinstance(field["type"], dict) and isinstance(field["type"].get("values"), dict)
        )

    def encode(self, record: R) -> bytes:
        """The record's bytes.

        Raises `EncodeError` when the record holds what Avro cannot, `RegistryError` when the registry is needed (on the
        first record) and does not answer.
        """
        header = self._header or self._first_header()
        try:
            return header + self._encode(record)
        except (ValueError, OverflowError) as error:
            raise EncodeError(f"cannot write a {self._record_type.__name__}: {_unwritable(error)}") from None

    def decode(self, value: bytes | None) -> R:
        """The record in `value`.

        Raises `DecodeError` when the bytes are not a record of this topic, whatever they are; `RegistryError` when the
        registry has to be asked (once for each schema) and does not answer, for then nobody can tell.
        """
        if value is None:
            raise DecodeError("null_value", f"a null value on {self._topic}")
        size = CONFLUENT_HEADER.size if value.startswith(CONFLUENT_MARKER) else SINGLE_OBJECT_HEADER_BYTES
        header = value[:size]
        writer = self._writers.get(header) or self._look_up(header)
        stream = BytesIO(value + b"\0")  # the last byte is read only where the value is cut short
        stream.seek(size)
        try:
            fields: Any = schemaless_reader(stream, writer.schema, writer.reader)
        except UnicodeDecodeError:
            raise DecodeError("invalid_utf8", f"a text in a {self._record_type.__name__} is not UTF-8") from None
        except SchemaResolutionError:
            raise DecodeError(
                "unknown_schema", f"written with a schema that a {self._record_type.__name__} cannot be read from"
            ) from None
        except Exception as error:  # noqa: BLE001  fastavro promises no set of errors, and no bytes may stop a worker
            raise DecodeError(
                "undecodable", f"not a {self._record_type.__name__}: the bytes are damaged ({type(error).__name__})"
            ) from None
        if stream.tell() != len(value):
            raise DecodeError("undecodable", f"not a {self._record_type.__name__}: too many bytes or too few")
        for name in self._sequences:
            fields[name] = tuple(fields[name])
        for name in self._maps_of_sequences:
            fields[name] = {key: tuple(values) for key, values in fields[name].items()}
        record = object.__new__(self._record_type)
        for set_field, field in zip(self._setters, self._items(fields), strict=True):
            set_field(record, field)
        return record

    def _writer(self, schema: dict[str, Any]) -> _Writer:
        if schema_fingerprint(schema) == self._fingerprint:
            return _Writer(self._reader, None)
        return _Writer(_parse_strictly(schema), self._schema)

    def _first_header(self) -> bytes:
        """What every value begins with: made, and the schema registered, when the first record is written."""
        if self._registry is None:
            self._header = SINGLE_OBJECT_MARKER + schema_fingerprint(self._written)
        else:
            from schemas.registry import schema_id

            self._header = CONFLUENT_HEADER.pack(0, schema_id(self._registry, self._subject, self._written))
        return self._header

    def _look_up(self, header: bytes) -> _Writer:
        """The writer's schema behind a header that was not seen before."""
        if header.startswith(SINGLE_OBJECT_MARKER) and len(header) == SINGLE_OBJECT_HEADER_BYTES:
            raise DecodeError(
                "unknown_schema", f"no released schema of {self._topic} has the fingerprint {header[2:].hex()}"
            )
        if not header.startswith(CONFLUENT_MARKER) or len(header) != CONFLUENT_HEADER.size:
            raise DecodeError("undecodable", f"a value on {self._topic} that does not begin like Avro")
        _, id_ = CONFLUENT_HEADER.unpack(header)
        if self._registry is None:
            raise DecodeError("unknown_schema", f"schema id {id_} on {self._topic}, but no registry is set")
        refusal = self._refused.get(header)
        if refusal is None or self._clock_s() >= refusal.until_s:
            refusal = self._ask(self._registry, header, id_)
        if refusal is not None:
            raise DecodeError("unknown_schema", refusal.message)
        return self._writers[header]

    def _ask(self, registry: "SchemaRegistryClient", header: bytes, id_: int) -> _Refusal | None:
        """Asks the registry for the schema behind `header`; why it is of no use, None where it is."""
        from schemas.registry import written_schema

        schema = written_schema(registry, id_)
        message = f"the schema registry has no Avro schema with id {id_}"
        if schema is not None:
            try:
                self._writers[header] = self._writer(schema)
            except Exception:  # noqa: BLE001  fastavro promises no set of errors here either
                message = f"schema id {id_} is not one that stands on its own"
            else:
                self._refused.pop(header, None)
                return None
        self._refused[header] = refusal = _Refusal(message, self._clock_s() + REFUSED_S)
        self._refused.move_to_end(header)
        if len(self._refused) > REFUSED_SCHEMAS:
            self._refused.popitem(last=False)
        return refusal


def _version_to_write(versions: Collection[int], most: int | None) -> int:
    """The newest of `versions` up to `most`; the newest where that is None, or the topic is younger."""
    allowed = [version for version in versions if most is None or version <= most]
    return max(allowed or versions)


def _stand_ins(current: dict[str, Any], written: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What stands, in an older schema's enums, for the symbols that came later: by enum, its default for each."""
    newer = {enum["name"]: enum for enum in _enums(current)}
    return {
        enum["name"]: dict.fromkeys(set(newer[enum["name"]]["symbols"]) - set(enum["symbols"]), enum["default"])
        for enum in _enums(written)
        if enum["name"] in newer and "default" in enum
    }


def _enums(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The enums that are the types of a schema's fields."""
    types = [field["type"] for field in schema["fields"]]
    return [kind for kind in types if isinstance(kind, dict) and kind["type"] == "enum"]


def _unwritable(error: ValueError | OverflowError) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "a text has half of a surrogate pair, which UTF-8 cannot hold"
    if isinstance(error, OverflowError):
        return "a number does not fit into 64 bits"
    return "a value is not among those that its schema allows"


def _parse(schema: dict[str, Any]) -> Any:
    """A record's schema to read with; fastavro hands out the default of bytes as JSON has it, a str, if it is let."""
    parsed: Any = parse_schema(without_logical_types(schema))
    for field in parsed["fields"]:
        if field["type"] == "bytes" and "default" in field:
            field["default"] = field["default"].encode("latin-1")
    return parsed


def _parse_strictly(schema: dict[str, Any]) -> Any:
    """A parsed schema for reading, that refuses a negative position of an enum's symbol.

    fastavro indexes `symbols`, and in a list a negative number would count from the end: damaged bytes would read as
    the last symbol. In a dictionary of positions it is not found.
    """
    named: dict[str, Any] = {}
    parsed = parse_schema(without_logical_types(schema), named)
    for definition in named.values():
        if definition["type"] == "enum":
            definition["symbols"] = dict(enumerate(definition["symbols"]))
    return parsed
