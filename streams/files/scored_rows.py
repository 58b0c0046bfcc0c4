"""Scored rows, in sum."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.records import LABELS, Label, Role, nanodollars
from schemas.vendor_sentiment import VENDOR_SENTIMENT, VENDOR_SENTIMENT_SCORE, vendor_label


class ScoredRow(dict[str, Any]):
    """The fields of a row, and what became of it; `role` is whose it is."""

    def __init__(self, role: Role, fields: Mapping[str, object]) -> None:
        super().__init__(fields)
        self.role = role


@dataclass
class Summary:
    """What became of scored rows."""

    rows: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # by reason
    cost_nanos: int = 0
    cloud_only_cost_nanos: int = 0
    vendor_compared: int = 0  # scored rows that bring a vendor's label of their own
    vendor_agreed: int = 0
    by_role: "dict[Role, Summary]" = field(default_factory=dict)  # the same of each role; theirs have none

    def counting(self, rows: Iterable[ScoredRow]) -> Iterator[ScoredRow]:
        """`rows`, counted as they pass."""
        for row in rows:
            self.add(row)
            self.by_role.setdefault(row.role, Summary()).add(row)
            yield row

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row."""
        self.rows += 1
        if row["sentiment"] is None:
            self.refused[row["reason"]] += 1
        else:
            self.routes[row["route"]] += 1
            self.labels[row["sentiment"]] += 1
            self.cloud_only_cost_nanos += nanodollars(row["cloud_only_cost_usd"])
            theirs = _vendors(row)
            self.vendor_compared += theirs is not None
            self.vendor_agreed += theirs == row["sentiment"]
        if row["cost_usd"] is not None:  # what was paid for and gave no answer, too
            self.cost_nanos += nanodollars(row["cost_usd"])

    def table(self) -> list[tuple[str, ...]]:
        """A header, a line a role, and a line for all of them; `-` where there is nothing to tell the share of."""
        header = ("role", "rows", "scored", *LABELS, "cloud", "cost_usd", "vendor's", "same as vendor's")
        return [header, *(each.cells(role) for role, each in sorted(self.by_role.items())), self.cells("all")]

    def cells(self, name: str) -> tuple[str, ...]:
        """A line of `table`, called `name`."""
        scored = self.routes.total()
        return (
            name,
            f"{self.rows:,}",
            f"{scored:,}",
            *(_share(self.labels[label], scored) for label in LABELS),
            _share(self.routes["cloud"], scored),
            f"{self.cost_nanos / 1e9:.4f}",
            f"{self.vendor_compared:,}",
            _share(self.vendor_agreed, self.vendor_compared),
        )

    def lines(self) -> list[str]:
        """The summary in words."""
        scored = self.routes.total()
        lines = [f"{scored:,} of {self.rows:,} rows scored"]
        if self.refused:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.most_common())
            lines.append(f"  not scored: {reasons}")
        if scored:
            for counts, names in ((self.labels, LABELS), (self.routes, ("edge", "cloud"))):
                lines.append(
                    "  " + ", ".join(f"{name} {counts[name]:,} ({counts[name] / scored:.1%})" for name in names)
                )
            cost, cloud_only = self.cost_nanos / 1e9, self.cloud_only_cost_nanos / 1e9
            saved = f": {1 - cost / cloud_only:.1%} saved" if cloud_only else ""
            lines.append(f"  cost ${cost:.4f}; with the cloud alone ${cloud_only:.4f}{saved}")
        if self.vendor_compared:
            share = self.vendor_agreed / self.vendor_compared
            lines.append(f"  the vendor's sentiment is ours in {share:.1%} of {self.vendor_compared:,} rows")
        return lines


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else "-"


def _vendors(row: Mapping[str, Any]) -> Label | None:
    """The vendor's own label of a row: in its attributes, as vendors' files have it, or in columns of its own."""
    nested = row.get("attributes")
    found = nested if isinstance(nested, Mapping) else row
    given = {name: found.get(name) for name in (VENDOR_SENTIMENT, VENDOR_SENTIMENT_SCORE)}
    return vendor_label({name: str(value) for name, value in given.items() if value not in (None, "")})
