"""Which turns are scored, and which model reads their language: the one rule of the worker and of scoring a file."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from models.doubt import doubted
from models.languages import has_language, primary, reads
from models.router import Decision
from schemas.records import Reason, Role

Unread = Literal["publish", "skip"]


class Admitted(NamedTuple):
    """What is known of a turn before it is scored."""

    language: str | None  # BCP 47, from the event or detected
    skipped: Reason | None = None  # why it is not scored; None: it is
    edge_reads: bool = True
    cloud_reads: bool = True

    def believed(self, probabilities: Sequence[float]) -> Sequence[float]:
        """What the edge says of the turn, which is not sure where it does not read it."""
        return probabilities if self.edge_reads else doubted(probabilities)

    def decided(self, decision: Decision) -> Decision:
        """The router's decision, which is about texts that the edge reads; another one goes to who reads it."""
        if self.edge_reads:
            return decision
        return Decision("cloud" if self.cloud_reads else "edge", "unsupported_language", decision.complexity)

    def is_degraded(self, decision: Decision) -> bool:
        """Whether what the edge says of the text means little, and is published all the same."""
        return decision.route == "edge" and not self.edge_reads


@dataclass(frozen=True, slots=True)
class Admission:
    """The rule: whose turns are scored, what the models read, and what becomes of what none of them reads.

    Languages are first subtags of BCP 47; `*` reads all. `detect` gives a text's, or None where the text says too
    little.
    """

    roles: Collection[Role]
    edge_languages: Collection[str]
    cloud_languages: Collection[str]
    unread: Unread
    detect: Callable[[str], str | None]

    def admit(self, role: Role, language: str | None, text: str) -> Admitted:
        """What becomes of a turn of `role`, whose event names `language` or none.

        A text without words (an emoji, a number, two letters) has no language: everybody reads it.
        """
        if role not in self.roles:
            return Admitted(language, skipped="not_scored")
        named = primary(language)
        if named is None:
            named = language = self.detect(text)
        elif not has_language(text):
            return Admitted(language)
        if named is None or reads(self.edge_languages, named):
            return Admitted(language)
        cloud_reads = reads(self.cloud_languages, named)
        skipped: Reason | None = "unsupported_language" if self.unread == "skip" and not cloud_reads else None
        return Admitted(language, skipped, edge_reads=False, cloud_reads=cloud_reads)
