"""What a query costs."""

from dataclasses import dataclass

from schemas.records import nanodollars


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for one query of each model, rounded to whole nano-dollars so that sums can be recounted exactly."""

    edge_usd: float
    cloud_usd: float

    def __post_init__(self) -> None:
        for name in ("edge_usd", "cloud_usd"):
            object.__setattr__(self, name, nanodollars(getattr(self, name)) / 1e9)
