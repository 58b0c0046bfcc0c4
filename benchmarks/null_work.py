"""The work of an agent that does none: read a small JSON object and write one, the same on every framework."""

import json


def request(of: int) -> bytes:
    """Input record number `of`: an id, a conversation, and a text of the length of a turn."""
    text = "I have been waiting for three weeks and nobody answers, please connect me with a manager now " * 2
    return json.dumps({"id": of, "conversation": of % 500, "text": text}).encode()


def answer(value: bytes) -> bytes:
    """What goes to both output topics for an input record."""
    return json.dumps({"id": number(value)}).encode()


def number(value: bytes) -> int:
    """The number of the input record that a value, of the input or of an output, belongs to."""
    of: int = json.loads(value)["id"]
    return of
