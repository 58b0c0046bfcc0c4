"""Connections to Kafka: client, security, rights, reading, lag, the embedded broker."""
