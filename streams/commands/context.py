"""What every command that talks to Kafka begins with: its settings, and where log lines go."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.settings import Settings


def start() -> "Settings":
    """The settings in force, with logging to standard error from their `log_level` on.

    Raises UsageError: a setting is wrong.
    """
    import logging

    from streams.settings import load_settings

    settings = load_settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return settings
