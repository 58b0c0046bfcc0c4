"""How a log line looks."""

import logging
from types import TracebackType

from schemas.errors import EdgewiseError


class LogFormatter(logging.Formatter):
    """One line, and the traceback of an exception that nobody foresaw.

    Faust logs what ends an agent with its traceback. An `EdgewiseError` says what was wrong in its own words, and the
    command ends with them: the calls that led there tell a user nothing.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The traceback; empty for an `EdgewiseError`."""
        return "" if isinstance(ei[1], EdgewiseError) else super().formatException(ei)
