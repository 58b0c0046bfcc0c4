"""Windows over the audit trail and the sketches in them. No Kafka."""
