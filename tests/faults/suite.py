"""Every fault there is a test for, in the order of docs/faults.md."""

from tests.faults import (
    alerting,
    brokers,
    cloudy,
    doors,
    failing,
    former,
    frozen,
    gaps,
    heavy,
    killed,
    late,
    members,
    paid,
    poison,
    refused,
    replayed,
    retention,
    split,
    stopped,
    storage,
    telling,
    unruly,
    upgrade,
)
from tests.faults.scene import Fault

FAULTS: tuple[Fault, ...] = tuple(
    sorted(
        (
            *alerting.FAULTS,
            *brokers.FAULTS,
            *cloudy.FAULTS,
            *doors.FAULTS,
            *failing.FAULTS,
            *former.FAULTS,
            *frozen.FAULTS,
            *gaps.FAULTS,
            *heavy.FAULTS,
            *killed.FAULTS,
            *late.FAULTS,
            *members.FAULTS,
            *paid.FAULTS,
            *poison.FAULTS,
            *refused.FAULTS,
            *replayed.FAULTS,
            *retention.FAULTS,
            *split.FAULTS,
            *stopped.FAULTS,
            *storage.FAULTS,
            *telling.FAULTS,
            *unruly.FAULTS,
            *upgrade.FAULTS,
        ),
        key=lambda fault: fault.number,
    )
)
