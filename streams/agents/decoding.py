"""The records that an agent can work on, and the dead letters that the others become."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple

from schemas.codec import DecodeError
from schemas.topics import R, Topic
from streams.agents.agent import KafkaRecord, Output
from streams.agents.dead_letter import dead_letter, first_failures
from streams.agents.dead_letter_limit import DeadLetterLimit
from streams.config.codecs import codec
from streams.config.settings import Settings


class Decoded(NamedTuple, Generic[R]):
    """A batch: the records with what they hold, and a dead letter for each record that holds nothing of use."""

    good: list[tuple[KafkaRecord, R]]
    letters: list[Output]


class Decoder(Generic[R]):
    """Decodes what an agent reads. `check` raises `DecodeError` for a value that decodes and yet cannot be used."""

    def __init__(
        self, settings: Settings, agent: str, topic: Topic[R], check: Callable[[R], None] | None = None
    ) -> None:
        self._settings = settings
        self._agent = agent
        self._decode = codec(settings, topic).decode
        self._check = check
        self._limit = DeadLetterLimit(settings.dead_letter_limit)
        # By partition the end of what was held against the limit: what comes again after an abort counts once.
        self._counted: dict[int, int] = {}

    def decode_all(self, records: Sequence[KafkaRecord]) -> Decoded[R]:
        """`records`, decoded, in their order. Raises `TooManyDeadLettersError`, and `RegistryError`."""
        decoded: Decoded[R] = Decoded([], [])
        decode, check, good, counted = self._decode, self._check, decoded.good, self._counted
        new_letters = []
        for record in records:
            try:
                value = decode(record.value)
                if check is not None:
                    check(value)
            except DecodeError as error:
                letter = dead_letter(self._settings, self._agent, record, error.reason, str(error))
                decoded.letters.append(letter)
                if record.offset >= counted.get(record.partition, 0):
                    new_letters.append(letter)
            else:
                good.append((record, value))
        new = sum(record.offset >= counted.get(record.partition, 0) for record in records)
        self._limit.check(self._agent, new, first_failures(new_letters))
        for record in records:
            counted[record.partition] = max(counted.get(record.partition, 0), record.offset + 1)
        return decoded
