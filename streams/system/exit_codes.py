"""Exit codes: what they tell whoever starts processes again."""

from schemas.errors import EdgewiseError, UsageError

EXIT_FAILURE = 1
"""It failed: trying again may help."""

EXIT_USAGE = 2
"""Wrong usage or set-up: trying again unchanged cannot help."""

EXIT_INTERRUPTED = 130
"""Ctrl-C, as shells count it: 128 and the signal's number."""


def exit_code(error: EdgewiseError) -> int:
    """The exit code of a command that ends with `error`.

    A worker that has joined its group ends with no `UsageError` (`streams.worker.app.serve`): its set-up was right when
    it started, so whatever is wrong since may pass.
    """
    return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILURE
