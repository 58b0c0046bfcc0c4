"""What must hold for any bytes at all: each function takes some and raises when the promise is broken.

Hypothesis calls them with what it makes up (`test_fuzz.py`, a little in every run of the tests), atheris with what
finds new ways through the code (`atheris_run.py`, by `make fuzz`). Only errors that are documented may come out, and no
input may be swallowed: it is read, or it is refused by name, or it is a dead letter with the very same bytes.
"""

import asyncio
import atexit
import contextlib
import dataclasses
import gzip
import json
import math
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from backports import zstd

from models.classifier import Classifier
from models.redaction import ConversationRedactor
from models.router import Policy
from recordings.encoding import recognised_encoding
from recordings.fault import RecordingError
from recordings.read import FORMATS
from recordings.source import HEAD
from schemas.codec import Codec, DecodeError, EncodeError
from schemas.dead_letter import Header, Letter, LetterId, Mark, original_headers, read_letter, redriven_headers
from schemas.errors import UsageError
from schemas.records import Role
from schemas.topics import DEAD_LETTERS, ROUTING_EVENTS, TOPICS, TRANSCRIPTS
from streams.agents.dead_letter import dead_letter
from streams.agents.edge import EdgeAgent
from streams.config.loading import load_settings
from streams.config.settings import Settings
from streams.files.inspection import described, inspect
from streams.files.recorded_event import recorded_events
from streams.files.recording import read_recording
from streams.files.rows import Input, read_rows
from streams.files.vendor_file import ENDINGS
from streams.monitoring.sketch import sketch_from_bytes
from tests.events import TRANSCRIPT, consumer_record
from tests.fuzz import door
from tests.released_values import RELEASED
from tests.vendor_objects import NAMES, vendor_object

NOW: Final = TRANSCRIPT.occurred_at + 5_000
SETTINGS: Final = Settings(topic_prefix="eu.", dead_letter_limit=1)
CODECS: Final[Mapping[str, Codec[Any]]] = {topic: Codec(topic) for topic in TOPICS.values()}


def split(data: bytes, most: int) -> list[bytes]:
    """`data` as up to `most` parts: each begins with its length in two bytes, as far as there is so much."""
    parts: list[bytes] = []
    while data and len(parts) < most:
        length = int.from_bytes(data[:2], "big")
        parts.append(data[2 : 2 + length])
        data = data[2 + length :]
    return parts


def codec(data: bytes) -> None:
    """Any bytes are a record of a topic, or `DecodeError`; what is a record can be written and is then the same."""
    for topic, of_topic in CODECS.items():
        try:
            record = of_topic.decode(data)
        except DecodeError as error:
            _require("\n" not in str(error), error)
            continue
        again = of_topic.decode(of_topic.encode(record))
        assert again == record or _has_nan(record), topic
        for field in dataclasses.fields(record):
            if isinstance(sketch := getattr(record, field.name), bytes):
                with contextlib.suppress(ValueError):
                    sketch_from_bytes(sketch)


def _require(holds: bool, error: Exception) -> None:
    if not holds:
        raise AssertionError from error


def _has_nan(record: Any) -> bool:
    values = (getattr(record, field.name) for field in dataclasses.fields(record))
    return any(isinstance(value, float) and math.isnan(value) for value in values)


class _Model:
    """Stands in for the classifier, which is not what is tried here."""

    id = "edge@1"
    languages = ("en",)

    def score(self, texts: Sequence[str], _: Sequence[Role]) -> np.ndarray[Any, Any]:
        return np.tile([0.96, 0.03, 0.01], (len(texts), 1))


_AGENT: Final = EdgeAgent(
    SETTINGS,
    cast(Classifier, _Model()),
    Policy("test", "1", confidence_threshold=0.9, complexity_threshold=0.75, random_cloud_rate=0.5),
    ConversationRedactor(),
    clock=lambda: NOW,
)


def agent(data: bytes) -> None:
    """Of each record that the edge agent is given comes an answer and an audit event, or a dead letter as it was."""
    values = [None if value == b"null" else value for value in split(data, 8)]
    records = [
        consumer_record(value, topic="eu.transcripts", offset=i, key=b"%d" % i) for i, value in enumerate(values)
    ]
    outputs = asyncio.run(_AGENT.process(records))
    letters = {output.key: output for output in outputs if output.topic == f"eu.{DEAD_LETTERS}"}
    answers = [output for output in outputs if output.topic != f"eu.{DEAD_LETTERS}"]
    good = [record for record in records if record.key not in letters]
    assert len(letters) + len(answers) == len(outputs)
    assert len(answers) == 2 * len(good)
    for record in records:
        if record.key in letters:
            assert letters[record.key].value == record.value, "byte for byte"
    for record, *pair in zip(good, answers[::2], answers[1::2], strict=True):
        topics = Counter(output.topic.removeprefix("eu.") for output in pair)
        assert topics[ROUTING_EVENTS] == 1
        assert topics["sentiment"] + topics["cloud-inference"] == 1
        event = CODECS["transcripts"].decode(record.value)
        for output in pair:
            published = CODECS[output.topic.removeprefix("eu.")].decode(output.value)
            assert (published.event_id, output.key) == (event.event_id, event.conversation_id.encode())


