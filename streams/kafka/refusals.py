"""What a refusal by a Kafka broker means for the user: who was refused, why, and what to check."""

import contextlib
import socket
import ssl

from confluent_kafka import KafkaError

from schemas.errors import EdgewiseError, UsageError
from streams.config.kafka_settings import SASL
from streams.config.settings import Settings, variable
from streams.kafka.security import tls_context

_CONNECT_TIMEOUT_S = 5.0

AUTHORIZATION = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


class ConnectionRefusedByBrokerError(UsageError):
    """Broker and client do not accept each other: a wrong login, or a certificate that is not trusted."""


class AccessError(EdgewiseError):
    """The broker knows the user, and does not let it do this."""


def client_identity(settings: Settings) -> str:
    """Who this client is to the broker, in words."""
    if settings.kafka_security_protocol in SASL:
        return f"user {settings.kafka_username or settings.kafka_oauth_client_id!r}"
    if settings.kafka_certificate_file is not None:
        return f"the owner of certificate {settings.kafka_certificate_file}"
    return "an anonymous client (User:ANONYMOUS)"


def broker_message(error: KafkaError) -> str:
    """librdkafka's text of a connection's fault, without the address before it and the timing behind it."""  # noqa: D403
    return error.str().partition(": ")[2].partition(" (after ")[0].strip().rstrip(".:")


def explain_refusal(settings: Settings, error: KafkaError, needs: str) -> str:
    """`error` in words. Where the broker refused the client, these are the client and the right that it `needs`."""
    if error.code() in AUTHORIZATION:
        return f"the broker refused {client_identity(settings)}, who needs {needs} ({error.name()})"
    return error.str()


def connection_refused(settings: Settings, error: KafkaError) -> ConnectionRefusedByBrokerError | None:
    """What `error`, which librdkafka reports of a connection, means for the user; None when it may pass by itself."""
    where = f"the Kafka brokers at {settings.bootstrap_servers}"
    if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001 - librdkafka's own codes are public all the same
        return ConnectionRefusedByBrokerError(
            f"{where} refused {client_identity(settings)} ({settings.kafka_sasl_mechanism}): {broker_message(error)}; "
            f"check {', '.join(map(variable, _login(settings)))} and what the broker knows of them"
        )
    text = error.str()
    alert = "alert" in text and ("certificate" in text or "unknown ca" in text)
    if alert:  # the broker's word; in TLS 1.3 after the handshake
        return ConnectionRefusedByBrokerError(
            f"{where} did not accept {_certificate(settings)} ({broker_message(error).rpartition('::')[2]}); check "
            "EDGEWISE_KAFKA_CERTIFICATE_FILE and EDGEWISE_KAFKA_KEY_FILE, and which authorities the brokers trust"
        )
    if error.code() == KafkaError._SSL:  # noqa: SLF001
        return ConnectionRefusedByBrokerError(
            f"no secure connection to {where}: {_handshake_fault(settings) or broker_message(error)}; check "
            "EDGEWISE_BOOTSTRAP_SERVERS, EDGEWISE_KAFKA_SECURITY_PROTOCOL and EDGEWISE_KAFKA_CA_FILE"
        )
    return None


def is_listening(settings: Settings) -> bool:
    """Whether a connection to one of the brokers' ports can be made at all."""
    for host, port in _addresses(settings):
        with contextlib.suppress(OSError, UnicodeError), socket.create_connection((host, port), _CONNECT_TIMEOUT_S):
            return True
    return False


def _certificate(settings: Settings) -> str:
    file = settings.kafka_certificate_file
    return "a client without a certificate" if file is None else f"the certificate in {file}"


def _addresses(settings: Settings) -> list[tuple[str, int]]:
    parts = (server.rpartition(":") for server in settings.bootstrap_servers.split(","))
    return [(host.strip("[]"), int(port)) for host, _, port in parts]


def _login(settings: Settings) -> tuple[str, ...]:
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        return "kafka_sasl_mechanism", "kafka_oauth_client_id", "kafka_oauth_scope"
    return "kafka_sasl_mechanism", "kafka_username", "kafka_password"


def _handshake_fault(settings: Settings) -> str | None:
    """Why the broker's certificate is not accepted. librdkafka reports only that it is not."""
    context = tls_context(settings)
    for host, port in _addresses(settings):
        with contextlib.suppress(OSError, UnicodeError):
            try:
                with (
                    socket.create_connection((host, port), _CONNECT_TIMEOUT_S) as plain,
                    context.wrap_socket(plain, server_hostname=host),
                ):
                    pass
            except ssl.SSLCertVerificationError as error:
                return f"the certificate of {host}:{port} is not accepted: {error.verify_message.rstrip('.')}"
    return None
