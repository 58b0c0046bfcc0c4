"""Redaction measured."""
