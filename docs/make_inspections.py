"""Prints the part of docs/ingest.md that shows what `edgewise inspect` says of ten strange files.

    python docs/make_inspections.py

A test holds the page to it.
"""

import contextlib
import gzip
import os
import tempfile
from pathlib import Path
from typing import Final

from streams.files.inspection import described, inspect
from streams.files.rows import Input

NOW: Final = 1_767_606_914_000  # 2026-01-05

FILES: Final[dict[str, tuple[str, bytes]]] = {
    "excel.csv": (
        "Excel's: UTF-16, semicolons, empty columns at the end, days for times",
        "id;Contact ID;text;created_at;speaker;;\r\n"
        "1;k1;my parcel is lost;46022.4;caller;;\r\n2;k1;I am sorry;46022.5;agent;;\r\n".encode("utf-16"),
    ),
    "headerless.csv": ("without a header", b'"0","1467810369","my box is lost"\n"4","1467810672","lovely day"\n'),
    "latin.csv": (
        "in another encoding than UTF-8",
        "text,at\nall is well,2026-01-02\nle café était froid,2026-01-02\n".encode("cp1252"),
    ),
    "offsets.jsonl": (
        "times from the start of a call",
        (b'{"call_id": "c1", "role": "customer", "text": "hello", "at": 0.0}\n'
        b'{"call_id": "c1", "role": "agent", "text": "good morning", "at": 3.5}\n'),
    ),
    "calls.jsonl": (
        "the call's id is called `id`",
        (b'{"id": "call-1", "speaker": "agent", "text": "hello"}\n'
        b'{"id": "call-1", "speaker": "customer", "text": "my parcel is lost"}\n'),
    ),
    "newest-first.csv": (
        "the latest message first",
        (b"conversation_id,created_at,role,text\nn1,2026-01-02T10:05:00Z,customer,thanks bye\n"
        b"n1,2026-01-02T10:03:00Z,agent,it is on its way\nn1,2026-01-02T10:00:00Z,customer,hello\n"),
    ),
    "cut.jsonl.gz": (
        "packed, and cut in its last line",
        gzip.compress(
            b'{"session_id": "s1", "role": "customer", "text": "hello", "at": 1767348000}\n{"session_id": "s1", "te',
            mtime=0,
        ),
    ),
    "whole.json": (
        "an array of conversations without ids",
        (b'[{"turns": [{"role": "agent", "text": "hello there", "at": "Fri Jan 02 10:00:00 +0000 2026"}, '
        b'{"role": "customer", "text": "you lost my parcel", "at": "Fri Jan 02 10:00:09 +0000 2026"}]}]'),
    ),
    "zoom.txt": (
        "WebVTT under another name",
        b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:04.000\nAnn: Thank you for calling\n",
    ),
    "dates.csv": ("dates that may be two days", b'text,created_at\nhello,"03/04/2025 10:00"\nbye,"03/24/2025 10:00"\n'),
}  # fmt: skip


def section() -> str:
    """The part of the page, in Markdown."""
    lines = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, (_, content) in FILES.items():
            path = Path(name)
            path.write_bytes(content)
            lines += ["", *described(inspect(path, Input(), None, lambda: NOW))]
    told = "\n".join(f"- `{name}`: {what}" for name, (what, _) in FILES.items())
    return f"{told}\n\n" + "\n".join(f"    {line}".rstrip() for line in lines[1:]) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    print(section(), end="")
