"""What `edgewise verify` found: each kind of fault with how many there are, and whether the line kept its promise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Of each kind of fault so many are listed; the rest is counted.
LISTED = 20


@dataclass
class Fault:
    """One kind of fault: how many, and the first of them, named by ids and positions."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, what: str, times: int = 1) -> None:
        """Count `what` as `times` faults."""
        self.count += times
        if len(self.first) < LISTED:
            self.first.append(what)


@dataclass
class Verdict:
    """What was found. The line held when there is no fault of any kind and no topic is truncated."""

    events: int = 0  # input records
    results: int = 0
    unscored: int = 0  # audit events that say that an event has no result
    dead_letters: int = 0  # of input records
    repeated: int = 0  # input records whose event id had come before: expected to have a result each
    redriven: int = 0  # input records and routing events that had been dead letters before
    routing_events: int = 0
    windows: int = 0
    conversations: int = 0
    lost: Fault = field(default_factory=Fault)
    duplicated: Fault = field(default_factory=Fault)
    out_of_order: Fault = field(default_factory=Fault)
    unknown: Fault = field(default_factory=Fault)
    audit: Fault = field(default_factory=Fault)
    totals: Fault = field(default_factory=Fault)
    states: Fault = field(default_factory=Fault)
    redrives: Fault = field(default_factory=Fault)
    unreadable: Fault = field(default_factory=Fault)
    truncated: list[str] = field(default_factory=list)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Each kind of fault by name."""
        return {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "out_of_order": self.out_of_order,
            "unknown": self.unknown,
            "audit": self.audit,
            "totals": self.totals,
            "states": self.states,
            "redrives": self.redrives,
            "unreadable": self.unreadable,
        }

    @property
    def holds(self) -> bool:
        """Whether everything is proven."""
        return not self.truncated and not any(fault.count for fault in self.faults.values())
