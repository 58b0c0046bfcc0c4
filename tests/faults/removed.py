"""Input that is gone from `transcripts` by the time that a line is judged: what the judge has to know of it."""

from dataclasses import dataclass, field

from schemas.topics import TRANSCRIPTS
from streams.config.settings import Settings


@dataclass
class Removed:
    """What retention or compaction has taken, by the ids of events.

    `unread`: taken before it was read, as the workers reported. It has no result, and nothing else may have none.
    `read`: taken afterwards. It has its result, which the verifier, finding no input for it, calls unknown.
    `begins`: the offsets that partitions begin at, which the verifier calls truncated.
    """

    unread: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    begins: dict[int, int] = field(default_factory=dict)

    def truncated(self, settings: Settings) -> list[str]:
        """What the verifier must call truncated, no more and no less."""
        topic = settings.topic(TRANSCRIPTS)
        return [f"{topic}[{number}] begins at offset {low}" for number, low in sorted(self.begins.items()) if low > 0]
