"""The seam for a model that finds what rules cannot: names and addresses that no word announces."""

from collections.abc import Sequence
from typing import Protocol

from models.redaction.kinds import Span


class Tagger(Protocol):
    """Finds spans in texts. `merge.merge` says what becomes of those that overlap the rules' own."""

    def tag(self, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """The spans of each text, in the order of `texts`, as characters of the text as given."""
        ...
