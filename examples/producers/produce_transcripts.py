"""Sends events to `transcripts`, one JSON object a line: confluent-kafka and fastavro, nothing of Edgewise.

    edgewise schemas export avro
    python produce_transcripts.py 127.0.0.1:9092 transcripts avro/v2/transcripts.avsc < events.jsonl

A line has `event_id`, `conversation_id`, `turn`, `text`, `occurred_at` (UTC milliseconds) and whatever else the schema
has. The key is the conversation, so that its turns stay in order in one partition.
"""

import json
import sys
from io import BytesIO
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from fastavro import parse_schema, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form


def main() -> int:
    """The exit code: 1 where the broker did not take an event."""
    servers, topic, file = sys.argv[1:]
    with open(file, encoding="utf-8") as opened:  # noqa: PTH123
        schema = json.load(opened)
    # Avro single-object encoding: C3 01, then the schema's fingerprint, then the record.
    header = b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
    written: Any = parse_schema(schema)
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        {
            "bootstrap.servers": servers,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as Java's clients and kafkajs
            "compression.type": "gzip",
        }
    )
    for line in sys.stdin:
        event = json.loads(line)
        value = BytesIO(header)
        value.seek(len(header))
        schemaless_writer(value, written, event)
        producer.produce(topic, value.getvalue(), event["conversation_id"].encode(), on_delivery=delivered)
        producer.poll(0)
    left = producer.flush(60)
    if failures or left:
        print(f"{len(failures) + left} events were not taken: {failures[:1]}", file=sys.stderr)
    return int(bool(failures or left))


if __name__ == "__main__":
    sys.exit(main())
