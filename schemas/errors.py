"""The root of every error that Edgewise raises on purpose."""


class EdgewiseError(Exception):
    """Something the user can act on: its message is one line that says what was wrong, where, and what is allowed.

    The command line prints it without a traceback and ends with exit code 1, or 2 for a subclass of `UsageError`.
    """


class UsageError(EdgewiseError):
    """What was asked for, or how it is set up, is wrong: trying again unchanged cannot help (exit code 2)."""
