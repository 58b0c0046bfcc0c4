"""SIGTERM and SIGINT when they come too late to matter."""

import asyncio
import signal


def ignore_stop_signals() -> None:
    """From here to the process's end SIGTERM and SIGINT change nothing: all is done but the exit code.

    asyncio's handlers are gone with its loop, a tenth of a second before the process: a second Ctrl-C in between would
    make an ordinary stop look like a crash.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
