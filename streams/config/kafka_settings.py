"""How to reach Kafka: the settings that every client of it shares, and which of them belong together."""

import re
from typing import Literal, Self, cast

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_settings import BaseSettings

from streams.config.addresses import is_host, is_loopback, web_address

TLS = ("SSL", "SASL_SSL")
SASL = ("SASL_PLAINTEXT", "SASL_SSL")
PROTOCOLS = ("PLAINTEXT", "SSL", *SASL)
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")

_PASSWORD_LOGIN = ("kafka_username", "kafka_password")
_TOKEN_LOGIN = ("kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret")
_FILE: JsonDict = {"allowed": "a file in PEM form"}


class KafkaSettings(BaseSettings):
    """Where the brokers are and how a connection is secured and opened."""

    bootstrap_servers: str = Field(
        "127.0.0.1:9092",
        description="Kafka brokers.",
        json_schema_extra={"allowed": "host:port, several with commas between them"},
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How connections are secured: by TLS (SSL), by a login (SASL), by both or neither."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="How to log in.", json_schema_extra={"allowed": f"one of {', '.join(MECHANISMS)}"}
    )
    kafka_username: str | None = Field(
        None, description="User for PLAIN and SCRAM.", json_schema_extra={"allowed": "a user's name"}
    )
    kafka_password: SecretStr | None = Field(
        None,
        description="Password of that user.",
        json_schema_extra={"allowed": "text, or kafka_password_file in its place: the file that holds it"},
    )
    kafka_ca_file: str | None = Field(
        None,
        description="The authorities that may have issued the brokers' certificates. Unset: the system's.",
        json_schema_extra=_FILE,
    )
    kafka_certificate_file: str | None = Field(
        None, description="This client's certificate, and those between it and its authority.", json_schema_extra=_FILE
    )
    kafka_key_file: str | None = Field(
        None, description="The private key of that certificate.", json_schema_extra=_FILE
    )
    kafka_key_password: SecretStr | None = Field(
        None,
        description="Password of that key, when it has one.",
        json_schema_extra={"allowed": "text, or kafka_key_password_file in its place: the file that holds it"},
    )
    kafka_oauth_token_url: str | None = Field(
        None,
        description="Where OAUTHBEARER gets its tokens (OAuth 2.0 client credentials). An https:// one may also be "
        "certified by `kafka_ca_file`.",
        json_schema_extra={
            "allowed": "an https:// address (http:// only on this machine, for it would send the client secret for "
            "anyone to read), without a user or password in it"
        },
    )
    kafka_oauth_client_id: str | None = Field(
        None, description="Client id for it.", json_schema_extra={"allowed": "a client's id"}
    )
    kafka_oauth_client_secret: SecretStr | None = Field(
        None,
        description="Client secret for it.",
        json_schema_extra={"allowed": "text, or kafka_oauth_client_secret_file in its place: the file that holds it"},
    )
    kafka_oauth_scope: str | None = Field(None, description="Scope to ask for, when the token endpoint wants one.")
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic",
        description="How workers share partitions: `classic`, or `consumer`, which brokers have since Kafka 4.0 "
        "(KIP-848): they decide themselves, and nobody stops for others.",
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "lz4",
        description="How records are compressed on their way to the brokers, and in topics that only Edgewise reads. "
        "What others read is gzip in any case, which every Kafka client knows: the broker sees to it.",
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        for server in value.split(","):
            scheme, separator, _ = server.strip().partition("://")
            if separator and scheme.replace("_", "").isalnum():
                how = (
                    "; kafka_security_protocol says how connections are secured" if scheme.upper() in PROTOCOLS else ""
                )
                raise ValueError(f"leave {scheme}:// out{how}")
            host, _, port = server.strip().rpartition(":")
            found = re.fullmatch(r"\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^:]+)", host)  # [an IPv6 address], or a name
            named = found is not None and is_host(found[1] or found[2])
            if not named or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65_536:
                raise ValueError
        return ",".join(server.strip() for server in value.split(","))

    @field_validator("kafka_oauth_token_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            parts = web_address(value)
            if "@" in parts.netloc or not (parts.scheme == "https" or is_loopback(parts.hostname or "")):
                raise ValueError
        return value

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        """A setting that is needed and not set, or set and not used, is refused: who sets one relies on it."""
        protocol, mechanism = self.kafka_security_protocol, self.kafka_sasl_mechanism
        needed, used = dict[str, str](), {"kafka_security_protocol"}
        if protocol in TLS:
            used |= {"kafka_ca_file", "kafka_certificate_file", "kafka_key_file", "kafka_key_password"}
            if self.kafka_certificate_file is not None or self.kafka_key_password is not None:
                needed["kafka_key_file"] = "a certificate or a key's password"
            if self.kafka_key_file is not None:
                needed["kafka_certificate_file"] = "a key"
        if protocol in SASL:
            needed["kafka_sasl_mechanism"] = f"kafka_security_protocol {protocol}"
        if protocol in SASL and mechanism == "OAUTHBEARER":
            needed |= dict.fromkeys(_TOKEN_LOGIN, mechanism)
            used |= {"kafka_oauth_scope", "kafka_ca_file"}
        elif protocol in SASL and mechanism is not None:
            needed |= dict.fromkeys(_PASSWORD_LOGIN, mechanism)
        kafka = [name for name in KafkaSettings.model_fields if name.startswith("kafka_")]
        given = [name for name in kafka if getattr(self, name) is not None]
        mode = f"{protocol} with {mechanism}" if protocol in SASL else protocol
        problems = [
            f"{why} needs {name}: allowed is {_allowed(name)}" for name, why in needed.items() if name not in given
        ]
        if not problems:
            problems = [
                f"{name} is set, and kafka_security_protocol {mode} does not use it: "
                f"allowed is {' or '.join(_users(name))}, or leave it unset"
                for name in given
                if name not in used | needed.keys()
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _allowed(name: str) -> str:
    return str(cast(JsonDict, KafkaSettings.model_fields[name].json_schema_extra)["allowed"])


def _users(name: str) -> tuple[str, ...]:
    """The modes in which setting `name` is used."""
    if name.startswith("kafka_oauth"):
        return ("kafka_sasl_mechanism OAUTHBEARER",)
    if name in _PASSWORD_LOGIN:
        return tuple(f"kafka_sasl_mechanism {mechanism}" for mechanism in MECHANISMS if mechanism != "OAUTHBEARER")
    return tuple(f"kafka_security_protocol {mode}" for mode in (SASL if name == "kafka_sasl_mechanism" else TLS))
