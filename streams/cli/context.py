"""What every command that talks to Kafka begins with: its settings, and where log lines go."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.config.settings import Settings


def start() -> "Settings":
    """The settings in force, with logging to standard error from their `log_level` on.

    Raises UsageError: a setting is wrong.
    """
    import logging

    from streams.config.settings import load_settings
    from streams.system.logs import LogFormatter

    settings = load_settings()
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    return settings
