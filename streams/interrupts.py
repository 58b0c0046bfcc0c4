"""Ctrl-C, where confluent-kafka loses it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_interrupts() -> Iterator[None]:
    """Makes a Ctrl-C that came while librdkafka was logging a KeyboardInterrupt again.

    Its log lines are passed to Python inside poll(), consume() and flush(). What is raised there, which can only be
    KeyboardInterrupt, as `logging` lets nothing else out, confluent-kafka (2.16.1) drops, and Python finds a call that
    failed without a reason.
    """
    try:
        yield
    except SystemError as error:
        if "returned NULL without setting an exception" in str(error):
            raise KeyboardInterrupt from error
        raise
