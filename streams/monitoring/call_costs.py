"""What the cloud's answer on each event would cost: as recorded where it was asked, estimated where it was not."""

from typing import NamedTuple

import numpy as np

from schemas.errors import UsageError
from streams.monitoring.decisions import FIXED, UNANSWERED, Decisions, Floats

_MILLION = 1e6


class Prices(NamedTuple):
    """Prices to try, in dollars; None: as recorded. A call may cost something beside its tokens."""

    edge_usd: float | None = None  # of an event
    call_usd: float | None = None  # of an answer of the cloud
    input_usd: float | None = None  # of a million tokens in
    output_usd: float | None = None  # of a million tokens out
    cached_usd: float | None = None  # of a million tokens in that come from a cache; None: as others


def edge_cost(decisions: Decisions, price_usd: float | None, assumed_usd: float) -> float:
    """The edge's cost of an event, in dollars: `price_usd`, else the mean of what is recorded, else `assumed_usd`."""
    if price_usd is not None:
        return price_usd
    answered = ~decisions.to_cloud & (decisions.group != UNANSWERED) & (decisions.group != FIXED)
    costs = decisions.cost_nanos[answered]
    return float(costs.mean()) / 1e9 if len(costs) else assumed_usd


def call_costs(decisions: Decisions, prices: Prices, assumed_usd: float) -> Floats:
    """The cloud's cost of each event, in dollars.

    What was not asked costs what texts of its length cost that were (least squares); their mean, where no length is
    recorded; `assumed_usd`, where nothing was asked.

    Raises UsageError: tokens have prices, and no call has tokens recorded.
    """
    count = len(decisions)
    if prices.call_usd is not None and prices.input_usd is None:
        return np.full(count, prices.call_usd)
    asked = decisions.to_cloud
    if prices.input_usd is not None:
        asked = asked & (decisions.tokens[:, 0] > 0)
        if not asked.any():
            raise UsageError(
                "no recorded answer says how many tokens it took: give the price of a call with --cloud-price"
            )
        recorded = _token_costs(decisions, prices)
    else:
        recorded = decisions.cost_nanos / 1e9
    if not asked.any():
        return np.full(count, assumed_usd)
    return np.where(asked, recorded, _by_length(decisions, recorded, asked))


def _token_costs(decisions: Decisions, prices: Prices) -> Floats:
    tokens_in, tokens_out, cached = decisions.tokens.T
    input_usd, output_usd = prices.input_usd or 0.0, prices.output_usd or 0.0
    cached_usd = input_usd if prices.cached_usd is None else prices.cached_usd
    tokens_usd = ((tokens_in - cached) * input_usd + cached * cached_usd + tokens_out * output_usd) / _MILLION
    return np.asarray(tokens_usd + (prices.call_usd or 0.0))


def _by_length(decisions: Decisions, costs: Floats, asked: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Floats:
    chars = decisions.text_chars.astype(np.float64)
    known = asked & (chars > 0)
    mean = float(costs[asked].mean())
    if known.sum() < 2 or np.ptp(chars[known]) == 0:
        return np.full(len(chars), mean)
    slope, base = np.polyfit(chars[known], costs[known], 1)
    return np.where(chars > 0, np.maximum(base + slope * chars, 0.0), mean)
