"""A verdict in words, for people and for machines."""

from typing import Any

from streams.verify.verdict import LISTED, Verdict

_MEANINGS = {
    "lost": "input records without a result, dead letter or audit event that says why there is none",
    "duplicated": "results or dead letters too many",
    "out_of_order": "results before an earlier event's of their conversation and route",
    "unknown": "results or dead letters of no input record",
    "audit": "results and audit events that do not match",
    "totals": "figures of routing-events and monitoring that differ",
    "states": "conversations whose state is not what their results say",
    "redrives": "redriven records and marks in dead-letters that do not match",
    "unreadable": "output records that cannot be decoded",
}


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict for machines: counts by kind of fault, and the first of each, by ids and positions."""
    return {
        "verified": verdict.holds,
        "events": verdict.events,
        "results": verdict.results,
        "unscored": verdict.unscored,
        "dead_letters": verdict.dead_letters,
        "repeated": verdict.repeated,
        "redriven": verdict.redriven,
        "routing_events": verdict.routing_events,
        "windows": verdict.windows,
        "conversations": verdict.conversations,
        **{kind: fault.count for kind, fault in verdict.faults.items()},
        "first": {kind: fault.first for kind, fault in verdict.faults.items() if fault.first},
        "truncated": verdict.truncated,
    }


def verdict_lines(verdict: Verdict) -> list[str]:
    """The verdict for people."""
    counts = {
        "events": verdict.events,
        "results": verdict.results,
        **({"not scored": verdict.unscored} if verdict.unscored else {}),
        "dead letters": verdict.dead_letters,
        "audit events": verdict.routing_events,
        "windows": verdict.windows,
        "conversations": verdict.conversations,
    }
    lines = [", ".join(f"{count:,} {what}" for what, count in counts.items())]
    if verdict.repeated:
        lines.append(f"{verdict.repeated:,} events bear an id that had come before; each was expected to have a result")
    if verdict.redriven:
        lines.append(f"{verdict.redriven:,} records had been dead letters and were redriven")
    for kind, fault in verdict.faults.items():
        lines.append(f"  {kind.replace('_', ' '):<13} {fault.count:>9,}  {_MEANINGS[kind]}")
        lines += [f"      {what}" for what in fault.first]
        if fault.count > LISTED:
            lines.append("      …")
    if verdict.truncated:
        lines.append("Retention has removed records, so nothing can be proven about the events that they belonged to:")
        lines += [f"  {where}" for where in verdict.truncated]
    if verdict.holds:
        lines.append("verified: nothing lost, nothing twice, in order, audited, and the totals agree")
    else:
        lines.append("NOT verified")
    return lines
