"""What every command that talks to Kafka begins with: its settings, and where log lines go."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.config.settings import Settings

# A broker that answers does so within milliseconds; while none does, nothing waits for this.
_ANSWER_TIMEOUT_S = 2.0


def start() -> "Settings":
    """The settings in force, with logging to standard error as they say.

    Raises UsageError: a setting is wrong.
    """
    import logging
    from functools import partial

    from streams.config.loading import load_settings, service_links
    from streams.system.logs import set_up

    settings = load_settings()
    set_up(settings.log_level, settings.log_format, partial(_answers, settings))
    if ignored := service_links():
        logging.getLogger(__name__).warning(
            "%s and the like are no settings and are ignored: Kubernetes sets them for a Service of that name",
            ignored[0],
        )
    return settings


def _answers(settings: "Settings", broker: str | None) -> bool:
    """Whether `broker` (host:port; None: any of the settings') answers a client."""
    from schemas.errors import EdgewiseError
    from streams.kafka.client import Cluster

    asked = settings if broker is None else settings.model_copy(update={"bootstrap_servers": broker})
    try:
        Cluster(asked).metadata(_ANSWER_TIMEOUT_S)
    except EdgewiseError:
        return False
    return True