def letters(data: bytes) -> None:
    """However often a record fails and is redriven, key, value and its headers come back; any headers can be read."""
    parts = split(data, 12)
    (key, value), rest = (*parts[:2], b"", b"")[:2], parts[2:]
    headers = tuple(_header(part) for part in rest)
    read_letter(LetterId(0, 0), 0, None, headers, "eu.")
    read_letter(LetterId(0, 0), 0, None, headers, "")
    mark = Mark(LetterId(0, 1), "dropped", 0, key.decode(errors="replace"), value.decode(errors="replace"))
    assert read_letter(LetterId(0, 2), 0, None, mark.headers, "") == mark
    redriven_before = [name for name, _ in headers[-2:]] == ["edgewise-attempts", "edgewise-letter"]
    expected = headers[:-2] if redriven_before else headers
    now, tries = headers, None
    for offset in range(3):
        record = consumer_record(value or None, topic="eu.transcripts", offset=offset, key=key or None)
        output = dead_letter(SETTINGS, "edge", dataclasses.replace(record, headers=now), "undecodable", "damaged")
        assert (output.key, output.value) == (record.key, record.value)
        letter = read_letter(LetterId(0, offset), 0, len(value), output.headers, "eu.")
        assert isinstance(letter, Letter)
        assert letter.offset == offset
        assert tries is None or letter.attempts == min(tries, 10**9) + 1
        assert original_headers(output.headers) == expected
        now, tries = redriven_headers(output.headers, letter), letter.attempts


