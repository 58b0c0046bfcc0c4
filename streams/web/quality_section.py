"""A report's section on quality: how often labels agree, with intervals."""

from typing import Final

from streams.monitoring.people import BY, PeopleAccuracy
from streams.monitoring.share import CONFIDENCE, Share
from streams.monitoring.window import Window
from streams.web.days import by_day, day_table
from streams.web.document import Chart, Section, Series, Table
from streams.web.report import Report, agreement, mean_confidence, vendor_agreement
from streams.web.written import figure, limits, percent

_MEANING: Final = (
    "Agreement is counted on the random sample: events that the edge would have kept and that the cloud was asked "
    "about all the same. It says how often the two answer alike, not how often they are right. Intervals are those of "
    f"Clopper and Pearson, at {CONFIDENCE:.0%}."
)
_BY_PEOPLE: Final = (
    "Accuracy is counted on the events that people have labelled and that were answered in the period. It stands for "
    "the line where those events were drawn at random."
)


def quality_section(report: Report, total: Window) -> Section:
    """The section on `total`, all of the report's period."""
    shares = by_day(report.period, agreement)
    known = [share if share is not None and share.trials else None for share in shares.values()]
    chart = Chart(
        "Agreement of edge and cloud on the random sample",
        f"A point a day; in the whole period {percent(agreement(total).value)}.",
        list(shares),
        [
            Series(
                "agreement",
                [share and share.value for share in known],
                [share and share.limits for share in known],
            )
        ],
        written=lambda share: f"{share:.0%}",
        top=1.0,
    )
    confidence = mean_confidence(total)
    return Section(
        "Quality",
        [
            *_by_people(report.accuracy),
            _MEANING,
            chart,
            Table(
                "How often labels agree",
                ("compared", "agree", "interval", "agreed", "of"),
                [
                    _share_row("edge with cloud, on the random sample", agreement(total)),
                    _share_row("published with the vendor's own label", vendor_agreement(total)),
                ],
            ),
            *([] if confidence is None else [f"Mean confidence in the label published: {percent(confidence)}."]),
            day_table(
                "Agreement by day",
                report.period,
                {
                    "agree": lambda window: percent(agreement(window).value),
                    "interval": lambda window: limits(agreement(window)),
                    "sampled": lambda window: figure(window.sampled),
                    "mean confidence": lambda window: percent(mean_confidence(window)),
                },
            ),
        ],
    )


def _by_people(found: PeopleAccuracy) -> list[str | Table]:
    if not found.total.trials:
        return []
    rows = [_share_row("all labelled events", found.total)]
    rows += [_share_row(f"{by} {name}", share) for by in BY for name, share in found.by[by].items()]
    heading = ("events", "right", "interval", "the person's label", "of")
    confidence = f"Mean confidence in the same answers: {percent(found.mean_confidence)}."
    return [_BY_PEOPLE, Table("Accuracy by people's labels", heading, rows), confidence]


def _share_row(name: str, share: Share) -> tuple[str, ...]:
    return name, percent(share.value), limits(share), figure(share.successes), figure(share.trials)
