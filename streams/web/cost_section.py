"""A report's section on cost: by day and month, by who spoke, what was measured, and what the month will come to."""

from collections.abc import Callable

from streams.monitoring.forecast import Forecast
from streams.monitoring.health_metrics import number_text
from streams.monitoring.share import Share
from streams.monitoring.window import Window
from streams.system.clock import iso
from streams.web.days import by_day, day_table
from streams.web.document import Chart, Section, Series, Table
from streams.web.report import Report, budget_used, edge_share, saved_share
from streams.web.written import figure, percent, usd


def cost_section(report: Report, total: Window) -> Section:
    """The section on `total`, all of the report's period."""
    costs = by_day(report.period, lambda window: window.cost_nanos / 1e9)
    chart = Chart(
        "Cost by day, USD",
        f"A bar a day; {usd(total.cost_nanos)} USD in all.",
        list(costs),
        [Series("cost", list(costs.values()))],
        written=number_text,
        bars=True,
    )
    columns: dict[str, Callable[[Window], str]] = {
        "events": lambda window: figure(window.events),
        "cost, USD": lambda window: usd(window.cost_nanos),
        "of this measured, USD": lambda window: usd(window.measured_cost_nanos),
        "cloud alone, USD": lambda window: usd(window.cloud_only_cost_nanos),
        "saved": lambda window: percent(saved_share(window)),
        "edge share": lambda window: percent(edge_share(window)),
    }
    months = [(month, *(cell(window) for cell in columns.values())) for month, window in report.period.months().items()]
    roles = [(role, figure(events), usd(total.role_cost_nanos[role])) for role, events in total.roles.most_common()]
    return Section(
        "Cost",
        [
            chart,
            *_forecast(report.forecast, report),
            (
                f"{usd(total.measured_cost_nanos)} of {usd(total.cost_nanos)} USD "
                f"({percent(Share(total.measured_cost_nanos, total.cost_nanos).value)}) were measured, by tokens, "
                "calls or seconds; the rest is assumed, by the price of a query in the settings."
            ),
            *_budget(total),
            Table("Cost by month", ("month", *columns), months),
            day_table("Cost by day", report.period, columns),
            Table("Cost by who spoke", ("role", "events", "cost, USD"), roles),
            Table(
                "The cloud's tokens",
                ("tokens", "count"),
                [
                    ("read", figure(total.tokens_in)),
                    ("of these from its cache", figure(total.tokens_cached)),
                    ("written", figure(total.tokens_out)),
                ],
            ),
        ],
    )


def _forecast(found: Forecast | None, report: Report) -> list[str]:
    month = iso(report.made_at)[:7]
    if found is None:
        return [f"There is no forecast for {month}: it takes a whole day before today."]
    like = "on the same weekday" if found.by_weekday else "a day"
    told = (
        f"Forecast for {month}: {usd(found.month_nanos)} USD, {usd(found.spent_nanos)} spent and "
        f"{usd(found.rest_nanos)} expected: for each day that is left, and for what is left of today, what was spent "
        f"{like} on average in the last {found.days} whole days (the first day of all is not one of them)."
    )
    if not found.is_of_whole_month:
        told += f" What was spent before {iso(report.period.since_ms)} is not in it."
    return [told]


def _budget(total: Window) -> list[str]:
    used = budget_used(total)
    if used is None:
        return []
    unpaid = total.reasons["budget_exhausted"]
    told = f"Of the tightest budget {used} % were spent or set aside at the most"
    return [f"{told}; {figure(unpaid)} events kept the edge's answer because it was spent." if unpaid else f"{told}."]
