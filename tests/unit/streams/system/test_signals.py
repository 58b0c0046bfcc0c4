import gc
import logging
import os
import random
import signal
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer

from streams.system.signals import kept_interrupts


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Python collects no garbage meanwhile: hypothesis has it call a function then, and drops what is raised there."""
    gc.disable()
    yield
    gc.enable()


def poll_until_interrupted(consumer: Consumer, after_s: float) -> None:
    threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT)).start()
    while True:
        consumer.poll(0.5)


@pytest.mark.usefixtures("no_collection")
def test_ctrl_c_is_a_keyboard_interrupt_while_librdkafka_logs() -> None:
    """Nobody listens at the port, so that it logs twenty times a second; without help about half of them are lost."""
    logger = logging.getLogger("test.librdkafka")
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "test", "logger": logger})
    consumer.subscribe(["test"])
    delays = random.Random(1)
    for _ in range(20):
        with pytest.raises(KeyboardInterrupt), kept_interrupts():
            poll_until_interrupted(consumer, delays.uniform(0, 0.2))
    consumer.close()


def test_other_system_errors_stay_what_they_are() -> None:
    with pytest.raises(SystemError, match="something else"), kept_interrupts():
        raise SystemError("something else")
