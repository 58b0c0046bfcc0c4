"""Prices: rounding, and the arithmetic that docs/routing.md shows."""

from pathlib import Path

import pytest

from models.pricing import EdgePrice, Prices
from models.spending import Spending
from schemas.records import nanodollars

ARTICLE = Prices(0.001, 0.0136)


def test_prices_are_whole_nano_dollars() -> None:
    prices = Prices(0.0000000014, 0.1 + 0.2)
    assert (prices.edge_usd, prices.cloud_usd) == (1e-9, 0.3)
    assert sum(nanodollars(prices.cloud_usd) for _ in range(1000)) == 300_000_000_000


def test_the_savings_that_the_docs_state() -> None:
    share = 0.949
    counted = 1 - (ARTICLE.edge_usd + (1 - share) * ARTICLE.cloud_usd) / ARTICLE.cloud_usd  # the edge scores all
    uncounted = 1 - (share * ARTICLE.edge_usd + (1 - share) * ARTICLE.cloud_usd) / ARTICLE.cloud_usd
    assert counted == pytest.approx(0.875470588)
    assert uncounted == pytest.approx(0.879220588)
    docs = Path("docs/routing.md").read_text(encoding="utf-8")
    for figure in (f"{counted:.1%}", f"{uncounted:.1%}", f"{1 - ARTICLE.edge_usd / ARTICLE.cloud_usd:.1%}"):
        assert figure.replace("%", " %") in docs


def test_an_edge_query_costs_what_is_assumed_or_its_share_of_a_core() -> None:
    assert EdgePrice(0.001).spent(1.0, 4) == Spending(0.001, basis="assumed")
    # A core for 0.036 dollars an hour is 10 micro-dollars a second.
    assert EdgePrice(0.001, 0.036).spent(0.5, 4) == Spending(1.25e-6, basis="measured")
    assert EdgePrice(0.001, 0.036).spent(0.0, 0).cost_usd == 0
