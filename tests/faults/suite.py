"""Every fault there is a test for, in the order of docs/faults.md."""

from tests.faults import cloudy, gaps, heavy, killed, replayed, retention, unruly, upgrade
from tests.faults.scene import Fault

FAULTS: tuple[Fault, ...] = tuple(
    sorted(
        (
            *cloudy.FAULTS,
            *gaps.FAULTS,
            *heavy.FAULTS,
            *killed.FAULTS,
            *replayed.FAULTS,
            *retention.FAULTS,
            *unruly.FAULTS,
            *upgrade.FAULTS,
        ),
        key=lambda fault: fault.number,
    )
)
