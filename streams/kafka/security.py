"""What secures a connection to Kafka: librdkafka's options, Python's TLS context, and the PEM files of both."""

import ssl
from pathlib import Path
from typing import Any

from schemas.errors import UsageError
from streams.config.kafka_settings import SASL, TLS
from streams.config.settings import Settings, variable
from streams.kafka.oauth import token_source


def librdkafka_security(settings: Settings) -> dict[str, Any]:
    """The part of a confluent-kafka configuration that secures its connections. It holds the PEM files' contents.

    Raises UsageError: a file is missing, unreadable, or not what it should be.
    """
    config: dict[str, Any] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol in TLS:
        tls_context(settings)  # librdkafka's own message for a bad file names neither the file nor the setting
        config |= {
            key: value
            for key, value in {
                "ssl.ca.pem": _pem(settings, "kafka_ca_file"),
                "ssl.certificate.pem": _pem(settings, "kafka_certificate_file"),
                "ssl.key.pem": _pem(settings, "kafka_key_file"),
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
    """How Python's TLS checks a broker and shows who this client is, as librdkafka does.

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
            # A function: given None, OpenSSL would ask the terminal for the password of an encrypted key.
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


def _readable(settings: Settings, name: str) -> str | None:
    path: str | None = getattr(settings, name)
    if path is not None:
        try:
            Path(path).open("rb").close()
        except OSError as error:
            raise UsageError(f"{_named(settings, name)} can't be read: {error.strerror}") from None
    return path


def _pem(settings: Settings, name: str) -> str | None:
    """The contents of the PEM file of setting `name`. Certificates may have comments in any encoding around them."""
    path = _readable(settings, name)
    return None if path is None else Path(path).read_text(encoding="utf-8", errors="replace")


def _named(settings: Settings, name: str) -> str:
    return f"setting {name} ({variable(name)}) is {getattr(settings, name)!r}, which"


def _revealed(settings: Settings, name: str) -> str | None:
    secret = getattr(settings, name)
    return None if secret is None else secret.get_secret_value()
