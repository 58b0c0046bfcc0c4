"""Putting dead letters back, or dropping them: each once, whoever tries and whatever dies in between.

A redriven record and the mark that says so are committed in one Kafka transaction, so there is never one without the
other. The same letter twice, by two people at once, is kept out by fencing: whoever marks letters does it under one
transactional id, and looks at the marks only *after* taking it over. Then either the other's transaction is finished
and its marks are seen, or it never commits. A letter whose marks are not those that were shown is left alone.

With the embedded broker this is at least once: it does not isolate what a killed command left open. The record is
delivered before its mark is written, so that it is never marked as redriven without having been.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import stamina
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.dead_letter import Action, Letter, LetterId, Mark, redriven_headers
from schemas.errors import EdgewiseError, UsageError
from schemas.topics import DEAD_LETTERS
from streams.config.settings import Settings
from streams.kafka.client import client_config, cluster_metadata
from streams.kafka.embedded_lock import turns
from streams.kafka.rights import require_rights
from streams.kafka.security import AccessError, reason
from streams.operate.dead_letter_box import Content, Selection, contents, survey
from streams.system.clock import iso

# Between a transaction's first record and its commit lie tenths of a second. 20 s, as for the workers, outlasts a
# broker's restart, and bounds how long a command that died keeps others from reading past its open transaction.
_TRANSACTION_TIMEOUT_MS = 20_000
_INIT_TIMEOUT_S = 60.0
_RETRY_S = 60.0

# A transaction holds so much at most: sent within a second, however slow the link, and small beside the client's queue.
_LETTERS = 500
_BYTES = 8 * 1024 * 1024

# As for the workers: a letter's record is as large as the broker's largest, and its headers come on top.
_LARGEST_BYTES = 2 * 1024 * 1024

_FENCED = (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED)  # noqa: SLF001


class AlreadySettledError(EdgewiseError):
    """A letter was redriven or dropped before."""


class TakenOverError(EdgewiseError):
    """Somebody else began to redrive or drop letters meanwhile."""


class RedriveError(EdgewiseError):
    """The broker refused."""


class Outcome(NamedTuple):
    """What was done, and which letters were left alone: somebody else was quicker, or retention has removed them."""

    done: list[LetterId]
    left: list[LetterId]


def redrive(
    settings: Settings,
    letters: Sequence[Letter],
    *,
    by: str,
    again: bool = False,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Outcome:
    """Sends the records of `letters`, as surveyed, to the topics that they came from, and marks them as redriven.

    Key, value and headers are the original's, with two headers more: how often it was tried, and the letter's id.
    `again`: also those that have a mark; without it they are refused. `on_progress` is told how many were done so far.

    Raises AlreadySettledError, TakenOverError, RedriveError, AccessError, UsageError (no such topic) and what reading
    raises. What was done by then stays done and is marked.
    """
    topics = sorted({settings.topic(letter.topic) for letter in letters})
    _require_write(settings, "redrive", *topics)
    known = cluster_metadata(settings).topics
    for topic in (each for each in topics if each not in known):
        raise UsageError(f"topic {topic} does not exist at {settings.bootstrap_servers}: `edgewise topics create`")
    return _settle(settings, letters, _Marking("redriven", by, ""), again, on_progress)


def drop(settings: Settings, letters: Sequence[Letter], *, by: str, why: str, again: bool = False) -> Outcome:
    """Marks `letters`, as surveyed, as dropped, and says why. They stay where they are, for the audit.

    Raises AlreadySettledError (see `again`), TakenOverError, RedriveError, AccessError and what reading raises.
    """
    _require_write(settings, "drop")
    return _settle(settings, letters, _Marking("dropped", by, why), again, lambda _done: None)


def _require_write(settings: Settings, who: str, *topics: str) -> None:
    """Raises AccessError unless the user may write to `topics` and to `dead-letters`, where the marks go."""
    require_rights(settings, who, {topic: ["WRITE"] for topic in (settings.topic(DEAD_LETTERS), *topics)})


class _Marking(NamedTuple):
    action: Action
    by: str
    why: str

    def of(self, letter: LetterId) -> Mark:
        return Mark(letter, self.action, 0, self.by, self.why)  # the time is the record's


def _settle(
    settings: Settings,
    letters: Sequence[Letter],
    marking: _Marking,
    again: bool,
    on_progress: Callable[[int], None],
) -> Outcome:
    for letter in letters:
        if letter.marks and not again:
            last = letter.marks[-1]
            raise AlreadySettledError(
                f"dead letter {letter.id} was {last.action} already, by {last.by} at {iso(last.at_ms)}, and is left "
                "alone; --again does it all the same"
            )
    if not letters:
        return Outcome([], [])
    done: list[LetterId] = []
    with turns(settings):
        transactions = _Transactions(settings, marking)
        # Only from here on nobody else can mark a letter.
        now = {letter.id: letter.marks for letter in survey(settings, Selection(places={each.id for each in letters}))}
        chosen = {letter.id: letter for letter in letters if now.get(letter.id) == letter.marks}
        for batch in _batches(contents(settings, chosen)):
            transactions.run([(chosen[content.id], content) for content in batch])
            done += (content.id for content in batch)
            on_progress(len(done))
    return Outcome(done, sorted({letter.id for letter in letters} - set(done)))


def _batches(found: Iterable[Content]) -> Iterator[list[Content]]:
    batch: list[Content] = []
    size = 0
    for content in found:
        batch.append(content)
        size += len(content.value or b"")
        if len(batch) >= _LETTERS or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _may_pass(error: Exception) -> bool:
    """Whether a call failed for a passing reason. It blocked by itself, so there need be no pause."""
    return isinstance(error, KafkaException) and (error.args[0].retriable() and not error.args[0].txn_requires_abort())


_retrying = stamina.retry(on=_may_pass, timeout=_RETRY_S, attempts=None, wait_initial=0.0, wait_jitter=0.1)


class _Transactions:
    """The producer that letters are marked with. Made anew, it ends and shuts out its predecessor, here or elsewhere.

    Raises TakenOverError, RedriveError, AccessError.
    """

    def __init__(self, settings: Settings, marking: _Marking) -> None:
        self._settings = settings
        self._marking = marking
        self._refusal: str | None = None
        # One for the installation, whoever runs the command: that is what fences.
        self._id = f"{settings.topic_prefix}edgewise-redrive"
        self._producer = Producer(
            client_config(settings)
            | {
                "transactional.id": self._id,
                "transaction.timeout.ms": _TRANSACTION_TIMEOUT_MS,
                "linger.ms": 5,
                "partitioner": "murmur2_random",  # as Java clients do: a conversation keeps its partition
                "compression.type": "lz4",
                "message.max.bytes": _LARGEST_BYTES,
            }
        )
        try:
            _retrying(self._producer.init_transactions)(_INIT_TIMEOUT_S)
        except KafkaException as failure:
            raise self._plain(failure.args[0]) from failure

    def run(self, batch: Sequence[tuple[Letter, Content]]) -> None:
        """One transaction: the records of `batch`, if they are to be redriven, and a mark for each."""
        try:
            self._producer.begin_transaction()
            if self._marking.action == "redriven":
                self._send(batch)
            for letter, _ in batch:
                self._mark(letter.id)
            _retrying(self._producer.commit_transaction)()
        except KafkaException as failure:
            self._abort()
            raise self._plain(failure.args[0]) from failure
        except BaseException:
            self._abort()
            raise

    def _send(self, batch: Sequence[tuple[Letter, Content]]) -> None:
        for letter, content in batch:
            self._producer.produce(
                self._settings.topic(letter.topic),
                content.value,
                content.key,
                headers=[*redriven_headers(content.headers, letter)],
                on_delivery=partial(self._delivered, letter),
            )
        self._producer.flush()
        if self._refusal is not None:
            raise RedriveError(self._refusal)

    def _mark(self, letter: LetterId) -> None:
        # In the letter's own partition, so behind it, and kept for longer than it.
        headers: list[tuple[str, str | bytes | None]] = [*self._marking.of(letter).headers]
        topic = self._settings.topic(DEAD_LETTERS)
        self._producer.produce(topic, None, str(letter).encode(), letter.partition, headers=headers)

    def _delivered(self, letter: Letter, error: KafkaError | None, _message: Message) -> None:
        if error is not None and error.code() not in _FENCED and self._refusal is None:
            self._refusal = (
                f"dead letter {letter.id} ({letter.origin}) could not be redriven: {error.str()}; nothing was done "
                "with it and those in the same transaction"
            )

    def _abort(self) -> None:
        try:
            _retrying(self._producer.abort_transaction)()
        except KafkaException as failure:
            if failure.args[0].code() in _FENCED:
                raise self._plain(failure.args[0]) from failure
            # Else the broker aborts it when its time is over, or the next command does, when it starts.

    def _plain(self, error: KafkaError) -> EdgewiseError:
        if error.code() in _FENCED:
            return TakenOverError(
                "somebody else began to redrive or drop dead letters meanwhile, and this command was stopped; "
                "`edgewise dead-letters list` shows which are still open"
            )
        if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            return AccessError(reason(self._settings, error, f"WRITE on transactional id {self._id}"))
        return RedriveError(f"the transaction failed: {error.str()} ({error.name()}); nothing of it was done")
