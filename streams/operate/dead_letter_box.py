"""The letters in `dead-letters`: which there are, what was done with each, and the bytes of those that are wanted."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from schemas.dead_letter import Header, Letter, LetterId, Mark, State, read_letter
from schemas.topics import DEAD_LETTERS
from streams.kafka.client import Cluster
from streams.kafka.messages import message_headers, message_key, message_place, message_value
from streams.kafka.reader import read_topic
from streams.kafka.rights import require_rights


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant: those that fit everything that is given."""

    reasons: Collection[str] = ()
    topics: Collection[str] = ()  # without the prefix
    since_ms: int | None = None  # when it became a letter, UTC
    until_ms: int | None = None  # before it
    places: Collection[LetterId | tuple[str, int, int]] = ()  # ids, or topic, partition and offset of the record
    state: State | None = None

    def fits(self, letter: Letter) -> bool:
        """Whether `letter` is meant, whatever its state, which is known only once its marks are."""
        origin = (letter.topic, letter.partition, letter.offset)
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or letter.topic in self.topics)
            and (self.since_ms is None or letter.at_ms >= self.since_ms)
            and (self.until_ms is None or letter.at_ms < self.until_ms)
            and (not self.places or letter.id in self.places or origin in self.places)
        )


class Content(NamedTuple):
    """What a letter's record held: key and value are the original's, the headers the letter's."""

    id: LetterId
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


def survey(cluster: Cluster, selection: Selection = Selection()) -> list[Letter]:
    """The letters that `selection` means, with their marks, by place. Raises AccessError, and what `read_topic` raises.

    The whole topic is read, for a mark may stand anywhere behind its letter. Records that are neither, such as those
    that other programs put there, are left out.
    """
    settings = cluster.settings
    require_rights(cluster, "dead-letters", {settings.topic(DEAD_LETTERS): ["READ"]})
    found: list[Letter] = []
    marks: defaultdict[LetterId, list[Mark]] = defaultdict(list)
    for message in read_topic(cluster, DEAD_LETTERS):
        value = message.value()
        size = None if value is None else len(value)
        record = read_letter(
            message_place(message), message.timestamp()[1], size, message_headers(message), settings.topic_prefix
        )
        if isinstance(record, Mark):
            marks[record.letter].append(record)
        elif record is not None and selection.fits(record):
            found.append(record)
    marked = sorted((letter.marked(marks.get(letter.id, ())) for letter in found), key=lambda letter: letter.id)
    return [letter for letter in marked if selection.state in {None, letter.state}]


def contents(cluster: Cluster, ids: Collection[LetterId]) -> Iterator[Content]:
    """What the letters `ids` hold, in each partition in order; one that retention has removed is left out."""
    wanted = set(ids)
    starts: dict[int, int] = {}
    for id_ in wanted:
        starts[id_.partition] = min(id_.offset, starts.get(id_.partition, id_.offset))
    for message in read_topic(cluster, DEAD_LETTERS, offsets=starts) if wanted else ():
        place = message_place(message)
        if place in wanted:
            wanted.remove(place)
            yield Content(place, message_key(message), message_value(message), message_headers(message))
            if not wanted:
                return
