"""Records to Avro, by a function that is made from the schema: several times as quick as a library's for any.

A worker encodes two records an event, which is a good part of what an event costs beside scoring it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Any, Final

_SMALL: Final = tuple(bytes([number << 1]) for number in range(64))
"""The longs from 0 to 63, one byte each."""


def compile_encoder(schema: Mapping[str, Any], fallbacks: Mapping[str, Mapping[str, str]]) -> Callable[[Any], bytes]:
    """What makes a record's Avro bytes of its attributes (Avro 1.12, "Binary encoding").

    `schema` is a record's, of this project's subset: no record inside another, and of unions those with null alone.
    `fallbacks` says for an enum, by name, what is written for a symbol that its schema does not have.

    The function raises ValueError for what the schema does not allow, OverflowError for an integer beyond 64 bits.
    """
    return _Source(fallbacks).function(schema)


class _Source:
    """The function's source, and what it refers to."""

    def __init__(self, fallbacks: Mapping[str, Mapping[str, str]]) -> None:
        self._fallbacks = fallbacks
        self._enums: dict[str, Mapping[str, Any]] = {}  # by name; a schema may refer to one that stands before
        self._globals: dict[str, Any] = {
            "_text": _text,
            "_bytes": _bytes,
            "_long": _long,
            "_small": _SMALL,
            "_double": Struct("<d").pack,
            "_bool": {False: b"\0", True: b"\1"},
        }

    def function(self, schema: Mapping[str, Any]) -> Callable[[Any], bytes]:
        parts: list[str] = []
        doubles: list[str] = []
        for field in schema["fields"]:
            if field["type"] == "double":  # those that stand side by side are written at once
                doubles.append(f"r.{field['name']}")
                continue
            self._flush(doubles, parts)
            parts.append(self._value(field["type"], f"r.{field['name']}"))
        self._flush(doubles, parts)
        source = f"def encode(r):\n    return b''.join(({', '.join(parts)},))\n"
        exec(source, self._globals)  # noqa: S102 - made of names in the released schemas alone
        encode: Callable[[Any], bytes] = self._globals["encode"]
        return encode

    def _flush(self, doubles: list[str], parts: list[str]) -> None:
        if doubles:
            parts.append(f"{self._named(Struct(f'<{len(doubles)}d').pack)}({', '.join(doubles)})")
            doubles.clear()

    def _value(self, kind: Any, value: str) -> str:
        """The expression of `value`'s bytes."""
        if isinstance(kind, list):
            _null, other = kind
            return f"(b'\\0' if {value} is None else b'\\2' + {self._value(other, value)})"
        name = kind["type"] if isinstance(kind, Mapping) else kind
        if name == "enum" or name in self._enums:
            return f"{self._named(self._symbols(kind))}[{value}]"
        if name in ("array", "map"):
            item = self._value(kind["items" if name == "array" else "values"], "v")
            each = item if name == "array" else f"_text(k) + {item}"
            loop = f"for v in {value}" if name == "array" else f"for k, v in {value}.items()"
            return f"(_long(len({value})) + b''.join([{each} {loop}]) + b'\\0' if {value} else b'\\0')"
        whole = f"(_small[{value}] if 0 <= {value} < 64 else _long({value}))"
        plain = {
            "string": f"_text({value})",
            "bytes": f"_bytes({value})",
            "boolean": f"_bool[{value}]",
            "double": f"_double({value})",
            "long": whole,
            "int": whole,
        }
        return plain[name]

    def _symbols(self, kind: Any) -> "_Symbols":
        if isinstance(kind, Mapping):
            self._enums[kind["name"]] = kind
        enum = kind if isinstance(kind, Mapping) else self._enums[kind]
        positions = {symbol: _long(position) for position, symbol in enumerate(enum["symbols"])}
        written = self._fallbacks.get(enum["name"], {})
        return _Symbols(positions | {symbol: positions[stand_in] for symbol, stand_in in written.items()})

    def _named(self, thing: Any) -> str:
        name = f"_{len(self._globals)}"
        self._globals[name] = thing
        return name


class _Symbols(dict[str, bytes]):
    def __missing__(self, symbol: str) -> bytes:
        raise ValueError("not a symbol")


def _text(value: str) -> bytes:
    content = value.encode()
    size = len(content)
    return (_SMALL[size] if size < 64 else _long(size)) + content


def _bytes(value: bytes) -> bytes:
    return _long(len(value)) + value


@lru_cache(4096)  # a batch's times are few, and so are lengths
def _long(value: int) -> bytes:
    """Zig-zag, then seven bits a byte, the least first."""
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError
    rest = (value << 1) ^ (value >> 63)
    coded = bytearray()
    while rest > 0x7F:
        coded.append(rest & 0x7F | 0x80)
        rest >>= 7
    coded.append(rest)
    return bytes(coded)
