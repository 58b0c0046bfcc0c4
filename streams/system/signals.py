"""Stop signals: a Ctrl-C that confluent-kafka would lose, and those that come too late to matter."""

import asyncio
import signal
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


def ignore_stop_signals() -> None:
    """From here to the process's end SIGTERM and SIGINT change nothing: all is done but the exit code.

    asyncio's handlers are gone with its loop, a tenth of a second before the process: a second Ctrl-C in between would
    make an ordinary stop look like a crash.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
