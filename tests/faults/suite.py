"""Every fault there is a test for, in the order of docs/faults.md."""

from tests.faults import killed
from tests.faults.scene import Fault

FAULTS: tuple[Fault, ...] = tuple(sorted((*killed.FAULTS,), key=lambda fault: fault.number))
