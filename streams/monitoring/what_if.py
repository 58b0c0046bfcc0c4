"""What another policy, price or budget would have made of recorded decisions: shares, dollars, agreement."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.router import Policy
from streams.monitoring.agreement import Kept, kept_of
from streams.monitoring.decisions import Decisions, Floats

DAY_MS: Final = 86_400_000
DAYS_A_MONTH: Final = 365.25 / 12

Flags = NDArray[np.bool_]
Times = NDArray[np.datetime64]


class Budget(NamedTuple):
    """Most dollars for the cloud in each hour, day and month, UTC; None: no limit."""

    hour_usd: float | None = None
    day_usd: float | None = None
    month_usd: float | None = None


class Outcome(NamedTuple):
    """What a policy would have made of the events. Shares are of all that were scored."""

    policy: Policy
    edge_share: float  # answered by the edge, be the budget spent or not
    exhausted_share: float  # of these: deferred, and the budget was spent
    usd_a_day: float
    saved: float  # of what a cloud without an edge would have cost
    kept: Kept
    agreement: float | None  # of kept answers with the cloud
    interval: tuple[float, float]
    expected_right: float | None  # of kept answers, by the edge's calibrated confidence alone
    line_agreement: float | None  # of all that is published, the cloud's own answers among it

    @property
    def usd_a_month(self) -> float:
        """Dollars in a month of 365.25 / 12 days."""
        return self.usd_a_day * DAYS_A_MONTH


@dataclass(frozen=True)
class WhatIf:
    """Recorded decisions with the prices to try: `outcome` tells what a policy makes of them.

    What the edge kept was not seen by the cloud but for the random sample, so agreement is an estimate from the sample
    and from what was deferred, with exact limits. A share of the kept events, the policy's random rate, goes to the
    cloud: it is counted in parts of events, not drawn.
    """

    decisions: Decisions
    edge_usd: float  # of an event
    call_usd: Floats  # of the cloud's answer on each event
    events_a_day: float
    budget: Budget = field(default_factory=Budget)
    confidence: float = 0.95

    def outcome(self, policy: Policy) -> Outcome:
        """What `policy` would have made of the events."""
        events = self.decisions
        routed = events.routed
        stays = (events.confidence >= policy.confidence_threshold) & (events.complexity <= policy.complexity_threshold)
        keeps = stays & routed
        asked = np.where(keeps, policy.random_cloud_rate, np.where(routed, 1.0, events.to_cloud))
        served = self._served(asked)
        answered = asked * served
        count = len(events)
        kept, unserved = kept_of(events, keeps), kept_of(events, routed & ~keeps & ~served)
        spent = self.edge_usd + float((answered * self.call_usd).sum()) / count
        cloud_only = float(self.call_usd.mean())
        return Outcome(
            policy=policy,
            edge_share=1 - float(answered.sum()) / count,
            exhausted_share=float((asked * ~served).sum()) / count,
            usd_a_day=spent * self.events_a_day,
            saved=1 - spent / cloud_only if cloud_only else 0.0,
            kept=kept,
            agreement=kept.agreement(),
            interval=kept.interval(self.confidence),
            expected_right=float(events.confidence[keeps].mean()) if kept.events else None,
            line_agreement=_line(kept, float((keeps * (1 - answered)).sum()), unserved, int(routed.sum())),
        )

    def _served(self, asked: Floats) -> Flags:
        """Which events the budget pays for, asked in the order in which they were recorded."""
        served = np.ones(len(asked), np.bool_)
        times = self.decisions.recorded_ms.astype("datetime64[ms]")
        limits = (self.budget.hour_usd, "h"), (self.budget.day_usd, "D"), (self.budget.month_usd, "M")
        for limit, unit in limits:
            if limit is not None:
                served &= _within(limit, self.scale * asked * served * self.call_usd, times, unit)
        return served

    @property
    def scale(self) -> float:
        """How many times as many events a day has as were recorded in one."""
        return self.events_a_day / recorded_a_day(self.decisions) if self.decisions.span_ms else 1.0


def recorded_a_day(decisions: Decisions) -> float:
    """Events a day at the rate of the recording, whose decisions must have times."""
    return len(decisions) * DAY_MS / decisions.span_ms


def _within(limit: float, costs: Floats, times: Times, unit: str) -> Flags:
    """Which events are paid for when each hour, day or month (`unit` h, D or M) has `limit` dollars.

    Of a period that was recorded in part, that part of its limit is there.
    """
    order = np.argsort(times, kind="stable")
    periods, starts, counts = np.unique(
        times[order].astype(f"datetime64[{unit}]"), return_index=True, return_counts=True
    )
    running = np.cumsum(costs[order])
    before = np.where(starts > 0, running[np.maximum(starts - 1, 0)], 0.0)
    begins, ends = periods.astype("datetime64[ms]"), (periods + 1).astype("datetime64[ms]")
    recorded = np.minimum(ends, times.max()) - np.maximum(begins, times.min())
    limits = limit * (recorded / (ends - begins))
    served = np.empty(len(costs), np.bool_)
    served[order] = running - np.repeat(before, counts) <= np.repeat(limits, counts)
    return served


def _line(kept: Kept, kept_on_edge: float, unserved: Kept, routed: int) -> float | None:
    agreement, without = kept.agreement(), unserved.agreement()
    if (kept.events and agreement is None) or (unserved.events and without is None) or not routed:
        return None
    wrong = kept_on_edge * (1 - (agreement or 0.0)) + unserved.events * (1 - (without or 0.0))
    return 1 - wrong / routed
