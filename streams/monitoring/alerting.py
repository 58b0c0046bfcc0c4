"""What becomes of an alert as its rule stands now: it fires once, resolves once, and is silenced or no longer is."""

from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

from schemas.records import Alert
from streams.monitoring.health_metrics import number_text
from streams.monitoring.health_rules import HealthRule, duration_text
from streams.monitoring.rule_watch import Standing

# `alerts` is kept for 30 days: what is firing is written again so often, so that it does not go.
REFRESH_MS: Final = 24 * 3_600_000

_NAMESPACE: Final = UUID("8d5f4c1a-6f6f-5a0e-9b1e-1d3c7a52e0b4")


def alert_id(rule: str, subject: str, started_at: int) -> str:
    """The name of one firing: the same whoever makes it anew of the same three."""
    return str(uuid5(_NAMESPACE, f"{rule}/{subject}/{started_at}"))


def alert_key(rule: str, subject: str = "") -> bytes:
    """The Kafka key of an alert."""
    return (f"{rule}/{subject}" if subject else rule).encode()


def next_alert(standing: Standing, firing: Alert | None, *, silenced: bool, now_ms: int) -> Alert | None:
    """What is to be written of a rule; None: nothing has changed. `firing` is its alert, where it has one."""
    rule, value = standing.rule, standing.value
    if firing is None:
        return _fired(standing, silenced=silenced, now_ms=now_ms) if standing.fires else None
    if standing.has_recovered:
        return replace(
            firing,
            state="resolved",
            value=value,
            summary=f"{_measured(standing)} again: {_asked(rule, resolves=True)}",
            resolved_at=now_ms,
            updated_at=now_ms,
            silenced=silenced,
        )
    if silenced != firing.silenced or now_ms - firing.updated_at >= REFRESH_MS:
        summary = firing.summary if value is None else f"{_measured(standing)}: {_asked(rule)}"
        return replace(firing, value=value, summary=summary, updated_at=now_ms, silenced=silenced)
    return None


def resolved_without_rule(firing: Alert, now_ms: int) -> Alert:
    """The end of an alert whose rule is no longer among those in force."""
    summary = f"rule {firing.rule} is no longer in force"
    return replace(firing, state="resolved", value=None, summary=summary, resolved_at=now_ms, updated_at=now_ms)


def _fired(standing: Standing, *, silenced: bool, now_ms: int) -> Alert:
    rule = standing.rule
    return Alert(
        rule=rule.name,
        alert_id=alert_id(rule.name, "", now_ms),
        state="firing",
        severity=rule.severity,
        summary=f"{_measured(standing)}: {_asked(rule)}",
        metric=rule.metric,
        value=standing.value,
        bound=rule.bound,
        window_ms=rule.window,
        started_at=now_ms,
        updated_at=now_ms,
        silenced=silenced,
    )


def _measured(standing: Standing) -> str:
    rule = standing.rule
    over = f" in {duration_text(rule.window)}" if rule.window else ""
    if standing.agent:
        return f"agent {standing.agent} has {_number(standing.value)} records yet to do"
    return f"{rule.of.title}: {_number(standing.value)}{over}"


def _asked(rule: HealthRule, *, resolves: bool = False) -> str:
    bound = rule.resolve_bound if resolves else rule.bound
    return f"{'at least' if rule.at_least is not None else 'at most'} {_number(bound)} is asked for"


def _number(value: float | None) -> str:
    return "unknown" if value is None else number_text(value)
