"""Overlapping findings become one: nothing that was found is left out."""

from collections.abc import Iterable
from typing import Final

from models.redaction.kinds import Finding, Kind

PRIORITY: Final[tuple[Kind, ...]] = (
    "IBAN",
    "CARD",
    "SSN",
    "EMAIL",
    "URL",
    "IP",
    "PASSWORD",
    "DATE_OF_BIRTH",
    "EXPIRY",
    "CVV",
    "PIN",
    "PHONE",
    "ACCOUNT",
    "ADDRESS",
    "USERNAME",
    "ZIP",
    "REFERENCE",
    "NAME",
)
"""Which kind is told of findings that are as sure as each other and as long."""

_RANK = {kind: rank for rank, kind in enumerate(PRIORITY)}


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the text, none of which overlap.

    Those that overlap become one that covers them all. Its kind and value are those of the surest of them
    (`kinds.SURE`), among these of the longest, among these of the first in `PRIORITY`.
    """
    merged: list[Finding] = []
    best: Finding | None = None
    for finding in sorted(findings):
        if best is not None and finding.start < merged[-1].end:
            if _weight(finding) > _weight(best):
                best = finding
            last = merged[-1]
            merged[-1] = best._replace(start=last.start, end=max(last.end, finding.end))
        else:
            best = finding
            merged.append(finding)
    return merged


def _weight(finding: Finding) -> tuple[int, int, int]:
    return finding.sureness, finding.end - finding.start, -_RANK[finding.kind]
