"""Runs `edgewise demo` and draws what it shows: `python -m docs.make_demo_picture` writes docs/demo.svg.

The picture is the live view as it was last seen while events came, and below it the report in the end.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from streams.config.settings import Settings
from streams.demo.demo import demo
from streams.demo.report import Report, report_lines
from streams.demo.view import Rate, State, picture

SVG = Path(__file__).with_name("demo.svg")
WIDTH = 110  # characters: the report's longest line
COMMAND = "$ make demo"


def run() -> tuple[State, float, Report]:
    """The last state in which events came, the rate in it in events a second, and the report of the whole run."""
    rate = Rate()
    seen: list[tuple[State, float]] = []

    @contextmanager
    def kept() -> Iterator[Callable[[State], None]]:
        def keep(state: State) -> None:
            events_per_s = rate.update(state.elapsed_s, state.total.events)
            if state.phase.startswith("replaying") and state.total.events:
                seen[:] = [(state, events_per_s)]

        yield keep

    with tempfile.TemporaryDirectory() as folder:
        report = demo(Settings(), Path(folder), None, lambda: False, kept)
    return *seen[-1], report


def svg(state: State, rate: float, report: Report) -> str:
    """The picture as SVG. It loads no font from elsewhere: a viewer's own monospaced font is used."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(COMMAND, style="bold"))
    console.print(picture(state, rate))
    for line in report_lines(report):
        verified = line.startswith("verified")
        console.print(Text(line, style="bold green" if verified else ""))
    drawn = console.export_svg(title="edgewise demo", unique_id="demo")
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def main() -> None:
    """Writes the picture."""
    SVG.write_text(svg(*run()), "utf-8")


if __name__ == "__main__":
    main()
