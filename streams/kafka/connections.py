"""How clients that must go on hold on to brokers: one that is away, frozen or back again costs seconds."""

from collections.abc import Mapping
from typing import Final

# What a frozen broker has been asked is asked elsewhere after 6 s: others lead in its place after 9. librdkafka's
# default is 60 s.
REQUEST_TIMEOUT_MS: Final = 6_000

CONNECTION_OPTIONS: Final[Mapping[str, object]] = {
    "socket.timeout.ms": REQUEST_TIMEOUT_MS,
    # After some tries in a row that were refused librdkafka would wait for 10 s before the next one, and a transaction
    # would be over when the network is back.
    "reconnect.backoff.max.ms": 500,
    # A client that has lost all brokers would forget those that it knows, and begin anew at the bootstrap servers.
    # librdkafka then waits for ever for the group's coordinator, one of the forgotten (its issues 5511 and 5456): a
    # connection that broke for an instant would stop the process.
    "metadata.recovery.strategy": "none",
}
