"""An agent's state over a topic of its own: the latest value of a key, read back after a restart."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError
from schemas.topics import R, Topic
from streams.agents.agent import ReadBack
from streams.config.codecs import codec
from streams.config.settings import Settings

V = TypeVar("V")


class StateError(EdgewiseError):
    """A value that an agent's topic holds cannot be read, so that the agent cannot go on from it."""

    def __init__(self, key: bytes, topic: str, error: Exception) -> None:
        super().__init__(
            f"the value of key {key.decode(errors='replace')} in topic {topic} cannot be read ({error}): "
            "delete that key, and the agent begins anew with it, or restore its value"
        )


class TopicState(Generic[R, V]):
    """The values that an agent has written to `topic`, by Kafka key, in memory.

    The topic is the store: a value is written to it in the transaction that commits the records that changed the value.
    What is not in memory is read back from there. `capacity` bounds the memory: `trim` drops what was not used for the
    longest time, which may be done once it is written.
    """

    def __init__(
        self, settings: Settings, topic: Topic[R], from_record: Callable[[R], V], read_back: ReadBack, capacity: int
    ) -> None:
        self._topic = topic
        self._name = settings.topic(topic)
        self._decode = codec(settings, topic).decode
        self._from_record = from_record
        self._read_back = read_back
        self._capacity = capacity
        self._values: OrderedDict[bytes, V] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    def get(self, key: bytes) -> V | None:
        """The value of `key` in memory, None where there is none."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: bytes, value: V) -> None:
        """Holds `value` for `key`."""
        self._values[key] = value
        self._values.move_to_end(key)

    def read_back(self, since_ms: int, wanted: Callable[[bytes], bool]) -> None:
        """Reads the latest value of each `wanted` key that is not in memory, written at `since_ms` (UTC) or later.

        A key whose latest record is a tombstone has no value. Raises `StateError`, and what reading raises.
        """
        latest = {
            key: value
            for key, value in self._read_back(self._topic, since_ms)
            if key is not None and key not in self._values and wanted(key)
        }
        for key, value in latest.items():
            if value is not None:
                self._values[key] = self._restored(key, value)

    def trim(self) -> list[bytes]:
        """Drops values down to the capacity; the keys of those dropped, the longest unused first."""
        return [self._values.popitem(last=False)[0] for _ in range(len(self._values) - self._capacity)]

    def forget(self, which: Callable[[bytes], bool]) -> None:
        """Drops the values of the keys that `which` names, whatever was written of them."""
        for key in [key for key in self._values if which(key)]:
            del self._values[key]

    def _restored(self, key: bytes, value: bytes) -> V:
        try:
            return self._from_record(self._decode(value))
        except (DecodeError, ValueError, OverflowError) as error:
            raise StateError(key, self._name, error) from None
