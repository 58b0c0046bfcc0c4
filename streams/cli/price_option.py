"""The price of a model, as an option of a command names it."""

from schemas.errors import UsageError
from streams.config.backends import find_price
from streams.config.settings import Settings
from streams.monitoring.call_costs import Prices


def book_prices(settings: Settings, model: str, edge_usd: float | None) -> Prices:
    """What calls of `model` cost by the price book of the settings, else by the one that ships.

    Raises UsageError: neither has the model, or it is paid by the second; PriceError.
    """
    found = find_price(settings, model)
    if found is None:
        raise UsageError(f"--price-of {model}: no price book has it; put it into one of your own, EDGEWISE_PRICES")
    price, _ = found
    if price.second:
        raise UsageError(
            f"--price-of {model}: it is paid by the second, which recorded decisions do not tell: give --cloud-price"
        )
    return Prices(
        edge_usd,
        call_usd=float(price.call),
        input_usd=None if price.input is None else float(price.input),
        output_usd=float(price.output or 0),
        cached_usd=None if price.cached is None else float(price.cached),
    )
