"""`python -m edgewise`, which is the command `edgewise`."""

import sys
from pathlib import Path

from edgewise.packages import HOME, claim


def main() -> None:
    """Runs the command line; `streams.cli.main` lists the exit codes."""
    claim("training")
    from streams.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    # As `python -P` would: what lies in the working folder, a models/ or a typer.py, is no part of this program.
    if not sys.flags.safe_path and Path(sys.path[0]) != HOME:
        del sys.path[0]
    main()
