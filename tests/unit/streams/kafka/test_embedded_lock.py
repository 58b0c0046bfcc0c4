"""Transactions take turns on the embedded broker, and on no other."""

import threading
from contextlib import nullcontext

import pytest

from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.embedded_lock import exclusive_transactions


def test_on_the_embedded_broker_one_waits_for_the_other(settings: Settings) -> None:
    one, other = exclusive_transactions(Cluster(settings)), exclusive_transactions(Cluster(settings))
    entered = threading.Event()

    def enter() -> None:
        with other:
            entered.set()

    with one:
        waiting = threading.Thread(target=enter)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive(), "it must wait for its turn"
        assert not entered.is_set()
    waiting.join(60)
    assert entered.is_set()


@pytest.mark.kafka
def test_on_kafka_they_run_side_by_side(settings: Settings) -> None:
    assert isinstance(exclusive_transactions(Cluster(settings)), nullcontext)
