"""Secured connections for librdkafka, the files that they need, and what a refused one is called."""

import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError

from schemas.errors import EdgewiseError, UsageError
from streams.config.kafka_settings import SASL, TLS
from streams.config.settings import Settings, variable
from streams.kafka.oauth import token_source

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


def librdkafka_security(settings: Settings) -> dict[str, Any]:
    """The part of a confluent-kafka configuration that secures its connections.

    Raises UsageError: a file is missing, unreadable, or not what it should be.
    """
    config: dict[str, Any] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol in TLS:
        tls_context(settings)  # librdkafka's own words for a bad file name neither file nor setting
        config |= {
            key: value
            for key, value in {
                "ssl.ca.location": settings.kafka_ca_file,
                "ssl.certificate.location": settings.kafka_certificate_file,
                "ssl.key.location": settings.kafka_key_file,
                "ssl.key.password": _revealed(settings, "kafka_key_password"),
            }.items()
            if value is not None
        }
    if settings.kafka_security_protocol in SASL:
        config["sasl.mechanism"] = settings.kafka_sasl_mechanism
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            source = token_source(settings)
            config["oauth_cb"] = lambda _config: source.token()
        else:
            config["sasl.username"] = settings.kafka_username
            config["sasl.password"] = _revealed(settings, "kafka_password")
    return config


def tls_context(settings: Settings) -> ssl.SSLContext:
    """How Python's TLS (aiokafka's) checks a broker and shows who this client is: as librdkafka does.

    Raises UsageError as `librdkafka_security` does.
    """
    ca_file = _readable(settings, "kafka_ca_file")
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise UsageError(f"{_named(settings, 'kafka_ca_file')} holds no certificate in PEM form") from None
    certificate, key = _readable(settings, "kafka_certificate_file"), _readable(settings, "kafka_key_file")
    if certificate is not None:
        password = _revealed(settings, "kafka_key_password") or ""
        try:
            # A function, for without one OpenSSL would ask the terminal for the password of a key that has one.
            context.load_cert_chain(certificate, key, lambda: password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                what = "is not the key of kafka_certificate_file"
            else:
                what = (
                    "or kafka_certificate_file is not in PEM form, or kafka_key_password is not the key's password"
                    if password
                    else "or kafka_certificate_file is not in PEM form, or the key needs kafka_key_password"
                )
            raise UsageError(f"{_named(settings, 'kafka_key_file')} {what}") from None
    return context


def user(settings: Settings) -> str:
    """Who this client is to the broker, in words."""
    if settings.kafka_security_protocol in SASL:
        return f"user {settings.kafka_username or settings.kafka_oauth_client_id!r}"
    if settings.kafka_certificate_file is not None:
        return f"the owner of certificate {settings.kafka_certificate_file}"
    return "an anonymous client (User:ANONYMOUS)"


def reason(settings: Settings, error: KafkaError, needs: str) -> str:
    """`error` in words; where the broker refused it, who was refused and the right that it `needs`."""
    if error.code() in AUTHORIZATION:
        return f"the broker refused {user(settings)}, who needs {needs} ({error.name()})"
    return error.str()


def connection_refused(settings: Settings, error: KafkaError) -> ConnectionRefusedByBrokerError | None:
    """What `error`, which librdkafka reports of a connection, means for the user; None when it may pass by itself."""
    where = f"the Kafka brokers at {settings.bootstrap_servers}"
    if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001 - librdkafka's own codes are public all the same
        return ConnectionRefusedByBrokerError(
            f"{where} refused {user(settings)} ({settings.kafka_sasl_mechanism}): {said(error)}; check "
            f"{', '.join(map(variable, _login(settings)))} and what the broker knows of them"
        )
    if "alert" in error.str() and "certificate" in error.str():  # the broker's word; in TLS 1.3 after the handshake
        return ConnectionRefusedByBrokerError(
            f"{where} did not accept {_client(settings)} ({said(error).rpartition('::')[2]}); check "
            "EDGEWISE_KAFKA_CERTIFICATE_FILE and EDGEWISE_KAFKA_KEY_FILE, and which authorities the brokers trust"
        )
    if error.code() == KafkaError._SSL:  # noqa: SLF001
        return ConnectionRefusedByBrokerError(
            f"no secure connection to {where}: {_handshake_fault(settings) or said(error)}; check "
            "EDGEWISE_BOOTSTRAP_SERVERS, EDGEWISE_KAFKA_SECURITY_PROTOCOL and EDGEWISE_KAFKA_CA_FILE"
        )
    return None


def somebody_listens(settings: Settings) -> bool:
    """Whether a connection to one of the brokers' ports can be made at all."""
    for host, port in _addresses(settings):
        with contextlib.suppress(OSError), socket.create_connection((host, port), _CONNECT_TIMEOUT_S):
            return True
    return False


def _client(settings: Settings) -> str:
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
    """Why the broker's certificate is not accepted: librdkafka only says that it is not."""
    context = tls_context(settings)
    for host, port in _addresses(settings):
        with contextlib.suppress(OSError):
            try:
                with (
                    socket.create_connection((host, port), _CONNECT_TIMEOUT_S) as plain,
                    context.wrap_socket(plain, server_hostname=host),
                ):
                    pass
            except ssl.SSLCertVerificationError as error:
                return f"the certificate of {host}:{port} is not accepted: {error.verify_message.rstrip('.')}"
    return None


def said(error: KafkaError) -> str:
    """What librdkafka says of a connection's fault, without the broker's address before and the timing behind them."""
    return error.str().partition(": ")[2].partition(" (after ")[0].strip().rstrip(".:")


def _readable(settings: Settings, name: str) -> str | None:
    path: str | None = getattr(settings, name)
    if path is not None:
        try:
            Path(path).open("rb").close()
        except OSError as error:
            raise UsageError(f"{_named(settings, name)} can't be read: {error.strerror}") from None
    return path


def _named(settings: Settings, name: str) -> str:
    return f"setting {name} ({variable(name)}) is {getattr(settings, name)!r}, which"


def _revealed(settings: Settings, name: str) -> str | None:
    secret = getattr(settings, name)
    return None if secret is None else secret.get_secret_value()
