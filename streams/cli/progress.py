"""How far a command is, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """What to call with how many of `what` are done, and how many there are (None: nobody knows).

    It shows a bar on a terminal, and elsewhere a line every five seconds.
    """
    import sys
    import time

    if not sys.stderr.isatty():
        last, told = time.monotonic(), 0

        def show_line(done: int, total: int | None) -> None:
            nonlocal last, told
            if time.monotonic() - last >= 5 and done != told:  # nothing is said while nothing gets on
                last, told = time.monotonic(), done
                typer.echo(f"{done:,} {what}" if total is None else f"{done:,} of {total:,} {what}", err=True)

        yield show_line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}/s"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, rate="-")

        def show_bar(done: int, total: int | None) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:,.0f}" if speed else "-")

        yield show_bar
