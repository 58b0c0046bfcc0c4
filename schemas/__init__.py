"""The contract: Avro schemas, typed records, the codec."""
