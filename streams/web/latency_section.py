"""A report's section on latency: merged sketches, by day and for all of the period."""

from collections.abc import Callable

from streams.monitoring.window import Window
from streams.web.days import by_day, day_table
from streams.web.document import Chart, Section, Series, Table
from streams.web.report import QUANTILES, Report, quantiles
from streams.web.written import milliseconds


def latency_section(report: Report, total: Window) -> Section:
    """The section on `total`, all of the report's period."""
    found = by_day(report.period, lambda window: quantiles(window.end_to_end_ms))
    end_to_end, inference = quantiles(total.end_to_end_ms), quantiles(total.inference_ms)

    def column(name: str) -> Callable[[Window], str]:
        return lambda window: milliseconds(quantiles(window.end_to_end_ms)[name])

    return Section(
        "Latency",
        [
            (
                "End to end: from Kafka's taking the event to its answer. Model time: an event's share of its batch's. "
                "Quantiles are of merged sketches, exact to 1 %."
            ),
            Chart(
                "Latency from end to end, ms",
                f"A point a day; p95 of the whole period is {milliseconds(end_to_end['p95'])} ms.",
                list(found),
                [
                    Series(name, [None if day is None else day[name] for day in found.values()])
                    for name in ("p50", "p95", "p99")
                ],
                written=milliseconds,
            ),
            Table(
                "Latency of the whole period, ms",
                ("of", *QUANTILES),
                [
                    ("end to end", *map(milliseconds, end_to_end.values())),
                    ("model time", *map(milliseconds, inference.values())),
                ],
            ),
            day_table("Latency from end to end by day, ms", report.period, {name: column(name) for name in QUANTILES}),
        ],
    )
