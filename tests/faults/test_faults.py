"""Each fault in its short form; the long form is `make faults`.

What a fault is and, of most, which break of the product it was seen to find: `python -m tests.faults --list`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.clusters import Cluster, cluster
from tests.faults.scene import SHORT_S, Fault, play
from tests.faults.suite import FAULTS


@pytest.fixture(scope="module")
def one_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("one"), 1) as brokers:
        yield brokers


@pytest.fixture(scope="module")
def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("three"), 3) as brokers:
        yield brokers


def the_faults(brokers: int) -> pytest.MarkDecorator:
    """On one broker all that can happen there; on three those that need them."""
    chosen = [fault for fault in FAULTS if min(fault.brokers) == brokers]
    return pytest.mark.parametrize("fault", chosen, ids=[fault.name for fault in chosen])


@pytest.mark.kafka
@pytest.mark.timeout(300)
@the_faults(1)
def test_on_one_broker(fault: Fault, one_broker: Cluster, tmp_path: Path) -> None:
    _stands(fault, one_broker, tmp_path)


@pytest.mark.kafka
@pytest.mark.timeout(300)
@the_faults(3)
def test_on_three_brokers(fault: Fault, three_brokers: Cluster, tmp_path: Path) -> None:
    _stands(fault, three_brokers, tmp_path)


def _stands(fault: Fault, brokers: Cluster, folder: Path) -> None:
    try:
        outcome = play(fault, brokers, folder, seed=7, seconds=SHORT_S)
    finally:
        brokers.mend()
    assert outcome.injected > 0
    assert outcome.holds, outcome
