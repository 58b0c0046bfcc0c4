"""People's labels into the topic `labels`, each with what had been published for its event; and out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError, UsageError
from schemas.records import PersonLabel, RoutingEvent
from schemas.topics import LABELS, ROUTING_EVENTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.given_labels import GivenLabel
from streams.ingest.sender import FLUSH_TIMEOUT_S, require_topics
from streams.kafka.client import Cluster
from streams.kafka.messages import message_key, message_value
from streams.kafka.reader import read_topic
from streams.kafka.refusals import explain_refusal
from streams.monitoring.people import PeopleLabels
from streams.monitoring.window import published_confidence, published_label


class LabelError(EdgewiseError):
    """The broker did not take a label."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought in: labels, of so many events, `answered` of which the audit trail holds an answer of."""

    labels: int
    events: int
    answered: int


def bring_labels(settings: Settings, given: Sequence[GivenLabel]) -> Brought:
    """Sends `given` to `labels`, each with the answer that `routing-events` holds for its event.

    To send the same again changes nothing: of an event the last label counts. Of an event that has no answer, as it has
    not been scored yet or its audit trail is older than its topic keeps, the label is sent without one.

    Raises UsageError: no topic, or `routing-events` holds an answer for none of the events; LabelError;
    BrokerUnreachableError, AccessError, ReadError.
    """
    cluster = Cluster(settings)
    name, trail = settings.topic(LABELS), settings.topic(ROUTING_EVENTS)
    require_topics(cluster, "labels", {name: ["READ", "WRITE"], trail: ["READ"]})
    answers = _answers(cluster, given)
    events = {label.event_id for label in given}
    if given and not answers:
        raise UsageError(
            f"{trail} holds an answer for none of the {len(events):,} labelled events: are their ids those of the "
            "events on `sentiment`, and has the line answered them?"
        )
    encode = codec(settings, LABELS).encode
    _send(
        cluster,
        [
            (
                label.conversation_id.encode(),
                encode(_record(label, answers.get((label.event_id, label.conversation_id)))),
            )
            for label in given
        ],
    )
    return Brought(len(given), len(events), len({event_id for event_id, _ in answers}))


def read_labels(settings: Settings) -> PeopleLabels:
    """The labels that the topic holds as of this call; none where an installation has not got the topic.

    Raises what `label_records` raises.
    """
    found = PeopleLabels()
    for label in label_records(settings):
        found.add(label)
    return found


def label_records(settings: Settings) -> Iterator[PersonLabel]:
    """The records of `labels` as of this call, in each partition in order; none where an installation has not got it.

    What cannot be decoded is left out. Raises BrokerUnreachableError, AccessError, ReadError.
    """
    cluster = Cluster(settings)
    if settings.topic(LABELS) not in cluster.metadata().topics:
        cluster.require_visible(settings.topic(LABELS))
        return
    decode = codec(settings, LABELS).decode
    for message in read_topic(cluster, LABELS):
        try:
            yield decode(message_value(message))
        except DecodeError:
            continue


def _answers(cluster: Cluster, given: Sequence[GivenLabel]) -> dict[tuple[str, str], RoutingEvent]:
    """The last answer of each labelled event, by its ids; the topic is read once.

    Only the records of labelled conversations are decoded: their key tells them.
    """
    wanted = {(label.event_id, label.conversation_id) for label in given}
    keys = {conversation_id.encode() for _, conversation_id in wanted}
    decode = codec(cluster.settings, ROUTING_EVENTS).decode
    found = dict[tuple[str, str], RoutingEvent]()
    for message in read_topic(cluster, ROUTING_EVENTS) if wanted else ():
        if message_key(message) not in keys:
            continue
        try:
            event = decode(message_value(message))
        except DecodeError:
            continue  # such are in dead-letters
        if event.stage == "completed" and event.scored and (event.event_id, event.conversation_id) in wanted:
            found[event.event_id, event.conversation_id] = event
    return found


def _record(label: GivenLabel, answer: RoutingEvent | None) -> PersonLabel:
    own = label._asdict()
    if answer is None:
        return PersonLabel(**own)
    return PersonLabel(
        **own,
        answer_label=published_label(answer),
        answer_confidence=published_confidence(answer),
        answered_at=answer.recorded_at,
        route=answer.route,
        role=answer.role,
        model=answer.model,
    )


def _send(cluster: Cluster, records: Sequence[tuple[bytes, bytes]]) -> None:
    """Sends them in their order, and waits until the broker has all. Raises LabelError."""
    name, producer = cluster.settings.topic(LABELS), cluster.producer()
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    try:
        for key, value in records:
            while True:
                try:
                    producer.produce(name, value, key, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
    except KafkaException as error:
        failures.append(error.args[0])
    left = producer.flush(FLUSH_TIMEOUT_S)
    if failures or left:
        why = (
            explain_refusal(cluster.settings, failures[0], f"WRITE on topic {name}")
            if failures
            else f"no answer within {FLUSH_TIMEOUT_S:g} s"
        )
        raise LabelError(
            f"the broker did not take {len(failures) + left:,} of {len(records):,} labels: {why}; bring the same file "
            "again, as what is there already counts once"
        )
