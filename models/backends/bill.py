"""What the tries of one call have cost, whether they were answered or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from models.allowance import Allowance, Unlimited
from models.price_book import Price
from models.spending import Spending, Tokens
from schemas.records import CostBasis, nanodollars


class Usage(NamedTuple):
    """The tokens of one try by the service's own count, and its price where the service names it."""

    tokens: Tokens
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a backend's calls cost: by the price book, and `query_usd` a text where it has no price for the model."""

    query_usd: float
    price: Price | None = None

    def most_nanodollars(self, texts: int, sent_bytes: int, tokens_out: int, seconds: float) -> int:
        """The most that a try can cost which sends so much for `texts` texts and may take so long.

        A token is a byte at least, so what is sent has no more tokens than bytes.
        """
        if self.price is None:
            return nanodollars(self.query_usd) * texts
        return self.price.most_nanodollars(sent_bytes, tokens_out, seconds)


class Bill:
    """Adds up one call of `texts` texts in whole nano-dollars: each try that was sent counts, paid twice or not.

    A try is reserved from the `allowance` before it is made, at the most that it can cost, and settled by what it did.
    """

    def __init__(self, tariff: Tariff, texts: int, allowance: Allowance | None = None) -> None:
        self._tariff = tariff
        self._texts = texts
        self._allowance = allowance or Unlimited()
        self._reserved = 0
        self._seconds = 0.0  # that the last try took
        self._nanodollars = 0
        self._is_measured = True  # all that it has cost so far
        self._tokens: Tokens | None = None
        self._calls = 0

    def reserve(self, sent_bytes: int, tokens_out: int, seconds: float) -> bool:
        """Sets aside the most that the next try can cost; False: the allowance has not so much left."""
        self.close()
        most = self._tariff.most_nanodollars(self._texts, sent_bytes, tokens_out, seconds)
        if not self._allowance.reserve(most):
            return False
        self._reserved = most
        return True

    def reached(self, seconds: float) -> None:
        """A try was answered, by a refusal perhaps, after so long."""
        self._calls += 1
        self._seconds = seconds

    def charge(self, usage: Usage | None, texts: int | None = None) -> None:
        """Adds a try that was answered, of all texts or so many.

        Without a usage each text counts as a query, or, where tokens are paid, the try as the most that it can cost.
        """
        if usage is not None:
            before = self._tokens or Tokens()
            self._tokens = Tokens(*map(sum, zip(before, usage.tokens, strict=True)))
        price = self._tariff.price
        if usage is not None and usage.usd is not None:
            self._add(nanodollars(usage.usd), is_measured=True)
        elif price is None:
            count = self._texts if texts is None else texts
            self._add(nanodollars(self._tariff.query_usd) * count, is_measured=False)
        elif usage is None and price.is_by_token:
            self._add(self._reserved, is_measured=False)
        else:
            tokens = Tokens() if usage is None else usage.tokens
            self._add(price.nanodollars(*tokens, self._seconds), is_measured=True)

    def lost(self) -> None:
        """Adds a try that was sent and not answered, or by a gateway alone.

        It may be billed, and nobody says for how much: for the most.
        """
        self._calls += 1
        self._add(self._reserved, is_measured=False)

    def close(self) -> None:
        """Frees what is still reserved: a try that was refused costs nothing."""
        self._allowance.settle(self._reserved, 0)
        self._reserved = 0

    def shares(self) -> list[Spending]:
        """What each text has cost; together they are the whole bill. Each text was in each try."""
        parts = self._texts
        tokens: Sequence[Tokens | None] = [None] * parts
        if self._tokens is not None:
            tokens = [Tokens(*each) for each in zip(*(_split(count, parts) for count in self._tokens), strict=True)]
        basis: CostBasis = "measured" if self._nanodollars and self._is_measured else "assumed"
        return [
            Spending(nano / 1e9, counted, self._calls, basis)
            for nano, counted in zip(_split(self._nanodollars, parts), tokens, strict=True)
        ]

    def _add(self, amount: int, *, is_measured: bool) -> None:
        self._nanodollars += amount
        self._is_measured = self._is_measured and is_measured
        self._allowance.settle(self._reserved, amount)
        self._reserved = 0


def count(usage: Any, *names: str) -> int:
    """The sum of `usage`'s whole numbers under `names`; what is none counts as 0."""
    values = [usage.get(name) for name in names] if isinstance(usage, Mapping) else []
    return sum(value for value in values if _is_count(value))


def is_counted(usage: Mapping[str, Any], *names: str) -> bool:
    """Whether `usage` has a number of tokens under each of `names`; one that has none says nothing of the cost."""
    return all(_is_count(usage.get(name)) for name in names)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 10**9


def _split(total: int, parts: int) -> list[int]:
    share, rest = divmod(total, parts)
    return [share + (index < rest) for index in range(parts)]
