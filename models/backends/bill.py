"""What the tries of one call have cost, whether they were answered or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from models.spending import Spending, Tokens
from schemas.records import CostBasis, nanodollars


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Dollars for what a service does. Without prices of tokens, a text costs `query_usd` whatever its length."""

    query_usd: float
    input_usd: float | None = None  # for a million tokens
    output_usd: float | None = None


class Usage(NamedTuple):
    """The tokens of one try by the service's own count, and its price where the service names it."""

    tokens: Tokens
    usd: float | None = None


class Bill:
    """Adds up one call of `texts` texts in whole nano-dollars: each try that was sent counts, paid twice or not."""

    def __init__(self, prices: TokenPrices, texts: int) -> None:
        self._prices = prices
        self._texts = texts
        self.nanodollars = 0
        self.tokens: Tokens | None = None
        self.tries = 0
        self._is_measured = True

    def charge(self, usage: Usage | None, texts: int | None = None) -> None:
        """Adds a try that was answered, of all texts or so many; without a usage each text counts as a query."""
        prices = self._prices
        if usage is not None:
            before = self.tokens or Tokens()
            self.tokens = Tokens(*map(sum, zip(before, usage.tokens, strict=True)))
        if usage is not None and usage.usd is not None:
            self.nanodollars += nanodollars(usage.usd)
        elif usage is not None and prices.input_usd is not None and prices.output_usd is not None:
            millions = (usage.tokens.read * prices.input_usd + usage.tokens.written * prices.output_usd) / 1e6
            self.nanodollars += nanodollars(millions)
        else:
            self._is_measured = False
            self.nanodollars += nanodollars(prices.query_usd) * (self._texts if texts is None else texts)

    def reached(self) -> None:
        """Counts a try that reached the service, whatever became of it."""
        self.tries += 1

    def lost(self) -> None:
        """Adds a try that was sent and not answered. It may be billed, and nobody says for how much: a query a text."""
        self.charge(None)

    def shares(self) -> list[Spending]:
        """What each text has cost; together they are the whole bill. Each text was in each try."""
        parts = self._texts
        tokens: Sequence[Tokens | None] = [None] * parts
        if self.tokens is not None:
            tokens = [Tokens(*each) for each in zip(*(_split(count, parts) for count in self.tokens), strict=True)]
        basis: CostBasis = "measured" if self.nanodollars and self._is_measured else "assumed"
        return [
            Spending(nano / 1e9, counted, self.tries, basis)
            for nano, counted in zip(_split(self.nanodollars, parts), tokens, strict=True)
        ]


def count(usage: Any, *names: str) -> int:
    """The sum of `usage`'s whole numbers under `names`; what is none counts as 0."""
    values = [usage.get(name) for name in names] if isinstance(usage, Mapping) else []
    return sum(value for value in values if type(value) is int and 0 <= value < 10**9)


def _split(total: int, parts: int) -> list[int]:
    share, rest = divmod(total, parts)
    return [share + (index < rest) for index in range(parts)]
