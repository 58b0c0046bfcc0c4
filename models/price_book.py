"""The price book: what a model's calls cost, by token, by call and by second; `prices.toml`, and one's own over it."""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.model_name import is_same_model
from schemas.errors import UsageError

SHIPPED: Final = Path(__file__).parent / "prices.toml"

# Six decimals of a dollar for a million tokens are a pico-dollar a token: sums stay whole numbers.
_Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]

_PICO = 10**6  # dollars for a million tokens to pico-dollars for one
_NANO = 10**9


class PriceError(UsageError):
    """A price book that cannot be read."""


class Price(BaseModel):
    """What the calls of one model cost, in dollars; what is not given costs nothing.

    `cached` is for tokens of the input that the service had in its cache; not given, they cost what others do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1)
    input: _Dollars | None = None  # for a million tokens
    output: _Dollars | None = None  # for a million tokens
    cached: _Dollars | None = None  # for a million tokens
    call: _Dollars = Decimal(0)
    second: _Dollars = Decimal(0)
    source: str = ""

    @model_validator(mode="after")
    def _tokens_together(self) -> Self:
        if (self.input is None) != (self.output is None):
            raise ValueError("input and output belong together")
        if self.cached is not None and self.input is None:
            raise ValueError("cached needs input and output")
        if self.input is None and not (self.call or self.second):
            raise ValueError("a price of tokens, of a call or of a second is missing")
        return self

    @property
    def is_by_token(self) -> bool:
        """Whether what a call costs depends on its tokens."""
        return self.input is not None

    def nanodollars(self, tokens_in: int, tokens_out: int, tokens_cached: int, seconds: float) -> int:
        """What a call has cost; `tokens_cached` are among `tokens_in`."""
        fresh = max(0, tokens_in - tokens_cached)
        new, old = self.input or Decimal(0), self.input if self.cached is None else self.cached
        tokens = fresh * _pico(new) + tokens_cached * _pico(old or Decimal(0)) + tokens_out * _pico(self.output)
        return (tokens + 500) // 1000 + int(self.call * _NANO) + round(float(self.second) * seconds * _NANO)

    def most_nanodollars(self, tokens_in: int, tokens_out: int, seconds: float) -> int:
        """The most that a call of so many tokens at most, and seconds at most, can cost."""
        return max(self.nanodollars(tokens_in, tokens_out, cached, seconds) for cached in (0, tokens_in))


class PriceBook(BaseModel):
    """Prices by model, and the day that they were written down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dated: date
    price: tuple[Price, ...]

    def find(self, model: str) -> Price | None:
        """The price of `model`: under this very name, else of the same model without its date or version."""
        names = {price.model: price for price in self.price}
        return names.get(model) or next((price for price in self.price if is_same_model(price.model, model)), None)


def load_prices(path: Path) -> PriceBook:
    """The price book in the TOML file at `path`. Raises PriceError."""
    found: dict[str, object] = {}
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"), parse_float=Decimal)
        return PriceBook.model_validate(found)
    except OSError as error:
        raise PriceError(f"the prices {path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PriceError(f"the prices {path} are no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise PriceError(f"the prices {path} can't be used, {_place(found, first['loc'])}: {first['msg']}") from None


def _place(found: Mapping[str, object], location: tuple[int | str, ...]) -> str:
    """Where in the file a mistake is: the model's name in place of its number."""
    prices = found.get("price")
    names = [str(each) for each in location]
    if len(location) > 1 and isinstance(prices, list) and isinstance(location[1], int):
        entry = prices[location[1]]
        names[1] = str(entry.get("model", location[1])) if isinstance(entry, dict) else names[1]
    return ".".join(names) or "as a whole"


def _pico(price: Decimal | None) -> int:
    return 0 if price is None else int(price * _PICO)
