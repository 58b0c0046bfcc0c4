"""Reads `sentiment` exactly once into a file for each partition: confluent-kafka and fastavro, nothing of Edgewise.

    edgewise schemas export avro
    python consume_sentiment.py 127.0.0.1:9092 sentiment avro results [http://registry:8081] [--until-end]

Exactly once, for what is kept and where the reading stands is one thing: each line has its record's offset, and after a
crash reading goes on behind the last whole line. A consumer with a database does the same with a table of offsets,
written in the transaction that writes the results. Offsets committed to Kafka, before or after the writing, would lose
or repeat some.
"""

import json
import os
import struct
import sys
import urllib.request
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form

REMEMBERED = 100_000  # event ids of a partition that a repeated one is found among
TIMEOUT_S = 15.0
FIELDS = ("event_id", "conversation_id", "turn", "label", "confidence", "route", "degraded", "role", "language")


class Decoder:
    """Values to dictionaries of the newest release, whichever release and header they were written with."""

    def __init__(self, schemas: Path, registry: str | None) -> None:
        files = sorted(schemas.glob("v*/sentiment.avsc"), key=lambda file: int(file.parent.name[1:]))
        released = [json.loads(file.read_text("utf-8")) for file in files]
        self._reader = parse_schema(released[-1])
        self._registry = registry
        # Avro single-object encoding: C3 01, then the writer's schema's fingerprint.
        self._writers: dict[bytes, Any] = {}
        for schema in released:
            canonical = to_parsing_canonical_form(schema)
            mark = bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
            self._writers[b"\xc3\x01" + mark] = parse_schema(schema)

    def decode(self, value: bytes) -> dict[str, Any]:
        """A value's fields."""
        size = 5 if value.startswith(b"\0") else 10  # 00 and the id of a registry, or C3 01 and a fingerprint
        header = value[:size]
        if header not in self._writers:
            self._writers[header] = self._from_registry(header)
        found: Any = schemaless_reader(BytesIO(value[size:]), self._writers[header], self._reader)
        return dict(found)

    def _from_registry(self, header: bytes) -> Any:
        if self._registry is None or not header.startswith(b"\0"):
            raise SystemExit(f"a value is written with a schema that is not here ({header.hex()}): export them again")
        (schema_id,) = struct.unpack(">I", header[1:])
        address = f"{self._registry}/schemas/ids/{schema_id}"
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the registry that was named
            return parse_schema(json.loads(json.load(answer)["schema"]))


class Results:
    """The file of one partition: a JSON object a line, the last one says where reading goes on."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("r+b")
        self.next_offset = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break  # cut short by a crash: its record is read again
            whole += len(line)
            kept = json.loads(line)
            self.next_offset = kept["offset"] + 1
            self._remember(kept["event_id"])
        self._file.seek(whole)
        self._file.truncate()

    def add(self, offset: int, result: dict[str, Any]) -> None:
        """Keeps a result, unless it is one that was there before: of a file that was replayed, say."""
        if result["event_id"] not in self._seen:
            line = {"offset": offset, **{name: result[name] for name in ("event_id", "conversation_id", "turn")}}
            line |= {
                name: result.get(name) for name in ("label", "confidence", "route", "degraded", "role", "language")
            }
            self._file.write(json.dumps(line).encode() + b"\n")
            self._remember(result["event_id"])
        self.next_offset = offset + 1

    def flush(self) -> None:
        """From here on what was added outlasts this process, and the machine."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def _remember(self, event_id: str) -> None:
        self._seen[event_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def main(given: list[str], registry: str | None, *, until_end: bool) -> None:
    servers, topic, schemas, folder = given
    decoder = Decoder(Path(schemas), registry)
    Path(folder).mkdir(parents=True, exist_ok=True)
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "not-used",  # the client wants one; partitions are assigned below
            "enable.auto.commit": False,
            "isolation.level": "read_committed",  # else the results of aborted transactions come too
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    partitions = consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions
    results = {partition: Results(Path(folder) / f"{topic}-{partition}.jsonl") for partition in partitions}
    consumer.assign([TopicPartition(topic, partition, each.next_offset) for partition, each in results.items()])
    ended: set[int] = set()
    while not (until_end and ended == set(partitions)):
        for message in consumer.consume(1_000, 1.0):
            error, partition, value = message.error(), message.partition(), message.value()
            if error is None and partition is not None and value is not None:
                results[partition].add(message.offset() or 0, decoder.decode(value))
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - a public code all the same
                ended.add(partition or 0)
            elif error is not None and not error.retriable():
                raise KafkaException(error)
        for each in results.values():
            each.flush()
    consumer.close()


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--until-end"]
    if not 4 <= len(given) <= 5:
        raise SystemExit(__doc__)
    main(given[:4], given[4] if len(given) == 5 else None, until_end="--until-end" in sys.argv)
