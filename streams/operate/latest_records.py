"""The latest record of each key of a compacted topic, of more keys than memory should hold."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from schemas.codec import DecodeError
from schemas.topics import R, Topic
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.messages import message_key, message_value
from streams.kafka.reader import read_topic
from streams.operate.temporary_file import explained, temporary_file

_BATCH: Final = 1_000


def latest_records(cluster: Cluster, topic: Topic[R], since_ms: int) -> Iterator[R | None]:
    """The latest record of each key of `topic` that was written at `since_ms` (UTC) or later, as of this call.

    A tombstone takes its key away; what cannot be decoded is None. Raises `TemporaryFileError`, and what `read_topic`
    raises.
    """
    decode = codec(cluster.settings, topic).decode
    messages = read_topic(cluster, topic, since_ms=max(0, since_ms))
    for value in latest_values((message_key(message), message_value(message)) for message in messages):
        try:
            yield decode(value)
        except DecodeError:
            yield None


def latest_values(pairs: Iterable[tuple[bytes | None, bytes | None]]) -> Iterator[bytes]:
    """The last value of each key in `pairs`, by key; none of a key whose last value is None, nor of no key.

    They are sorted in a temporary file (SQLite, in `TMPDIR`, gone with the process): memory does not grow with them.
    Raises `TemporaryFileError`.
    """
    file = temporary_file("CREATE TABLE latest (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID;")
    try:
        remaining = ((key, value) for key, value in pairs if key is not None)
        while batch := list(islice(remaining, _BATCH)):
            with explained():
                file.execute("BEGIN")
                file.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?)", batch)
                file.execute("COMMIT")
        with explained():
            rows = file.execute("SELECT value FROM latest WHERE value IS NOT NULL ORDER BY key")
        while True:
            with explained():
                found = rows.fetchmany(_BATCH)
            if not found:
                return
            for (value,) in found:
                yield value
    finally:
        file.close()
