"""A transactional producer hears of broken connections, and goes when it is replaced."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError

from streams.kafka.client import Cluster
from streams.worker.producer import TransactionalProducer


def producer() -> tuple[TransactionalProducer, Any]:
    """One whose client is a holder of its options, as librdkafka's is; and those options."""
    cluster = SimpleNamespace(producer=lambda options, **_: SimpleNamespace(options=options))
    made = TransactionalProducer(cast(Cluster, cluster), "edge-0", 2_000)
    return made, cast(Any, made.client).options


def test_a_connection_that_broke_makes_it_doubtful() -> None:
    made, options = producer()
    assert not made.doubtful
    options["error_cb"](KafkaError(KafkaError._TRANSPORT))
    assert made.doubtful


def test_one_that_is_replaced_goes_at_once_with_its_threads() -> None:
    """Seen to fail with a method of its own as the callback: client and owner then hold each other."""
    gc.disable()
    try:
        made, options = producer()
        gone = weakref.ref(made)
        del made
        assert gone() is None
    finally:
        gc.enable()
    options["error_cb"](KafkaError(KafkaError._TRANSPORT))  # a last word of its client


@pytest.mark.parametrize(
    ("took_s", "broke", "asked_again"), [(0.1, False, False), (2.0, False, True), (0.1, True, True)]
)
def test_one_that_may_have_asked_twice_for_its_epoch_knows_it(took_s: float, broke: bool, asked_again: bool) -> None:
    """Seen to fail with either left out."""
    now_s = 0.0

    def init(_timeout_s: float) -> None:
        nonlocal now_s
        now_s += took_s

    cluster = SimpleNamespace(
        producer=lambda options, **_: SimpleNamespace(
            init_transactions=init,
            poll=lambda _: options["error_cb"](KafkaError(KafkaError._TRANSPORT)) if broke else None,
        )
    )
    made = TransactionalProducer(cast(Cluster, cluster), "edge-0", 2_000, lambda: now_s)
    made.begin_anew()
    assert (made.asked_again, made.doubtful) == (asked_again, False)
