"""What was played is kept, and added up to the table's rows."""

from pathlib import Path

from tests.faults.record import Failure, add, load
from tests.faults.scene import Outcome
from tests.faults.table import HEADINGS, cells, rows

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
