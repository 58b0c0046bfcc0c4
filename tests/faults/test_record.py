"""What was played is kept, and added up to the table's rows."""

from pathlib import Path

from tests.faults.__main__ import _chosen
from tests.faults.record import Failure, add, load
from tests.faults.scene import Outcome
from tests.faults.suite import FAULTS
from tests.faults.table import HEADINGS, cells, rows, totals

FIRST = Outcome(
    number=1,
    fault="kill",
    brokers=1,
    seed=1,
    injected=2,
    events=1_000,
    lost=0,
    duplicated=0,
    out_of_order=0,
    other=0,
    dead_letters=1,
    longest_stop_s=6.25,
    recovery_s=2.0,
)
SECOND = FIRST._replace(seed=2, lost=3, longest_stop_s=2.0, recovery_s=4.0)
ON_THREE = FIRST._replace(brokers=3)


def test_what_is_added_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "build" / "played.jsonl"
    failure = Failure("kill", 1, 3, "50 of 60 results within 60 s")
    assert load(path) == []
    for played in (FIRST, failure, SECOND):
        add(path, played)
    assert load(path) == [FIRST, failure, SECOND]


def test_a_row_adds_up_its_seeds_and_has_their_longest_times() -> None:
    found = rows([FIRST, ON_THREE, SECOND])
    assert found == [[FIRST, SECOND], [ON_THREE]]
    shown = dict(zip(HEADINGS, cells(found[0]), strict=True))
    assert shown == {
        "fault": "1. kill",
        "brokers": "1",
        "seeds": "2",
        "injected": "4",
        "events": "2,000",
        "lost": "3",
        "duplicated": "0",
        "out of order": "0",
        "other faults": "0",
        "dead letters": "2",
        "longest stop, s": "6.2",
        "recovery, s": "4.0",
    }


def test_all_rows_together() -> None:
    """Seen to fail with rows counted for plays."""
    assert totals(rows([FIRST, ON_THREE, SECOND])) == "3 plays, 3,000 events, 6 faults"


def test_what_is_played_with_groups_by_kip_848() -> None:
    """Seen to fail with all faults chosen."""
    left_out = {"rolling-engine", "kill-under-load-kip-848", "join-and-leave-kip-848"}
    chosen = _chosen(None, "consumer")
    assert {fault.name for fault in FAULTS} - {fault.name for fault in chosen} == left_out
    assert {fault.settings["group_protocol"] for fault in chosen} == {"consumer"}
    assert [fault.name for fault in _chosen(None, None)] == [fault.name for fault in FAULTS]
