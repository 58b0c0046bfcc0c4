"""Putting dead letters back, or dropping them: each once, whoever tries and whatever dies in between.

A redriven record and the mark that says so are committed in one Kafka transaction, so there is never one without the
other. The same letter twice, by two people at once, is kept out by fencing: whoever marks letters does it under one
transactional id, and looks at the marks only *after* taking it over. Then either the other's transaction is finished
and its marks are seen, or it never commits. A letter whose marks are not those that were shown is left alone.

With the embedded broker this is at least once: it does not isolate what a killed command left open. The record is
delivered before its mark is written, so that it is never marked as redriven without having been.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import stamina
from confluent_kafka import KafkaError, KafkaException, Message

from schemas.dead_letter import Action, Letter, LetterId, Mark, redriven_headers
from schemas.errors import EdgewiseError, UsageError
from schemas.topics import ALERTS, DEAD_LETTERS, MONITORING
from streams.kafka.client import FENCED, Cluster, is_repeatable
from streams.kafka.embedded_lock import exclusive_transactions
from streams.kafka.messages import message_key
from streams.kafka.reader import read_topic
from streams.kafka.refusals import AccessError, explain_refusal
from streams.kafka.rights import require_rights
from streams.operate.dead_letter_box import Content, Selection, contents, survey
from streams.system.clock import iso

_INIT_TIMEOUT_S = 60.0
_RETRY_S = 60.0

# A transaction holds so much at most: sent within a second, however slow the link, and small beside the client's queue.
_LETTERS = 500
_BYTES = 8 * 1024 * 1024

# With more, what is under way behind a record that the broker refuses would be queued again, and be waited for by the
# abort until its time is over.
_PRODUCER_OPTIONS: Final[Mapping[str, object]] = {"max.in.flight.requests.per.connection": 1}

# Each try blocks by itself, so there need be no pause.
_repeating = stamina.retry(on=is_repeatable, timeout=_RETRY_S, attempts=None, wait_initial=0.0, wait_jitter=0.02)


# What a broker refuses because of the record itself. It would refuse the record again, and take the others.
_OF_THE_RECORD = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG)


# An abort drops the records that librdkafka has not sent yet, and with them their sequence numbers. The broker, or
# librdkafka, then refuses what the producer sends next, once: the abort of that gives the producer a new epoch, whose
# numbers begin at 0.
_LEFT_BY_AN_ABORT = (
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError._PURGE_INFLIGHT,  # noqa: SLF001 - librdkafka's own codes are public all the same
    KafkaError._PURGE_QUEUE,  # noqa: SLF001
    KafkaError._STATE,  # noqa: SLF001
)


# Of these the latest record of a key is what counts: an old one that comes again would take its place.
_BY_KEY = frozenset({ALERTS, MONITORING})


class AlreadySettledError(EdgewiseError):
    """A letter was redriven or dropped before."""


class TakenOverError(EdgewiseError):
    """Somebody else began to redrive or drop letters meanwhile."""


class RedriveError(EdgewiseError):
    """The broker refused, or its answer is not known."""


class Outcome(NamedTuple):
    """What became of each letter."""

    done: list[LetterId]
    left: list[LetterId]  # left alone: somebody else was quicker, or retention has removed it
    refused: Mapping[LetterId, str]  # its topic does not take it, and why; it has no mark, and stays open


def redrive(
    cluster: Cluster,
    letters: Sequence[Letter],
    *,
    by: str,
    again: bool = False,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Outcome:
    """Sends the records of `letters`, as surveyed, to the topics that they came from, and marks them as redriven.

    Key, value and headers are the original's, with two headers more: how often it was tried, and the letter's id.
    `again`: also those that have a mark; without it they are refused. `on_progress` is called with how many were done.
    A letter that its topic does not take, such as one that is too large, is in the outcome; the others go on. So is one
    of a topic in which the latest record of a key counts, where a later one stands.

    Raises AlreadySettledError, TakenOverError, RedriveError, AccessError, UsageError (no such topic) and what reading
    raises. What was done by then stays done and is marked.
    """
    settings = cluster.settings
    topics = sorted({letter.topic for letter in letters})
    _require_rights(cluster, "redrive", *topics)
    known = cluster.metadata().topics
    for topic in (each for each in map(settings.topic, topics) if each not in known):
        raise UsageError(f"topic {topic} does not exist at {settings.bootstrap_servers}: `edgewise topics create`")
    return _settle(cluster, letters, _Marking("redriven", by, ""), again, on_progress)


def drop(cluster: Cluster, letters: Sequence[Letter], *, by: str, why: str, again: bool = False) -> Outcome:
    """Marks `letters`, as surveyed, as dropped, and says why. They stay where they are, for the audit.

    Raises AlreadySettledError (see `again`), TakenOverError, RedriveError, AccessError and what reading raises.
    """
    _require_rights(cluster, "drop")
    return _settle(cluster, letters, _Marking("dropped", by, why), again, lambda _done: None)


def _require_rights(cluster: Cluster, who: str, *topics: str) -> None:
    """Raises AccessError unless the user may write to `topics` and to `dead-letters`, where the marks go.

    It must be allowed to read those of them in which a later record of a letter's key is looked for.
    """
    needed = {topic: ["READ", "WRITE"] if topic in _BY_KEY else ["WRITE"] for topic in (DEAD_LETTERS, *topics)}
    require_rights(cluster, who, {cluster.settings.topic(topic): rights for topic, rights in needed.items()})


class _Marking(NamedTuple):
    action: Action
    by: str
    why: str

    def of(self, letter: LetterId) -> Mark:
        return Mark(letter, self.action, 0, self.by, self.why)  # the time is the record's


def _settle(
    cluster: Cluster,
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
        return Outcome([], [], {})
    done: list[LetterId] = []
    refused: dict[LetterId, str] = {}
    with exclusive_transactions(cluster):
        transactions = _Transactions(cluster, marking)
        # Only from here on nobody else can mark a letter.
        now = {letter.id: letter.marks for letter in survey(cluster, Selection(places={each.id for each in letters}))}
        chosen = {letter.id: letter for letter in letters if now.get(letter.id) == letter.marks}
        later = _later(cluster, chosen.values()) if marking.action == "redriven" else {}
        for batch in _batches(contents(cluster, chosen)):
            taken = []
            for letter, content in ((chosen[content.id], content) for content in batch):
                if later.get((letter.topic, letter.partition, content.key), -1) > letter.offset:
                    refused[letter.id] = f"{letter.origin}: a later record of its key counts: drop it"
                else:
                    taken.append((letter, content))
            for part in transactions.run(taken, refused) if taken else ():
                done += part
                on_progress(len(done))
    return Outcome(done, sorted({letter.id for letter in letters} - set(done) - refused.keys()), refused)


def _later(cluster: Cluster, letters: Iterable[Letter]) -> dict[tuple[str, int, bytes | None], int]:
    """Of topics in which the latest record of a key counts, where that is: by topic, partition and key."""
    starts: dict[str, dict[int, int]] = {}
    for letter in letters:
        if letter.topic in _BY_KEY:
            first = starts.setdefault(letter.topic, {})
            first[letter.partition] = min(letter.offset, first.get(letter.partition, letter.offset))
    return {
        (topic, message.partition() or 0, message_key(message)): message.offset() or 0
        for topic, offsets in starts.items()
        for message in read_topic(cluster, topic, offsets=offsets)
    }


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


class _RefusedError(Exception):
    """A topic does not take a record of this transaction, for the `reason`; nothing of the transaction was done."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Transactions:
    """The producer that letters are marked with. Made anew, it ends and shuts out its predecessor, here or elsewhere.

    Raises TakenOverError, RedriveError, AccessError.
    """

    def __init__(self, cluster: Cluster, marking: _Marking) -> None:
        self._settings = cluster.settings
        self._marking = marking
        self._failures: list[KafkaError] = []
        # One for the installation, whoever runs the command: that is what fences.
        self._id = f"{self._settings.topic_prefix}edgewise-redrive"
        self._producer = cluster.producer(_PRODUCER_OPTIONS, transactional_id=self._id)
        try:
            _repeating(self._producer.init_transactions)(_INIT_TIMEOUT_S)
        except KafkaException as failure:
            raise self._explained(failure.args[0]) from failure

    def run(
        self, batch: Sequence[tuple[Letter, Content]], refused: dict[LetterId, str]
    ) -> Iterator[Sequence[LetterId]]:
        """The letters of `batch` that were done, transaction by transaction: one, if their topics take all of them.

        A broker refuses records in bundles, so a bundle's fault can be that of any of its records. The batch is halved
        until the letter is found, and goes into `refused` with the reason.
        """
        try:
            self._run(batch)
        except _RefusedError as refusal:
            if len(batch) == 1:
                letter = batch[0][0]
                refused[letter.id] = f"{letter.origin}: {refusal.reason}"
                return
        else:
            yield [letter.id for letter, _ in batch]
            return
        half = len(batch) // 2
        yield from self.run(batch[:half], refused)
        yield from self.run(batch[half:], refused)

    def _run(self, batch: Sequence[tuple[Letter, Content]], *, once_more: bool = True) -> None:
        """One transaction: the records of `batch`, if they are to be redriven, and a mark for each."""
        committing = False
        try:
            self._producer.begin_transaction()
            if self._marking.action == "redriven":
                self._send(batch)
            for letter, _ in batch:
                self._mark(letter.id)
            committing = True
            _repeating(self._producer.commit_transaction)()
        except KafkaException as failure:
            error = failure.args[0]
            aborted = self._abort()
            if error.code() in _OF_THE_RECORD and aborted:
                raise _RefusedError(error.str()) from None
            if error.code() in _LEFT_BY_AN_ABORT and aborted and once_more:
                return self._run(batch, once_more=False)
            raise self._explained(error, nothing_done=aborted or not committing) from failure
        except BaseException:
            self._abort()
            raise

    def _send(self, batch: Sequence[tuple[Letter, Content]]) -> None:
        """Sends the records, and waits until the brokers have taken them. Raises KafkaException: they did not."""
        self._failures.clear()
        for letter, content in batch:
            self._producer.produce(
                self._settings.topic(letter.topic),
                content.value,
                content.key,
                headers=[*redriven_headers(content.headers, letter)],
                on_delivery=self._delivered,
            )
        self._producer.flush()
        if self._failures:
            # What fails because the transaction has failed already says less than what failed first.
            raise KafkaException(min(self._failures, key=lambda error: error.code() not in _OF_THE_RECORD))

    def _mark(self, letter: LetterId) -> None:
        # In the letter's own partition, so behind it, and kept for longer than it.
        headers: list[tuple[str, str | bytes | None]] = [*self._marking.of(letter).headers]
        topic = self._settings.topic(DEAD_LETTERS)
        self._producer.produce(topic, None, str(letter).encode(), letter.partition, headers=headers)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failures.append(error)

    def _abort(self) -> bool:
        """Whether the transaction is known to be aborted. Raises TakenOverError."""
        try:
            _repeating(self._producer.abort_transaction)()
        except KafkaException as failure:
            if failure.args[0].code() in FENCED:
                raise self._explained(failure.args[0]) from failure
            return False  # the broker aborts it when its time is over, or the next command does, when it starts
        return True

    def _explained(self, error: KafkaError, *, nothing_done: bool = True) -> EdgewiseError:
        if error.code() in FENCED:
            return TakenOverError(
                "somebody else began to redrive or drop dead letters meanwhile, and this command was stopped; "
                "`edgewise dead-letters list` shows which are still open"
            )
        if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            return AccessError(explain_refusal(self._settings, error, f"WRITE on transactional id {self._id}"))
        known = (
            "nothing of it was done"
            if nothing_done
            else "whether it was committed is not known: within a minute `edgewise dead-letters list` shows which are "
            "still open"
        )
        return RedriveError(f"the transaction failed: {error.str()} ({error.name()}); {known}")
