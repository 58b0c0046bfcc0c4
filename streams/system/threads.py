"""A thread for calls that may never return."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonThread:
    """Calls functions one after another. Unlike an executor's thread it does not keep the process from ending."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Have `function` called; the future has what it returns or raises."""
        future: Future[T] = Future()
        self._calls.put((function, future))
        return future

    def close(self, timeout_s: float) -> bool:
        """Wait for what was submitted; whether it is done. It must not be used afterwards."""
        self._calls.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            function, future = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - for whoever waits for it
                future.set_exception(error)
            else:
                future.set_result(result)
            del call, function, future  # nothing is kept alive while there is nothing to do


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """What `function` returns or raises, called in a thread of its own. Cancelled, it leaves the thread behind.

    `asyncio.to_thread` would keep the process from ending until the call returns.
    """
    thread = DaemonThread("call")
    called = thread.submit(function)
    thread.close(0.0)  # it ends with the call
    return await asyncio.wrap_future(called)
