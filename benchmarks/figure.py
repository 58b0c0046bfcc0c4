"""A figure: the same thing measured several times, and how it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import Any

from schemas.errors import EdgewiseError


class VoidError(EdgewiseError):
    """What was measured does not count: something was lost or came twice, or a process died."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`samples` of one quantity, in `unit`, in the order they were taken; `where` names the broker or the process.

    None: what was measured can't do that, so that there is nothing to take.
    """

    what: str
    where: str
    unit: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The middle of the samples; None without any."""
        return median(self.samples) if self.samples else None

    @property
    def shown(self) -> str:
        """The median with its unit: `1,234 events/s`."""
        return "not carried" if self.median is None else f"{_number(self.median)} {self.unit}".strip()

    @property
    def spread(self) -> str:
        """The least and the greatest sample."""
        if not self.samples:
            return ""
        if len(self.samples) == 1:
            return "measured once"
        return f"{_number(min(self.samples))} to {_number(max(self.samples))}"

    def to_json(self) -> dict[str, Any]:
        """As it stands in the results file."""
        return asdict(self) | {"median": self.median}


def figure(what: str, where: str, unit: str, samples: Sequence[float]) -> Figure:
    """A figure of `samples`, rounded to five digits: no benchmark here is more exact than that."""
    return Figure(what, where, unit, tuple(float(f"{sample:.5g}") for sample in samples))


def from_json(value: Mapping[str, Any]) -> Figure:
    """The figure that `to_json` wrote."""
    return Figure(value["what"], value["where"], value["unit"], tuple(value["samples"]))


def rate(times_ms: Sequence[int], begin_ms: int = 0, end_ms: int = 0) -> float:
    """Records a second in the steady state, from the time of each record.

    It begins with the first tenth done, or at `begin_ms` if that is later, so that starting up is left out. It ends
    with the last record, or at `end_ms` if that is later: work left over at the end is not left out.

    Raises VoidError: everything was done by the time it began.
    """
    ordered = sorted(times_ms)
    begin = max(ordered[len(ordered) // 10], begin_ms)
    end = max(ordered[-1], end_ms)
    counted = sum(time > begin for time in ordered)
    if not counted or end <= begin:
        raise VoidError(f"{len(ordered):,} records were done before a steady state began: take more of them")
    return counted * 1000 / (end - begin)


def quantile(values: Sequence[float], q: float) -> float:
    """The least of `values` that a share `q` of them does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(q * len(ordered)) - 1)]


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
