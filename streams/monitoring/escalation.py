"""The alert of a conversation whose risk of escalation has passed the bound."""

from uuid import UUID, uuid5

from schemas.records import Alert, ConversationState

RULE = "escalation"

_NAMESPACE = UUID("0b1f6c5e-4d0c-4b52-9a0e-5f7c7a0a9d3e")

_OVER = {"ended": "it has ended", "timed_out": "nothing more has come of it"}


def alert_key(rule: str, subject: str = "") -> bytes:
    """The key on `alerts` of what `rule` says of `subject`; empty: of the line."""
    return (f"{rule}/{subject}" if subject else rule).encode()


def alert_id(rule: str, subject: str, started_at: int) -> str:
    """What names the firing that began at `started_at` (UTC milliseconds)."""
    return str(uuid5(_NAMESPACE, f"{rule}\0{subject}\0{started_at}"))


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
