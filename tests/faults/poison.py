"""Fault 9: poison, of every kind that there is, a little of it and nothing but."""

import dataclasses
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count

from confluent_kafka import Message, Producer

from schemas.codec import DeadLetterReason
from schemas.records import TranscriptEvent
from schemas.topics import DEAD_LETTERS, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.agents.topology import AGENTS, VERIFIED_AGENTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.verify.verdict import Verdict
from tests.events import TRANSCRIPT
from tests.faults.ends import wait_for_end
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene
from tests.fuzz.targets import CODECS
from tests.schema_records import EXAMPLES

Key = bytes | None
Value = bytes | None
Letter = tuple[str, Key, Value, DeadLetterReason]
"""The topic that it came from, without the prefix, its key and value, and why."""

INPUTS: Mapping[str, str] = {agent: AGENTS[agent].reads for agent in VERIFIED_AGENTS}

# Of the load, so that each worker has a few in every batch under a backlog, and most batches have none without one.
SHARE = 100

# A worker that has a thousand records before it, and all poison, stops: each of two is given three times as many.
BAD_STRETCH = 6_000

# Thousands of records of megabytes would try the machine, not the line.
SMALL_BYTES = 50_000

_HEADER_BYTES = 10
_DAY_MS = 86_400_000


def _text(value: bytes) -> bytes:
    """A text as Avro writes it, up to 63 bytes long."""
    return bytes([2 * len(value)]) + value


def any_input(good: bytes, other: bytes, rng: random.Random) -> list[tuple[Value, DeadLetterReason]]:
    """What is poison on every topic; `good` is a record of the topic, `other` one of another."""
    cut = good[: rng.randrange(_HEADER_BYTES, len(good))]
    return [
        (None, "null_value"),
        (b"", "undecodable"),
        (good[:1], "undecodable"),
        (good[:4], "undecodable"),
        (b'{"text": "hello there"}', "undecodable"),
        (b"Obj\x01 a container file", "undecodable"),
        (b"\x00\x00\x00", "undecodable"),
        (cut, "undecodable"),
        (good + b"\x00", "undecodable"),
        (good + good, "undecodable"),
        (good[:_HEADER_BYTES] + b"\xff" * 40, "undecodable"),
        (b"\x07\x01" + rng.randbytes(60), "undecodable"),
        (b"\xc3\x01" + rng.randbytes(8) + good[_HEADER_BYTES:], "unknown_schema"),
        (b"\x00\x00\x00\x00\x07" + good[_HEADER_BYTES:], "unknown_schema"),
        (other, "unknown_schema"),
    ]


def transcripts(number: int) -> list[tuple[Value, DeadLetterReason]]:
    """What is poison on `transcripts` besides; `number` makes its ids its own."""
    event = dataclasses.replace(TRANSCRIPT, event_id=f"poison-{number}", text="hello")
    encode = CODECS[TRANSCRIPTS].encode
    good = encode(event)
    before, after = good.split(_text(b"hello"))
    symbol = before + _text(b"hello") + after[:6]  # up to its time
    now = int(time.time() * 1000)

    def changed(**changes: object) -> bytes:
        return encode(dataclasses.replace(event, **changes))  # type: ignore[arg-type]

    return [
        (before + _text(b"caf\xe9") + after, "invalid_utf8"),
        (before + _text(b"\xed\xa0\x80") + after, "invalid_utf8"),
        (before + _text(b"\xc0\x80") + after, "invalid_utf8"),
        (before + b"\x05abc" + after, "undecodable"),  # a text of -3 bytes
        (before + b"\xfe" * 8 + b"\x7fhello" + after, "undecodable"),  # a text of more bytes than there are
        (symbol + b"\x0a" + after[7:], "undecodable"),  # a role beyond the last
        (changed(text=""), "empty_text"),
        (changed(text=" \t\n"), "empty_text"),
        (changed(text="long " * 7_000), "text_too_long"),
        (changed(text="very long " * 300_000), "text_too_long"),  # 3 MB, which come in 20 kB
        (changed(occurred_at=0), "invalid_timestamp"),
        (changed(occurred_at=now + 3 * _DAY_MS), "invalid_timestamp"),
        (changed(event_id=f"{number}" * 300), "invalid_id"),
        (changed(conversation_id=""), "invalid_id"),
        (changed(turn=-1), "invalid_turn"),
    ]


