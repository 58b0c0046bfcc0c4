"""The settings of a secured connection: what belongs together, secrets from files, and what is never shown."""

import json
from pathlib import Path

import pytest

from schemas.errors import UsageError
from streams.config.loading import load_settings, origins
from streams.config.settings import Settings, variable
from streams.config.words import is_secret

SECRET = "hush-hush-4711"
LOGIN = {
    "EDGEWISE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "EDGEWISE_KAFKA_SASL_MECHANISM": "PLAIN",
    "EDGEWISE_KAFKA_USERNAME": "sam",
    "EDGEWISE_KAFKA_PASSWORD": SECRET,
}
PLAIN = {"protocol": "SASL_SSL", "mechanism": "PLAIN"}
SCRAM = {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512"}
TOKEN = {"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory: no edgewise.toml but the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"protocol": "SSL"},
        {"protocol": "SSL", "ca_file": "ca", "certificate_file": "c", "key_file": "k", "key_password": "p"},
        {"protocol": "SASL_PLAINTEXT", "mechanism": "SCRAM-SHA-512", "username": "u", "password": "p"},
        PLAIN | {"username": "u", "password": "p", "ca_file": "ca"},
        {
            "protocol": "SASL_SSL",
            "mechanism": "OAUTHBEARER",
            "url": "https://a/t",
            "id": "i",
            "secret": "s",
            "scope": "x",
        },
        {
            "protocol": "SASL_PLAINTEXT",
            "mechanism": "OAUTHBEARER",
            "url": "https://a",
            "id": "i",
            "secret": "s",
            "ca_file": "ca",
        },
    ],
)
def test_what_belongs_together_is_accepted(given: dict[str, str]) -> None:
    assert settings_of(given) is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"protocol": "SASL_SSL"},
            "kafka_security_protocol SASL_SSL needs kafka_sasl_mechanism: allowed is one of",
        ),
        ({"mechanism": "PLAIN"}, "kafka_sasl_mechanism is set, and kafka_security_protocol PLAINTEXT does not use it"),
        (
            PLAIN | {"username": "u"},
            "PLAIN needs kafka_password: allowed is text, or",
        ),
        (
            SCRAM | {"password": SECRET},
            "SCRAM-SHA-512 needs kafka_username",
        ),
        (
            TOKEN | {"url": "http://127.0.0.1:8080/t", "id": "i"},
            "needs kafka_oauth_client_secret",
        ),
        (
            TOKEN | {"id": "i", "secret": SECRET},
            "needs kafka_oauth_token_url",
        ),
        ({"protocol": "SSL", "certificate_file": "c"}, "a certificate or a key's password needs kafka_key_file"),
        ({"protocol": "SSL", "key_file": "k"}, "a key needs kafka_certificate_file: allowed is a file in PEM form"),
        ({"protocol": "SSL", "key_password": SECRET}, "a certificate or a key's password needs kafka_key_file"),
        (
            {"username": "u", "password": SECRET},
            "kafka_password is set, and kafka_security_protocol PLAINTEXT",
        ),
        ({"ca_file": "ca"}, "kafka_ca_file is set, and kafka_security_protocol PLAINTEXT does not use it: allowed is"),
        (
            {"protocol": "SSL", "password": SECRET},
            "allowed is kafka_sasl_mechanism PLAIN or kafka_sasl_mechanism",
        ),
        (
            PLAIN | {"username": "u", "password": SECRET, "scope": "x"},
            "kafka_oauth_scope is set, and kafka_security_protocol SASL_SSL with PLAIN does not use it",
        ),
        ({"protocol": "TLS"}, "allowed is one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        (
            {"protocol": "SASL_SSL", "mechanism": "GSSAPI"},
            "allowed is one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
        ),
        ({"url": "ftp://there"}, "allowed is an https:// address"),
        ({"url": f"https://me:{SECRET}@there"}, "without a user or password in it"),
        # The client secret would go over the network for anyone to read.
        *(
            ({"url": f"http://{host}/t"}, f"is 'http://{host}/t': allowed is an https:// address (http:// only on this")
            for host in ("a", "10.0.0.1", "localhost.a", "127.0.0.1.a", "[::2]")
        ),
        ({"url": "https://there:99999"}, "allowed is an https:// address"),
    ],
)
def test_what_does_not_is_refused_on_one_line(given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        settings_of(given)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3:8080", "[::1]:80"])
def test_a_token_endpoint_of_this_machine_may_do_without_tls(host: str) -> None:
    given = {"protocol": "SASL_PLAINTEXT", "mechanism": "OAUTHBEARER", "url": f"http://{host}/t", "id": "i"}
    assert settings_of(given | {"secret": SECRET}).kafka_oauth_token_url == f"http://{host}/t"


@pytest.mark.parametrize("port", ["²", "١٢٣", "1_0", " 9092", "0", "65536", ""])
def test_a_port_is_a_number_in_plain_digits(port: str) -> None:
    with pytest.raises(UsageError, match=r"setting bootstrap_servers .* allowed is host:port"):
        load_settings(None, {"EDGEWISE_BOOTSTRAP_SERVERS": f"a:{port}"})


@pytest.mark.parametrize(
    "servers",
    [
        "a:9092 b:9092",
        "a:9092;b:9092",
        "a;b:9092",
        "a..b:9092",
        ".a:9092",
        f"{'a' * 64}:9092",
        "::1:9092",
        "[kafka]:9092",
    ],
)
def test_a_host_that_cannot_be_looked_up_is_refused(servers: str) -> None:
    with pytest.raises(UsageError, match=r"setting bootstrap_servers .* allowed is host:port"):
        load_settings(None, {"EDGEWISE_BOOTSTRAP_SERVERS": servers})


@pytest.mark.parametrize(
    "servers", [f"kafka_1-a.{'a' * 63}.example.:9092", "10.0.0.1:1,b:2", "[::1]:9092", "[fe80::1%eth0]:9092"]
)
def test_a_host_is_a_name_or_an_address(servers: str) -> None:
    assert load_settings(None, {"EDGEWISE_BOOTSTRAP_SERVERS": servers}).bootstrap_servers == servers


def settings_of(given: dict[str, str]) -> Settings:
    """Settings of variables by the ends of their names."""
    longer = {
        "protocol": "security_protocol",
        "mechanism": "sasl_mechanism",
        "url": "oauth_token_url",
        "id": "oauth_client_id",
        "secret": "oauth_client_secret",
        "scope": "oauth_scope",
    }
    return load_settings(None, {variable(f"kafka_{longer.get(name, name)}"): value for name, value in given.items()})


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mounted"
    file.write_text(f"{SECRET} \r\n")
    environ = {name: value for name, value in LOGIN.items() if name != "EDGEWISE_KAFKA_PASSWORD"}
    environ["EDGEWISE_KAFKA_PASSWORD_FILE"] = str(file)
    settings = load_settings(None, environ)
    assert settings.kafka_password is not None
    assert settings.kafka_password.get_secret_value() == f"{SECRET} ", "only the line break is none of it"
    assert origins(None, environ)["kafka_password"] == "EDGEWISE_KAFKA_PASSWORD_FILE"

    registry_of = 'schema_registry_url = "http://a"\nschema_registry_user = "sam"\n'
    (tmp_path / "edgewise.toml").write_text(f"{registry_of}schema_registry_password_file = {json.dumps(str(file))}")
    registry = load_settings(None, {}).schema_registry_password
    assert registry is not None
    assert registry.get_secret_value() == f"{SECRET} "
    assert origins(None, {})["schema_registry_password"] == "edgewise.toml"
    mine = load_settings(None, {"EDGEWISE_SCHEMA_REGISTRY_PASSWORD": "mine"}).schema_registry_password
    assert mine is not None
    assert mine.get_secret_value() == "mine", "a variable wins over the file"
    file.rename(tmp_path / "elsewhere")
    for name, value in (("", "mine"), ("_FILE", "elsewhere")):
        load_settings(None, {f"EDGEWISE_SCHEMA_REGISTRY_PASSWORD{name}": value})  # the file's file is not looked for


def test_a_byte_order_mark_is_none_of_a_secret(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    (tmp_path / "mounted").write_bytes(b"\xef\xbb\xbf" + SECRET.encode())
    environ = LOGIN | {"EDGEWISE_KAFKA_PASSWORD": "", "EDGEWISE_KAFKA_PASSWORD_FILE": "mounted"}
    password = load_settings(None, environ).kafka_password
    assert password is not None
    assert password.get_secret_value() == SECRET


def test_a_secret_where_its_files_path_belongs_is_not_shown() -> None:
    with pytest.raises(UsageError, match=r"EDGEWISE_KAFKA_PASSWORD_FILE is '\*+', which can't be read: No") as refused:
        load_settings(None, {"EDGEWISE_KAFKA_PASSWORD_FILE": SECRET})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read: No such file or directory"),
        (b"", "is empty: allowed is a file that holds the secret"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is no text"),
    ],
)
def test_a_secrets_file_that_holds_none_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "mounted"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=message) as refused:
        load_settings(None, {"EDGEWISE_KAFKA_PASSWORD_FILE": str(file)})
    assert f"EDGEWISE_KAFKA_PASSWORD_FILE is {str(file)!r}" in str(refused.value)


def test_a_secret_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "mounted").write_text(SECRET)
    with pytest.raises(
        UsageError, match=r"EDGEWISE_KAFKA_PASSWORD and EDGEWISE_KAFKA_PASSWORD_FILE are both set"
    ) as no:
        load_settings(None, LOGIN | {"EDGEWISE_KAFKA_PASSWORD_FILE": str(tmp_path / "mounted")})
    assert SECRET not in str(no.value)


def test_only_secrets_have_files() -> None:
    with pytest.raises(UsageError, match=r"EDGEWISE_KAFKA_USERNAME_FILE; the nearest known one is"):
        load_settings(None, {"EDGEWISE_KAFKA_USERNAME_FILE": "x"})
    assert {name for name in Settings.model_fields if is_secret(name)} == {
        "cloud_api_key",
        "kafka_password",
        "kafka_key_password",
        "kafka_oauth_client_secret",
        "page_token",
        "schema_registry_password",
    }
