"""Files of a secured connection: a word for each that is missing or not what it should be; and no word of a secret."""

import ssl
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.kafka.refusals import connection_refused, is_listening
from streams.kafka.security import librdkafka_security, tls_context
from tests.kafka.certificates import Authority

SECRET = "hush-hush-4711"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def secured(**changed: object) -> Settings:
    return Settings(**{"kafka_security_protocol": "SSL"} | changed)  # type: ignore[arg-type]


def with_certificate(file: Path, key: Path | None = None, password: str | None = None) -> Settings:
    return secured(kafka_certificate_file=str(file), kafka_key_file=str(key or file), kafka_key_password=password)


def test_librdkafka_is_given_files_and_passwords(authority: Authority) -> None:
    file = authority.issue("client", password=SECRET)
    config = librdkafka_security(
        secured(
            kafka_security_protocol="SASL_SSL",
            kafka_ca_file=str(authority.file),
            kafka_certificate_file=str(file),
            kafka_key_file=str(file),
            kafka_key_password=SECRET,
            kafka_sasl_mechanism="SCRAM-SHA-512",
            kafka_username="sam",
            kafka_password=SECRET,
        )
    )
    assert config == {
        "security.protocol": "SASL_SSL",
        "ssl.ca.pem": authority.file.read_text(),
        "ssl.certificate.pem": file.read_text(),
        "ssl.key.pem": file.read_text(),
        "ssl.key.password": SECRET,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "sam",
        "sasl.password": SECRET,
    }


def test_pythons_tls_checks_certificate_and_host(authority: Authority) -> None:
    context = tls_context(secured(kafka_ca_file=str(authority.file)))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    [found] = context.get_ca_certs()
    assert found["subject"] == ((("commonName", "authority"),),), "and no other authority"


def test_a_file_that_cannot_be_used_is_named(authority: Authority, tmp_path: Path) -> None:
    client, other = authority.issue("client"), authority.issue("other")
    locked = authority.issue("locked", password=SECRET)
    prose = tmp_path / "prose"
    prose.write_text("no certificate")
    nowhere = tmp_path / "nowhere"
    cases = {
        secured(kafka_ca_file=str(nowhere)): "EDGEWISE_KAFKA_CA_FILE.*nowhere', which can't be read: No such file",
        secured(kafka_ca_file=str(tmp_path)): "EDGEWISE_KAFKA_CA_FILE.*which can't be read: Is a directory",
        secured(kafka_ca_file=str(prose)): "EDGEWISE_KAFKA_CA_FILE.*prose', which holds no certificate in PEM form",
        with_certificate(nowhere, client): "EDGEWISE_KAFKA_CERTIFICATE_FILE.*which can't be read",
        with_certificate(client, nowhere): "EDGEWISE_KAFKA_KEY_FILE.*which can't be read",
        with_certificate(client, other): "other.pem', which is not the key of kafka_certificate_file",
        with_certificate(client, prose): "prose', which or kafka_certificate_file is not in PEM form",
        with_certificate(locked): "the key needs kafka_key_password",
        with_certificate(locked, password="wrong"): "kafka_key_password is not the key's password",
    }
    for settings, words in cases.items():
        with pytest.raises(UsageError, match=words) as refused:
            librdkafka_security(settings)
        assert "\n" not in str(refused.value)
        assert SECRET not in str(refused.value)
    assert librdkafka_security(with_certificate(locked, password=SECRET))["ssl.key.password"] == SECRET


def test_a_certificate_that_the_brokers_do_not_accept_is_told(authority: Authority) -> None:
    """OpenSSL's word for one of an unknown authority has no "certificate" in it."""
    settings = with_certificate(authority.issue("client"))
    for alert in ("tlsv1 alert unknown ca", "tlsv13 alert certificate required"):
        text = f"ssl://a:9093/bootstrap: Disconnected: error:0A000418:SSL routines::{alert} (after 3ms in state UP)"
        told = connection_refused(settings, KafkaError(KafkaError._TRANSPORT, text))
        assert f"did not accept the certificate in {settings.kafka_certificate_file} ({alert}); check" in str(told)
    assert connection_refused(settings, KafkaError(KafkaError._TRANSPORT, "ssl://a:9093/bootstrap: broken")) is None


def test_a_broker_whose_name_cannot_be_looked_up_does_not_listen() -> None:
    """A broker may say of itself that it has one."""
    assert not is_listening(Settings().model_copy(update={"bootstrap_servers": "a..b:9092"}))
