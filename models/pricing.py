"""What a query costs."""

from dataclasses import dataclass

from models.spending import Spending
from schemas.records import nanodollars


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for one query of each model, rounded to whole nano-dollars so that sums can be recounted exactly."""

    edge_usd: float
    cloud_usd: float

    def __post_init__(self) -> None:
        for name in ("edge_usd", "cloud_usd"):
            object.__setattr__(self, name, nanodollars(getattr(self, name)) / 1e9)


@dataclass(frozen=True, slots=True)
class EdgePrice:
    """What an edge query costs: a processor's seconds where a core's hour has a price, else `query_usd`, assumed."""

    query_usd: float
    core_hour_usd: float | None = None

    def spent(self, core_seconds: float, texts: int) -> Spending:
        """What each of `texts` texts has cost that took a core so long together, in whole nano-dollars."""
        if self.core_hour_usd is None:
            return Spending(nanodollars(self.query_usd) / 1e9)
        share = core_seconds / 3600 * self.core_hour_usd / max(1, texts)
        return Spending(nanodollars(share) / 1e9, basis="measured")
