"""What the tries of one call have cost, whether they were answered or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.records import nanodollars


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Dollars for what a service does. Without prices of tokens, a text costs `query_usd` whatever its length."""

    query_usd: float
    input_usd: float | None = None  # for a million tokens
    output_usd: float | None = None


class Usage(NamedTuple):
    """The tokens of one try by the service's own count, and its price where the service names it."""

    input_tokens: int
    output_tokens: int
    usd: float | None = None


class Bill:
    """Adds up one call of `texts` texts in whole nano-dollars: each try that was sent counts, paid twice or not."""

    def __init__(self, prices: TokenPrices, texts: int) -> None:
        self._prices = prices
        self._texts = texts
        self.nanodollars = 0
        self.tokens: int | None = None

    def charge(self, usage: Usage | None, texts: int | None = None) -> None:
        """Adds a try that was answered, of all texts or so many; without a usage each text counts as a query."""
        prices = self._prices
        if usage is not None:
            self.tokens = (self.tokens or 0) + usage.input_tokens + usage.output_tokens
        if usage is not None and usage.usd is not None:
            self.nanodollars += nanodollars(usage.usd)
        elif usage is not None and prices.input_usd is not None and prices.output_usd is not None:
            millions = (usage.input_tokens * prices.input_usd + usage.output_tokens * prices.output_usd) / 1e6
            self.nanodollars += nanodollars(millions)
        else:
            self.nanodollars += nanodollars(prices.query_usd) * (self._texts if texts is None else texts)

    def lost(self) -> None:
        """Adds a try that was sent and not answered. It may be billed, and nobody says for how much: a query a text."""
        self.charge(None)

    def shares(self) -> list[tuple[float, int | None]]:
        """Dollars and tokens of each text; together they are the whole bill."""
        tokens = [None] * self._texts if self.tokens is None else _split(self.tokens, self._texts)
        dollars = [nano / 1e9 for nano in _split(self.nanodollars, self._texts)]
        return list(zip(dollars, tokens, strict=True))


def count(usage: Any, *names: str) -> int:
    """The sum of `usage`'s whole numbers under `names`; what is none counts as 0."""
    values = [usage.get(name) for name in names] if isinstance(usage, Mapping) else []
    return sum(value for value in values if type(value) is int and 0 <= value < 10**9)


def _split(total: int, parts: int) -> list[int]:
    share, rest = divmod(total, parts)
    return [share + (index < rest) for index in range(parts)]
