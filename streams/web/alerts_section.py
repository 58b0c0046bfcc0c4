"""A report's section on alerts: by rule, and one by one."""

from streams.system.clock import iso
from streams.web.document import Section, Table
from streams.web.report import Report, firing_ms
from streams.web.written import NONE, figure, lasted

_MOST = 30


def alerts_section(report: Report) -> Section:
    """The section. Of an alert that began before the period, what of its length lies in the period counts."""
    alerts = report.alerts
    if not alerts:
        return Section("Alerts", ["No alert was firing, as far as an agent `health` has watched."])
    rules = sorted({alert.rule for alert in alerts})
    by_rule = []
    for rule in rules:
        of_rule = [alert for alert in alerts if alert.rule == rule]
        lengths = [firing_ms(alert, report) for alert in of_rule]
        firing = sum(alert.state == "firing" for alert in of_rule)
        row = (figure(len(of_rule)), lasted(sum(lengths)), lasted(max(lengths)), figure(firing) if firing else NONE)
        by_rule.append((rule, of_rule[-1].severity, *row))
    latest = list(reversed(alerts))[:_MOST]
    caption = "The alerts, the latest first" if len(alerts) <= _MOST else f"The {_MOST} latest of {figure(len(alerts))}"
    return Section(
        "Alerts",
        [
            Table(
                "Alerts by rule",
                ("rule", "severity", "alerts", "in all", "the longest", "firing now"),
                by_rule,
                frozenset((1,)),
            ),
            Table(
                caption,
                ("rule", "severity", "began", "lasted", "state", "what"),
                [
                    (
                        alert.rule,
                        alert.severity,
                        iso(alert.started_at),
                        lasted(firing_ms(alert, report)),
                        f"{alert.state}, silenced" if alert.silenced else alert.state,
                        alert.summary,
                    )
                    for alert in latest
                ],
                frozenset((1, 2, 4, 5)),
            ),
        ],
    )
