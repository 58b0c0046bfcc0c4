"""The released Avro schemas, `schemas/avro/v<N>/<topic>.avsc`: once released, a file is never edited."""

import json
from pathlib import Path
from typing import Any

from fastavro.schema import fingerprint, to_parsing_canonical_form

AVRO_FOLDER = Path(__file__).parent / "avro"


def released_schemas(topic: str) -> dict[int, dict[str, Any]]:
    """Every released schema of `topic` by version, oldest first; the last one is current, the one written today."""
    versions = sorted(int(folder.name[1:]) for folder in AVRO_FOLDER.glob("v*"))
    files = {version: AVRO_FOLDER / f"v{version}" / f"{topic}.avsc" for version in versions}
    return {version: json.loads(file.read_text("utf-8")) for version, file in files.items() if file.exists()}


def schema_fingerprint(schema: dict[str, Any]) -> bytes:
    """CRC-64-AVRO of the schema's parsing canonical form: 8 bytes, little-endian, as single-object encoding has them.

    Documentation, defaults and logical types are not part of that form: schemas that differ in those alone share one.
    """
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def without_logical_types(schema: Any) -> Any:
    """`schema` without its logical types, so that fastavro reads times as the plain integers that records hold."""
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    return schema
