"""Ctrl-C, where confluent-kafka loses it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_interrupts() -> Iterator[None]:
    """Makes a Ctrl-C that met a log line of librdkafka a KeyboardInterrupt again.

    confluent-kafka (2.16.1) passes those lines to `logging` from inside poll(), consume() and flush(), also when the
    interrupt is already raised there; it is then dropped, and Python finds a call that failed without a reason. With
    an unreachable broker, which is logged twenty times a second, that befalls every other Ctrl-C.
    """
    try:
        yield
    except SystemError as error:
        if "returned NULL without setting an exception" in str(error):
            raise KeyboardInterrupt from error
        raise
