"""What a question to the cloud has used and cost, over all of its tries."""

from typing import NamedTuple

from schemas.records import CostBasis, nanodollars


class Tokens(NamedTuple):
    """Tokens by a backend's own count."""

    read: int = 0  # those from its cache among them
    written: int = 0
    cached: int = 0  # of `read`


class Spending(NamedTuple):
    """What a question has cost so far; `basis` is `measured` where every try's price comes from what was counted."""

    cost_usd: float = 0.0  # a whole number of nano-dollars
    tokens: Tokens | None = None  # None where the backend does not count
    calls: int = 0  # tries that reached the backend, answered or not
    basis: CostBasis = "assumed"

    def plus(self, other: "Spending") -> "Spending":
        """Both together."""
        counts = [tokens for tokens in (self.tokens, other.tokens) if tokens is not None]
        # What cost nothing does not make the sum a guess.
        bases = {part.basis for part in (self, other) if part.cost_usd}
        return Spending(
            (nanodollars(self.cost_usd) + nanodollars(other.cost_usd)) / 1e9,
            Tokens(*map(sum, zip(*counts, strict=True))) if counts else None,
            self.calls + other.calls,
            "measured" if bases == {"measured"} else "assumed",
        )
