"""Which operator set an ONNX file is written in, read without the `onnx` package, which a worker does not need."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
# Field numbers in onnx.proto: ModelProto.opset_import; OperatorSetIdProto.domain and .version.
_OPSET_IMPORT, _DOMAIN, _VERSION = 8, 1, 2


def opset(content: bytes) -> int:
    """The version of ONNX's own operators that a serialised ModelProto declares.

    Walks the top level of the message (protobuf wire format: https://protobuf.dev/programming-guides/encoding), so the
    graph and its weights are skipped. Raises ValueError: it is not such a message.
    """
    for number, value in _fields(content):
        if number == _OPSET_IMPORT and isinstance(value, bytes):
            entry = dict(_fields(value))
            version = entry.get(_VERSION)
            if entry.get(_DOMAIN, b"") in {b"", b"ai.onnx"} and isinstance(version, int):
                return version
    raise ValueError("it declares no operator set")


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """Each field's number and its value: bytes for what has a length, the number for a varint, 0 for fixed ones."""
    fields: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        value: int | bytes = 0
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind == _LENGTH:
            length, at = _varint(message, at)
            value = message[at : at + length]
            at += length
        elif kind in {_FIXED32, _FIXED64}:
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("it is not a protobuf message")
        fields.append((key >> 3, value))
    if at != len(message):
        raise ValueError("it is cut short")
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the least first, and where the next field begins."""
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
    raise ValueError("it is not a protobuf message")