def dead_letter_headers(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """The headers of the letter that a record with `headers` becomes."""
    record = dataclasses.replace(consumer_record(b"", topic="eu.transcripts"), headers=headers)
    return dead_letter(SETTINGS, "edge", record, "undecodable", "damaged").headers


_NAMES: Final = (*(name for name, _ in dead_letter_headers(())), "edgewise-letter", "edgewise-mark", "edgewise-by", "x")


def _header(part: bytes) -> Header:
    """A header of ours, more often than by chance, or of anybody."""
    name = _NAMES[part[0] % len(_NAMES)] if part else ""
    value = part[1:]
    return name, None if value == b"null" else value


def settings(data: bytes) -> None:
    """Any variables and any file are settings, or `UsageError` in one line."""
    kind, name, value, *_ = [*split(data, 3), b"", b"", b""]
    fields = sorted(Settings.model_fields)
    chosen = fields[name[0] % len(fields)] if name else "router"
    path = _folder() / "edgewise.toml"
    match len(kind) % 4:
        case 0:
            _load(None, {"EDGEWISE_" + chosen.upper(): _variable(value)})
        case 1:
            _load(None, {"EDGEWISE_" + _variable(name).upper(): _variable(value)})
        case 2:
            _write(path, value)
            _load(path, {})
        case _:
            _write(path, chosen.encode() + b" = " + value)
            _load(path, {})


def _variable(value: bytes) -> str:
    """What an environment may hold: bytes that are no text come as halves of surrogate pairs; there is no null."""
    return value.replace(b"\0", b"").decode(errors="surrogateescape")


@cache
def _folder() -> Path:
    """A folder for files to read, one for the process."""
    folder = tempfile.mkdtemp(prefix="edgewise-fuzz-")
    atexit.register(shutil.rmtree, folder)
    return Path(folder)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # ext4 brings a file that is cut to nothing and written again to the disk: 50 ms
    path.write_bytes(content)


def _load(path: Path | None, environ: Mapping[str, str]) -> None:
    try:
        load_settings(path, environ)
    except UsageError as error:
        _require("\n" not in str(error), error)


def ingest(data: bytes) -> None:
    """Any file is a recording up to where `RecordingError` names it; each row is an event that can be sent.

    Of plain lines, which can be counted another way, as many rows come out as there are.
    """
    endings = sorted(FORMATS)
    ending, content = endings[(data[0] if data else 0) % len(endings)], data[1:]
    path = _folder() / ("recording" + ending)
    _write(path, content)
    rows = 0
    try:
        for row, event in recorded_events(read_recording(path), path, "0" * 64, {}, lambda: NOW):
            rows += 1
            assert row.number == rows
            with contextlib.suppress(EncodeError):
                assert CODECS[TRANSCRIPTS].decode(CODECS[TRANSCRIPTS].encode(event)) == event
    except RecordingError as error:
        _require(str(path) in str(error), error)
    else:
        assert ending != ".txt" or rows == _lines(content)


def _lines(content: bytes) -> int:
    """How many lines there are, counted another way."""
    text = content.decode(recognised_encoding(content[:HEAD]), errors="replace").removeprefix("\ufeff")
    ends = text.replace("\r\n", "\n").replace("\r", "\n")
    return ends.count("\n") + (ends != "" and ends[-1] != "\n")


def inspected(data: bytes) -> None:
    """Of any file, named, packed and encoded in any way, each row is an event or a fault, and the inspection tells it.

    Seen to fail with rows that are neither.
    """
    endings = [*sorted(FORMATS), *sorted(ENDINGS)]
    kind, content = data[0] if data else 0, data[1:]
    path = _folder() / ("inspected" + endings[kind % len(endings)])
    pack = (bytes, gzip.compress, zstd.compress)[kind // 16 % 3]
    whole = content.decode("latin-1").encode("utf-16") if kind >= 128 else content
    _write(path, pack(whole))
    inspection = inspect(path, Input(), None, lambda: NOW)
    lines = described(inspection)
    assert lines[-1] == "nothing looks wrong" or inspection.wrong
    assert not any("\n" in line for line in inspection.wrong)
    assert inspection.unreadable == "" or str(path) in inspection.unreadable
    if inspection.found is not None and inspection.found.format == "lines" and not inspection.unreadable:
        assert inspection.survey.rows + inspection.faults.count == _lines(whole)


def vendors(data: bytes) -> None:
    """Any file is a vendor's, or is refused in one line that names it; its turns are events that can be sent."""
    endings = sorted(ENDINGS)
    path = _folder() / ("vendor" + endings[(data[0] if data else 0) % len(endings)])
    _write(path, data[1:])
    rows = 0
    try:
        for _, event in recorded_events(read_rows(path), path, "0" * 64, {}, lambda: NOW):
            rows += 1
            with contextlib.suppress(EncodeError):
                assert CODECS[TRANSCRIPTS].decode(CODECS[TRANSCRIPTS].encode(event)) == event
    except RecordingError as error:
        _require(str(path) in str(error) and "\n" not in str(error), error)


def joined(*parts: bytes) -> bytes:
    """What `split` takes apart."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _vendors_file(name: str) -> bytes:
    value = vendor_object(name)
    ending = {"webvtt": ".vtt", "srt": ".srt"}.get(name, ".json")
    content = value if isinstance(value, str) else json.dumps(value)
    return bytes([sorted(ENDINGS).index(ending)]) + content.encode()


_RELEASED: Final = [bytes.fromhex(encoded) for encoded, _ in RELEASED.values()]

TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "codec": codec,
    "agent": agent,
    "letters": letters,
    "settings": settings,
    "ingest": ingest,
    "inspected": inspected,
    "vendors": vendors,
    "door": door.connection,
    "webhooks": door.webhook,
}

# Where to begin: inputs that come far. What is made up from nothing seldom gets past the first bytes.
SEEDS: Final[Mapping[str, Sequence[bytes]]] = {
    "codec": _RELEASED,
    "agent": [joined(b"null", b"", *_RELEASED), joined(CODECS[TRANSCRIPTS].encode(TRANSCRIPT))],
    "letters": [
        joined(b"key", b"value", *(bytes([i]) + b"7" for i in range(len(_NAMES)))),
        joined(b"", b"", *(bytes([i]) for i in range(8))),  # those of a letter: it was put back by hand
        joined(b"", b"", b"\x0b", b"\x07-9", b"\x080:1"),
    ],
    "settings": [
        joined(b"", b"\x00", b"127.0.0.1:9092"),
        joined(b"?", b"window_s", b"60"),
        joined(b"??", b"", b"router = 'article'\nwindow_s = 60\nrandom_cloud_rate = 0.05\n"),
        joined(b"???", b"\x07", b"[{a = 1e3, b = 'x'}, 2026-01-31T12:00:00Z]"),
    ],
    "ingest": [
        b'\x00text,event_id,at\n"a ""b""\nc",e1,2015-02-24 11:15:48 -0800\n',
        b'\x01{"id": "c1", "turns": [{"text": "a", "turn": 2}, {"text": "b", "at": 1e9, "role": "bot"}]}\n',
        b"\x03one\r\n\ntwo",
    ],
    "inspected": [
        b"\x00id;text;at\r\n1;a;2015-02-24\r\n2;b,c;42059.5\r\n",
        b'\x10text,id\n"a \\"b\\"",1\nb,1\n',
        b'\xa1[{"text": "a", "id": 1}, {"turns": [{"text": "b"}]}]',
        b'\x02{"text": "a", "id": NaN}\n{"text": [1]}\n{"text": ',
        b"\x85one\rtwo\n\nthree",
    ],
    "vendors": [_vendors_file(name) for name in NAMES],
    "door": door.CONNECTION_SEEDS,
    "webhooks": door.WEBHOOK_SEEDS,
}
