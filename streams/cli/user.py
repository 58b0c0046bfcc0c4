"""Who runs a command, and what others have written, as a terminal may be shown it."""


def user_name() -> str:
    """The login name, for what is kept of what somebody did."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def printable(text: str) -> str:
    """`text` with a sign in the place of what a terminal would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
