"""What the demo shows while it runs: a live picture on a terminal, a line every few seconds elsewhere."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from streams.demo.answers import Answered
from streams.demo.processes import Health
from streams.monitoring.window import Window

_RATE_SPAN_S = 5.0  # the rate shown is the mean over it: events come in transactions, a few at a time
_LINE_EVERY_S = 5.0
_ANSWERS_A_LINE = 2
_TEXT_CHARS = 72
_STYLES = {"negative": "red", "neutral": "yellow", "positive": "green"}


class State(NamedTuple):
    """The line at one moment."""

    phase: str
    elapsed_s: float  # since the first event was sent; 0 before
    expected: int  # events that the demo sends
    total: Window  # of all that the monitor has counted
    processes: Sequence[Health]
    answers: Sequence[Answered] = ()  # the latest, the last one last


class Rate:
    """Events a second over the last five seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, elapsed_s: float, events: int) -> float:
        """The rate when `events` have been done at `elapsed_s`."""
        self._seen.append((elapsed_s, events))
        while len(self._seen) > 2 and elapsed_s - self._seen[1][0] >= _RATE_SPAN_S:
            self._seen.popleft()
        begun, done = self._seen[0]
        return (events - done) / (elapsed_s - begun) if elapsed_s > begun else 0.0


@contextmanager
def shown() -> Iterator[Callable[[State], None]]:
    """Something to hand each state to; it shows them on standard error."""
    console = Console(stderr=True)
    rate = Rate()
    if not console.is_terminal:
        last = -_LINE_EVERY_S
        phase = ""

        def line(state: State) -> None:
            nonlocal last, phase
            due = state.elapsed_s - last >= _LINE_EVERY_S
            speed = rate.update(state.elapsed_s, state.total.events)
            if due or state.phase != phase:
                last, phase = state.elapsed_s, state.phase
                print(plain(state, speed), file=sys.stderr, flush=True)  # noqa: T201
                for answer in state.answers[-_ANSWERS_A_LINE:]:
                    print(f"       {told(answer)}", file=sys.stderr, flush=True)  # noqa: T201

        yield line
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield lambda state: live.update(picture(state, rate.update(state.elapsed_s, state.total.events)))


def plain(state: State, rate: float) -> str:
    """A state as one line."""
    parts = [f"{state.elapsed_s:3.0f} s  {state.phase}"]
    if state.total.events:
        parts += [f"{state.total.events:,} of {state.expected:,} events", f"{rate:.0f}/s"]
        parts += [f"{name} {value}" for name, value in figures(state.total)]
    parts += [f"{health.name} {_condition(health)}" for health in state.processes if health.exit_code != 0]
    return ", ".join(parts)


def picture(state: State, rate: float) -> RenderableType:
    """A state as a picture."""
    table = Table.grid(padding=(0, 2))
    table.add_row("events", f"{state.total.events:,} of {state.expected:,}")
    table.add_row("rate", f"{rate:.0f}/s")
    for name, value in figures(state.total):
        table.add_row(name, value)
    processes = Table.grid(padding=(0, 2))
    for health in state.processes:
        memory = "" if health.memory_mb is None else f"{health.memory_mb:.0f} MB"
        style = "green" if health.exit_code in (None, 0) else "bold red"
        processes.add_row(health.name, Text(_condition(health), style=style), f"pid {health.pid}", memory)
    bar = ProgressBar(total=state.expected, completed=state.total.events)
    body = Table.grid(padding=(0, 4))
    body.add_row(table, processes)
    answers = Table.grid(padding=(0, 2))
    for answer in state.answers:
        style = _STYLES.get(answer.label, "")
        answers.add_row(Text(answer.label, style=style), answer.route, answer.role, Text(_short(answer.text)))
    return Panel(
        Group(body, Text(), answers, Text(), bar),
        title=f"edgewise demo: {state.phase}",
        subtitle=f"{state.elapsed_s:.0f} s",
    )


def told(answer: Answered) -> str:
    """An answer and its message as one line."""
    return f"{answer.label:<8} {answer.route:<5} {answer.role:<8} {_short(answer.text)}"


def _short(text: str) -> str:
    """A message's beginning, without what a terminal would obey."""
    shown = "".join(each if each.isprintable() else " " for each in text[: _TEXT_CHARS + 1])
    return shown if len(shown) <= _TEXT_CHARS else f"{shown[: _TEXT_CHARS - 1]}…"


def figures(total: Window) -> list[tuple[str, str]]:
    """The figures of a window, named, for people; none while it is empty."""
    if not total.events:
        return []
    quantiles = [total.end_to_end_ms.get_quantile_value(q) or 0.0 for q in (0.5, 0.95, 0.99)]
    cost, cloud_only = total.cost_nanos / 1e9, total.cloud_only_cost_nanos / 1e9
    saved = 1 - cost / cloud_only if cloud_only else 0.0
    return [
        ("edge share", f"{total.routes['edge'] / total.events:.1%}"),
        ("latency p50/p95/p99", "/".join(f"{quantile:.0f}" for quantile in quantiles) + " ms"),
        ("cost", f"${cost:.2f}, cloud only ${cloud_only:.2f}: {saved:.0%} saved"),
    ]


def _condition(health: Health) -> str:
    if health.exit_code is None:
        return "running"
    return "done" if health.exit_code == 0 else f"DIED ({health.exit_code})"
