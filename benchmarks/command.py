"""A measurement on the command line of its own."""

import logging
import sys
from collections.abc import Callable, Sequence

from benchmarks.figure import Figure
from benchmarks.scale import Scale, parser, scale
from benchmarks.table import show
from schemas.errors import EdgewiseError


def alone(title: str, description: str | None, measure: Callable[[Scale], Sequence[Figure]]) -> None:
    """Runs `measure` with the options that were given and prints its figures; a failure is one line, exit code 1."""
    wanted = scale(parser(description).parse_args())
    logging.basicConfig(level=logging.ERROR)  # a coordinator that is still loading is a warning, and no news here
    try:
        show(title, measure(wanted))
    except EdgewiseError as error:
        sys.exit(f"{title}: {error}")