class Poisoner:
    """Puts poison of every kind in turn into a topic, and knows what must become of it."""

    def __init__(self, settings: Settings, rng: random.Random) -> None:
        self.expected: Counter[Letter] = Counter()
        self._settings = settings
        self._numbers = count()
        self._rng = rng
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "message.max.bytes": 64 * 1024 * 1024,
                "log_level": 0,
            }
        )

    def kinds(self, topic: str) -> Iterator[tuple[Value, DeadLetterReason]]:
        """Poison for `topic`, without end."""
        another = ROUTING_EVENTS if topic == SENTIMENT else SENTIMENT
        good, other = (CODECS[name].encode(EXAMPLES[name]) for name in (topic, another))
        while True:
            yield from any_input(good, other, self._rng)
            if topic == TRANSCRIPTS:
                yield from transcripts(next(self._numbers))

    def put(self, topic: str, key: Key, value: Value, reason: DeadLetterReason) -> None:
        """Put one into `topic`."""
        self.expected[topic, key, value, reason] += 1
        self._producer.produce(self._settings.topic(topic), value, key)
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has all. Raises RuntimeError when it does not take it."""
        if left := self._producer.flush(60):
            raise RuntimeError(f"the broker did not take {left} records of poison")

    def check(self, verdict: Verdict) -> None:
        """Each was to become one dead letter, as it was, for its reason, and nothing else. Raises RuntimeError."""
        found = Counter(
            _letter(message, self._settings) for message in read_topic(Cluster(self._settings), DEAD_LETTERS)
        )
        missing, more = self.expected - found, found - self.expected
        if missing or more:
            first = [(topic, reason, (value or b"")[:40]) for topic, _, value, reason in [*missing, *more][:5]]
            raise RuntimeError(f"{missing.total()} dead letters are missing, {more.total()} too many: {first}")
        if verdict.dead_letters != sum(n for letter, n in found.items() if letter[0] == TRANSCRIPTS):
            raise RuntimeError(f"verify counts {verdict.dead_letters} dead letters of transcripts")


def _letter(message: Message, settings: Settings) -> Letter:
    headers = {
        name: value.decode() for name, value in dict(message.headers() or ()).items() if isinstance(value, bytes)
    }
    topic = headers["edgewise-topic"].removeprefix(settings.topic_prefix)
    return topic, message.key(), message.value(), headers["edgewise-reason"]  # type: ignore[return-value]


def one_percent(scene: Scene) -> None:
    """Every hundredth record of each of the topics that agents read is poison, of every kind in turn.

    Seen to fail with an agent that skips what it cannot decode.
    """
    poisoner = Poisoner(scene.settings, scene.rng)
    kinds = {topic: poisoner.kinds(topic) for topic in INPUTS.values()}
    numbers = count(1)

    def spoilt(event: TranscriptEvent, producer: Producer) -> None:
        scene.load.send(event, producer)
        if next(numbers) % SHARE == 0:
            for topic, of_topic in kinds.items():
                poisoner.put(topic, event.conversation_id.encode(), *next(of_topic))

    for _ in scene.times():
        with scene.fault():
            for topic, of_topic in kinds.items():  # each kind once, whatever the duration
                for _ in range(30 if topic == TRANSCRIPTS else 15):
                    poisoner.put(topic, b"%d" % scene.rng.randrange(1_000), *next(of_topic))
            scene.load.shape = spoilt
            scene.must_go_on(400)
            scene.load.shape = scene.load.send
    poisoner.flush()
    scene.checks.append(poisoner.check)


def nothing_but(scene: Scene) -> None:
    """A long stretch of nothing but poison before each agent in turn: both its workers stop.

    They say why, with the exit code of a failure, for the set-up was right when they joined, and have committed nothing
    of the batch. Told to go on whatever the share (`EDGEWISE_DEAD_LETTER_LIMIT=1`), they do.
    Seen to fail with a limit that is never checked.
    """
    poisoner = Poisoner(scene.settings, scene.rng)
    without = scene.settings.model_copy(update={"dead_letter_limit": 1.0})
    unlimited: set[str] = set()
    for number in scene.times():
        agent = VERIFIED_AGENTS[number % len(VERIFIED_AGENTS)]
        if agent in unlimited:
            unlimited.remove(agent)
            _start_again(scene, agent)
        topic, since = INPUTS[agent], len(scene.line.exits)
        with scene.fault():
            scene.line.restarts = False
            small = (each for each in poisoner.kinds(topic) if len(each[0] or b"") < SMALL_BYTES)
            for place, (value, reason) in zip(range(BAD_STRETCH), small, strict=False):
                poisoner.put(topic, b"%d" % place, value, reason)
            poisoner.flush()
            words = rf"{agent}: [\d,]+ of the last [\d,]+ records .* limit of 50% \(EDGEWISE_DEAD_LETTER_LIMIT\)"
            end = wait_for_end(scene, agent, words, since, times=len(SLOTS))
            if end.code != 1:
                raise RuntimeError(f"a worker that had joined ends with 1: {end}")
            if agent == "edge":
                scene.must_stand(2)
            scene.line.restarts = True
            _start_again(scene, agent, settings=without)
            unlimited.add(agent)
    scene.checks.append(poisoner.check)


def _start_again(scene: Scene, agent: str, *, settings: Settings | None = None) -> None:
    """Both workers of `agent`: those that have ended, with `settings`; or those that run, with the line's."""
    ups = {slot: scene.line.ups(agent, slot) for slot in SLOTS}
    for slot in SLOTS:
        if settings is None:
            scene.line.stop(agent, slot)
        scene.line.start(agent, slot, settings=settings)
    for slot, before in ups.items():
        scene.line.wait_until_up(agent, slot, before + 1)


FAULTS = (
    Fault(9, "poison-1-percent", one_percent),
    Fault(9, "poison-100-percent", nothing_but, restarts=True),
)
