"""Every fault there is a test for, in the order of docs/faults.md."""

from tests.faults import (
    cloudy,
    failing,
    frozen,
    gaps,
    heavy,
    killed,
    poison,
    refused,
    replayed,
    retention,
    stopped,
    storage,
    unruly,
    upgrade,
)
from tests.faults.scene import Fault

FAULTS: tuple[Fault, ...] = tuple(
    sorted(
        (
            *cloudy.FAULTS,
            *failing.FAULTS,
            *frozen.FAULTS,
            *gaps.FAULTS,
            *heavy.FAULTS,
            *killed.FAULTS,
            *poison.FAULTS,
            *refused.FAULTS,
            *replayed.FAULTS,
            *retention.FAULTS,
            *stopped.FAULTS,
            *storage.FAULTS,
            *unruly.FAULTS,
            *upgrade.FAULTS,
        ),
        key=lambda fault: fault.number,
    )
)
