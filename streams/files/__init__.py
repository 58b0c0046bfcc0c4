"""Recordings to events, and scored rows back to files. No Kafka."""
