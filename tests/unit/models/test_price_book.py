"""The price book: exact sums of tokens, calls and seconds; which price a model has; what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.price_book import SHIPPED, Price, PriceError, load_prices

MINI = Price(model="m", input=Decimal("0.15"), output=Decimal("0.60"), cached=Decimal("0.0375"))


def test_tokens_are_whole_pico_dollars() -> None:
    # 60 new tokens of 150 nano-dollars, 40 of 37.5 from the cache, 3 of 600 that were written.
    assert MINI.nanodollars(100, 3, 40, 1.0) == 60 * 150 + 1500 + 3 * 600


def test_half_a_nano_dollar_is_rounded_up() -> None:
    assert MINI.nanodollars(1, 0, 1, 0.0) == 38


def test_calls_and_seconds_have_prices_too() -> None:
    price = Price(model="m", call=Decimal("0.001"), second=Decimal("0.000225"))
    assert price.nanodollars(0, 0, 0, 2.0) == 1_000_000 + 450_000
    assert not price.is_by_token


def test_without_a_price_of_their_own_tokens_of_the_cache_cost_what_others_do() -> None:
    price = Price(model="m", input=Decimal(2), output=Decimal(10))
    assert price.nanodollars(100, 0, 100, 0.0) == 200_000


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)))
def test_nothing_costs_more_than_the_most(tokens_in: int, tokens_out: int, parts: tuple[float, ...]) -> None:
    dear = Price(model="m", input=Decimal(1), output=Decimal(2), cached=Decimal(3), call=Decimal(1), second=Decimal(1))
    for price in (MINI, dear):
        most = price.most_nanodollars(tokens_in, tokens_out, 10.0)
        used = [round(part * tokens) for part, tokens in zip(parts, (tokens_in, tokens_out), strict=False)]
        assert price.nanodollars(used[0], used[1], round(parts[2] * used[0]), 10.0 * parts[0]) <= most


def test_the_shipped_book_is_dated_and_says_where_each_price_is_from() -> None:
    book = load_prices(SHIPPED)
    assert book.dated.year >= 2026
    assert all(price.source.startswith("https://") for price in book.price)
    assert len({price.model for price in book.price}) == len(book.price)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_bytes(b"\xef\xbb\xbf" + SHIPPED.read_bytes())
    assert load_prices(own) == load_prices(SHIPPED)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-4o", "gpt-4o"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("gpt-4o-mini-audio-preview", None),
        ("gpt-4", None),
    ],
)
def test_a_model_is_found_by_its_name_with_or_without_a_date(asked: str, found: str | None) -> None:
    price = load_prices(SHIPPED).find(asked)
    assert (None if price is None else price.model) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("price = 3", "no TOML|dated|price"),
        ("dated = 2026-01-01\n[[price]]\nmodel = 'm'\ninput = 1", "price.m: .*input and output belong together"),
        ("dated = 2026-01-01\n[[price]]\nmodel = 'm'", "price.m: .*of tokens, of a call or of a second is missing"),
        ("dated = 2026-01-01\n[[price]]\nmodel = 'm'\ncall = -1", "price.m.call: .*greater than or equal to 0"),
        ("dated = 2026-01-01\n[[price]]\nmodel = 'm'\ncall = 0.0000001", "price.m.call: .*6 decimal"),
        ("dated = 2026-01-01\n[[price]]\nmodel = 'm'\ncall = 1\nhour = 3", "price.m.hour: "),
        ("[[price", "are no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(PriceError, match=words) as failed:
        load_prices(file)
    assert str(file) in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match="can't be read: No such file"):
        load_prices(tmp_path / "none.toml")
