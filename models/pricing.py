"""What a query costs."""

from dataclasses import dataclass

from schemas.records import Route, nanodollars


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for one query of each model, rounded to whole nano-dollars so that sums can be recounted exactly."""

    edge_usd: float
    cloud_usd: float

    def __post_init__(self) -> None:
        for name in ("edge_usd", "cloud_usd"):
            object.__setattr__(self, name, nanodollars(getattr(self, name)) / 1e9)

    def cost_usd(self, route: Route) -> float:
        """What an event costs in all when `route` answers it: the edge scores every event, the cloud what it defers."""
        if route == "edge":
            return self.edge_usd
        return (nanodollars(self.edge_usd) + nanodollars(self.cloud_usd)) / 1e9
