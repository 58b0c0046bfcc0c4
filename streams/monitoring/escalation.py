"""The alert of a conversation whose risk of escalation has passed the bound."""

from typing import Final

from schemas.records import Alert, ConversationState
from streams.monitoring.alerting import alert_id
from streams.monitoring.health_rules import ESCALATION

RULE: Final = ESCALATION

_OVER = {"ended": "it has ended", "timed_out": "nothing more has come of it"}


def escalation_alert(state: ConversationState, bound: float, *, is_firing: bool) -> Alert:
    """The alert of an escalated conversation as of `state`; `bound` is the risk at which it fires."""
    started_at = state.updated_at if state.escalated_at is None else state.escalated_at
    reasons = f": {', '.join(state.risk_reasons)}" if state.risk_reasons else ""
    summary = (
        f"A conversation may escalate, its risk is {state.risk:.2f}{reasons}."
        if is_firing
        else f"A conversation that had escalated is over: {_OVER.get(state.status, 'it goes on')}."
    )
    return Alert(
        rule=RULE,
        subject=state.conversation_id,
        alert_id=alert_id(RULE, state.conversation_id, started_at),
        state="firing" if is_firing else "resolved",
        severity="warning",
        summary=summary,
        metric="risk",
        value=state.risk,
        bound=bound,
        window_ms=0,
        started_at=started_at,
        resolved_at=None if is_firing else state.updated_at,
        updated_at=state.updated_at,
    )
