"""The rules as Prometheus's: the same metrics, bounds and times, from what the workers tell of themselves."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from streams.monitoring.health_metrics import Prometheus
from streams.monitoring.health_rules import HealthRule, duration_text

_HEAD: Final = """\
# Made by `edgewise alerts prometheus-rules`, of the rules in force (docs/health.md): change those, not this file.
# What resolves behind another bound than it fires at holds on by the series ALERTS, which Prometheus itself writes.
groups:
  - name: edgewise-health
    rules:
"""


def prometheus_rules(rules: Sequence[HealthRule]) -> str:
    """A file of rules, in YAML, an alert a rule."""
    return _HEAD + "".join(map(_alert, rules))


def alert_name(rule: HealthRule) -> str:
    """`EdgewiseEdgeShareLow` of rule `edge_share_low`."""
    return "Edgewise" + "".join(part.capitalize() for part in rule.name.split("_"))


def _alert(rule: HealthRule) -> str:
    source = rule.of.prometheus
    lines = [f"      - alert: {alert_name(rule)}"]
    lines += [f"        # {' '.join(rule.why.split())}"] if rule.why else []
    expression = _as_the_agent(rule) if source is None else _expression(rule, source)
    lines += ["        expr: |", *(f"          {line}" for line in expression)]
    lines += [f"        for: {duration_text(rule.for_)}"] if rule.for_ and source is not None else []
    lines += [
        f"        labels: {{severity: {rule.severity}, rule: {rule.name}}}",
        "        annotations:",
        f"          summary: {json.dumps(_summary(rule, () if source is None else source.by))}",
    ]
    return "\n".join(lines) + "\n"


def _as_the_agent(rule: HealthRule) -> Iterator[str]:
    """The value while the health agent's alert fires: it alone knows the interval, and has waited as the rule says."""
    of = f'{{rule="{rule.name}"}}'
    yield f"max(edgewise_rule_value{of}) and on () max(edgewise_alert_firing{of}) > 0"


def _expression(rule: HealthRule, source: Prometheus) -> Iterator[str]:
    over = duration_text(rule.window) if rule.window else "1m"
    value = source.expression.replace("{over}", over)
    sign = "<" if rule.at_least is not None else ">"
    yield f"{value} {sign} {rule.bound:g}{_enough(rule, over)}"
    if rule.resolve_bound != rule.bound:
        same = ", ".join(source.by)
        firing = f'ALERTS{{alertname="{alert_name(rule)}", alertstate="firing"}}'
        yield f"  or {value} {sign} {rule.resolve_bound:g} and on ({same}) {firing}"


def _enough(rule: HealthRule, over: str) -> str:
    """The condition that there are enough events."""
    if not rule.min_events:
        return ""
    return f' and on () sum(increase(edgewise_events_total{{stage="completed"}}[{over}])) >= {rule.min_events}'


def _summary(rule: HealthRule, by: Sequence[str]) -> str:
    whose = "".join(f", {{{{ $labels.{label} }}}}" for label in by)
    asked = f"{'at least' if rule.at_least is not None else 'at most'} {rule.bound:g} is asked for"
    return f'{rule.of.title}{whose}: {{{{ $value | printf "%.5g" }}}} ({asked})'
