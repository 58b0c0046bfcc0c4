import os
from pathlib import Path

import pytest

from docs.make_settings import page
from schemas.errors import UsageError
from streams.config import loading
from streams.config.loading import load_settings, origins, service_links
from streams.config.settings import Settings, variable
from streams.config.words import allowed, shown


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: no edgewise.toml but the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text('topic_prefix = "file."\nrouter = "article"\n')
    environ = {"EDGEWISE_TOPIC_PREFIX": "env."}
    settings = load_settings(file, environ)
    assert (settings.topic_prefix, settings.router, settings.window_s) == ("env.", "article", 60)
    found = origins(file, environ)
    assert (found["topic_prefix"], found["router"], found["window_s"]) == (
        "EDGEWISE_TOPIC_PREFIX",
        str(file),
        "default",
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("scored_roles", "customer, Agent", None),
        ("scored_roles", "customer,caller", "'caller' is no role"),
        ("scored_roles", "", None),
        ("scored_roles", ",", "'' is no role"),
        ("cloud_languages", "en, DE", None),
        ("cloud_languages", "*", None),
        ("cloud_languages", "en,english", "'english' is no language"),
        ("cloud_languages", "en-GB", "'en-gb' is no language"),
        ("unsupported_language", "ignore", "one of publish, skip"),
    ],
)
def test_roles_and_languages_are_known_ones(name: str, value: str, words: str | None) -> None:
    environ = {variable(name): value}
    if words is None:
        load_settings(None, environ)
    else:
        with pytest.raises(UsageError, match=words):
            load_settings(None, environ)
    some = load_settings(None, {"EDGEWISE_SCORED_ROLES": "Customer, bot", "EDGEWISE_CLOUD_LANGUAGES": "de,*"})
    assert some.roles_scored == frozenset(("customer", "bot"))
    assert some.languages_of_cloud == {"de", "*"}


def test_an_older_version_is_written_only_where_it_can_say_all_that_happens() -> None:
    older = {"EDGEWISE_SCHEMA_VERSION": "1"}
    with pytest.raises(UsageError, match="schema_version 1 cannot say that an event is not scored: allowed with it"):
        load_settings(None, older)
    every = older | {"EDGEWISE_SCORED_ROLES": "unknown,customer,agent,bot,system"}
    assert load_settings(None, every).schema_version == 1
    with pytest.raises(UsageError, match="unsupported_language publish"):
        load_settings(None, every | {"EDGEWISE_UNSUPPORTED_LANGUAGE": "skip"})
    assert load_settings(None, {"EDGEWISE_SCHEMA_VERSION": "2"}).schema_version == 2


def test_the_file_is_the_one_named_else_that_of_the_variable_else_edgewise_toml(tmp_path: Path) -> None:
    for name in ("named", "variable", "edgewise"):
        (tmp_path / f"{name}.toml").write_text(f'topic_prefix = "{name}"')
    environ = {"EDGEWISE_CONFIG": str(tmp_path / "variable.toml")}
    assert load_settings(tmp_path / "named.toml", environ).topic_prefix == "named"
    assert load_settings(None, environ).topic_prefix == "variable"
    assert load_settings(None, {}).topic_prefix == "edgewise"
    (tmp_path / "edgewise.toml").unlink()
    assert load_settings(None, {}).topic_prefix == ""


def test_the_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_WINDOW_S", "7")
    assert load_settings().window_s == 7
    assert Settings().window_s == 60  # the class alone reads nothing


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    (tmp_path / "edgewise.toml").write_text('router = "article"')
    environ = {"EDGEWISE_ROUTER": "", "EDGEWISE_CONFIG": ""}
    assert load_settings(None, environ).router == "article"
    assert origins(None, environ)["router"] == "edgewise.toml"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("token_budget", "0", "a whole number from 1 to 1,000,000"),
        ("token_budget", "many", "a whole number from 1 to 1,000,000"),
        ("confidence_threshold", "1.5", "a number from 0 to 1"),
        ("complexity_threshold", "nan", "a number of 0 or more"),
        ("router", "mine", "default, article, or a file that ends in .toml or .json"),
        ("bootstrap_servers", "kafka", "host:port, several with commas between them"),
        ("bootstrap_servers", "kafka:99999", "host:port, several with commas between them"),
        ("metrics_host", "..", "an address or a name of this machine; 0.0.0.0 or :: for all"),
        ("topic_prefix", "a b", "up to 100 letters, digits, dots, underscores and hyphens"),
        ("schema_registry_url", "ftp://there", "an http:// or https:// address"),
    ],
)
def test_a_refusal_names_setting_source_value_and_what_is_allowed(
    name: str, value: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(None, {variable(name): value})
    assert str(refused.value) == f"setting {name} ({variable(name)}) is {value!r}: allowed is {words}"
    (tmp_path / "edgewise.toml").write_text(f'{name} = "{value}"')
    with pytest.raises(UsageError, match=rf"setting {name} \(edgewise\.toml\) is"):
        load_settings(None, {})


def test_every_wrong_setting_is_told_on_one_line() -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(None, {"EDGEWISE_WINDOW_S": "0", "EDGEWISE_METRICS_PORT": "70000"})
    assert "window_s" in str(refused.value)
    assert "metrics_port" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"EDGEWISE_TOPIC_PREFX; the nearest known one is EDGEWISE_TOPIC_PREFIX"):
        load_settings(None, {"EDGEWISE_TOPIC_PREFX": "a"})
    (tmp_path / "edgewise.toml").write_text("chunk_record = 5")
    with pytest.raises(UsageError, match=r"setting in edgewise\.toml: chunk_record; .* is chunk_records"):
        load_settings(None, {})
    (tmp_path / "edgewise.toml").unlink()
    assert load_settings(None, {"PATH": "/", "EDGE": "x", "edgewise_x": "y"}) == Settings()


def test_an_unknown_name_that_holds_a_line_break_is_told_on_one_line(tmp_path: Path) -> None:
    """Seen to fail with the name as it is."""
    with pytest.raises(UsageError, match=r"^unknown environment variable: 'EDGEWISE_A\\nB'; the nearest .* all$"):
        load_settings(None, {"EDGEWISE_A\nB": "a"})
    (tmp_path / "edgewise.toml").write_text(r'"a\nb" = 1')
    with pytest.raises(UsageError, match=r"^unknown setting in edgewise\.toml: 'a\\nb'; the nearest .* all$"):
        load_settings(None, {})


def test_a_file_that_is_missing_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml does not exist"):
        load_settings(tmp_path / "nowhere.toml", {})
    with pytest.raises(UsageError, match=r"nowhere\.toml does not exist"):
        load_settings(None, {"EDGEWISE_CONFIG": str(tmp_path / "nowhere.toml")})
    for path in (tmp_path, Path(os.devnull)):  # a pipe would be empty for the second process that reads it
        with pytest.raises(UsageError, match=f"settings file {path} is a folder, a pipe or a device"):
            load_settings(path, {})
    (tmp_path / "edgewise.toml").write_text("topic_prefix = \n")
    with pytest.raises(UsageError, match=r"edgewise\.toml is not TOML: .*line 1"):
        load_settings(None, {})
    (tmp_path / "edgewise.toml").write_bytes(b'topic_prefix = "\xff"')
    with pytest.raises(UsageError, match=r"edgewise\.toml is not TOML"):
        load_settings(None, {})


def test_where_nobody_may_look_is_no_file_and_one_that_is_named_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is too long is refused to root, too, as a folder is to others."""
    long = Path("a" * 300)
    with pytest.raises(UsageError, match=r"settings file a+ can't be read: File name too long"):
        load_settings(long, {})
    monkeypatch.setattr(loading, "DEFAULT_CONFIG", long)
    assert load_settings(None, {}) == Settings()


def test_no_secret_is_shown() -> None:
    environ = {
        "EDGEWISE_SCHEMA_REGISTRY_USER": "me",
        "EDGEWISE_SCHEMA_REGISTRY_PASSWORD": "hunter2",
        "EDGEWISE_SCHEMA_REGISTRY_URL": "ftp://me:hunter2@registry",
    }
    with pytest.raises(UsageError) as refused:
        load_settings(None, environ)
    assert "hunter2" not in str(refused.value)
    assert "@registry" in str(refused.value)
    settings = load_settings(None, environ | {"EDGEWISE_SCHEMA_REGISTRY_URL": "https://registry:8081/a"})
    assert "hunter2" not in shown("schema_registry_password", settings.schema_registry_password)
    assert shown("schema_registry_url", settings.schema_registry_url) == "https://registry:8081/a"
    assert shown("schema_registry_url", "https://me:hunter2@registry:8081/a") == "https://********@registry:8081/a"
    assert shown("kafka_oauth_token_url", "https://host/t?key=hunter2#a") == "https://host/t?********"
    assert shown("kafka_oauth_token_url", "https://me:hun?ter2@host") == "https://********"
    assert shown("cloud_url", "host?key=hunter2") == "********"
    assert shown("schema_registry_url", "me:hunter2@registry") == "********"
    assert "hunter2" not in repr(settings.schema_registry_password)


@pytest.mark.parametrize(
    "name", ["cloud_url", "kafka_oauth_token_url", "schema_registry_url", "otel_endpoint", "ingest_public_url"]
)
@pytest.mark.parametrize("value", ["https://user:hun/ter2@host", "https://user:hun\N{CARE OF}ter2@host"])
def test_no_piece_of_a_secret_is_shown(name: str, value: str) -> None:
    """Python's own words about an address repeat what it took for its port, or for its host."""
    with pytest.raises(UsageError, match=rf"^setting {name} \({variable(name)}\) is 'https://\*+@host'") as refused:
        load_settings(None, {variable(name): value})
    assert "hun" not in str(refused.value)
    assert "ter2" not in str(refused.value)


def test_a_login_of_a_registry_is_whole_and_has_a_registry() -> None:
    for given, words in (
        ({"user": "me", "url": "http://a"}, "belong together: set both or neither"),
        ({"password": "hunter2", "url": "http://a"}, "belong together: set both or neither"),
        ({"user": "me", "password": "hunter2"}, "schema_registry_user is set, and schema_registry_url is not"),
        ({"url": "https://me:hunter2@a"}, "leave the login out: schema_registry_user and schema_registry_password"),
        ({"url": "a:8081"}, "allowed is an http:// or https:// address"),
        ({"url": "http://a:8081, b:8081"}, "allowed is an http:// or https:// address"),
    ):
        with pytest.raises(UsageError, match=words) as refused:
            load_settings(None, {variable(f"schema_registry_{name}"): value for name, value in given.items()})
        assert "hunter2" not in str(refused.value)
    both = "http://a:8081, https://b:8081"
    assert load_settings(None, {"EDGEWISE_SCHEMA_REGISTRY_URL": both}).schema_registry_url == both


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "edgewise.toml").write_text("schema_registry_password = 12345")
    with pytest.raises(UsageError) as refused:
        load_settings(None, {})
    assert "12345" not in str(refused.value)


def test_names_on_the_cluster_bear_the_prefix() -> None:
    settings = Settings(topic_prefix="a.", worker_id="w")
    assert settings.topic("sentiment") == "a.sentiment"
    assert settings.group("edge") == "a.edgewise-edge"
    assert settings.transactional_id("edge") == "a.edgewise-edge-w"


def test_every_setting_is_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert allowed(name), name


def test_the_page_is_up_to_date(repository: Path) -> None:
    assert (repository / "docs" / "settings.md").read_text(encoding="utf-8") == page(), (
        "make it again: python -m docs.make_settings > docs/settings.md"
    )


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Editors on Windows write one. Seen to fail with tomllib's own reading."""
    (tmp_path / "edgewise.toml").write_bytes(b'\xef\xbb\xbftopic_prefix = "a."\n')
    assert load_settings(None, {}).topic_prefix == "a."


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize("name", ["replication_factor", "confidence_threshold", "edge_price_usd", "metrics_port"])
def test_a_truth_value_is_no_number(name: str, value: str, tmp_path: Path) -> None:
    """Seen to fail without the check: `replication_factor = true` was 1."""
    (tmp_path / "edgewise.toml").write_text(f"{name} = {value}\n")
    with pytest.raises(
        UsageError, match=rf"^setting {name} \(edgewise\.toml\) is '{value.title()}': allowed is a .*number"
    ):
        load_settings(None, {})


@pytest.mark.parametrize(
    ("servers", "hint"),
    [
        ("kafka://here:9092", "leave kafka:// out"),
        ("here:9092,kafka://there:9092", "leave kafka:// out"),
        ("SASL_SSL://here:9092", "leave SASL_SSL:// out; kafka_security_protocol says how connections are secured"),
    ],
)
def test_brokers_with_a_scheme_are_refused_with_a_hint(servers: str, hint: str) -> None:
    """Seen to fail without the check: the host was looked up with its scheme, and no broker answered."""
    with pytest.raises(UsageError) as refused:
        load_settings(None, {"EDGEWISE_BOOTSTRAP_SERVERS": servers})
    assert str(refused.value) == (
        f"setting bootstrap_servers (EDGEWISE_BOOTSTRAP_SERVERS) is {servers!r}: "
        f"allowed is host:port, several with commas between them; {hint}"
    )


def test_a_login_inside_the_brokers_addresses_is_refused_and_not_shown() -> None:
    for servers in ("me:hunter2@here:9092", "kafka://me:hunter2@here:9092"):
        with pytest.raises(UsageError, match="allowed is host:port") as refused:
            load_settings(None, {"EDGEWISE_BOOTSTRAP_SERVERS": servers})
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("written", ["WARNING", "Warning", "warning"])
def test_a_log_level_is_read_in_any_case(written: str) -> None:
    settings = load_settings(None, {"EDGEWISE_LOG_LEVEL": written, "EDGEWISE_LOG_FORMAT": "JSON"})
    assert (settings.log_level, settings.log_format) == ("warning", "json")


# What a container finds of a Service `edgewise` with two ports, and of one called `edgewise-edge`.
LINKS = {
    "EDGEWISE_SERVICE_HOST": "10.0.0.11",
    "EDGEWISE_SERVICE_PORT": "9464",
    "EDGEWISE_SERVICE_PORT_METRICS": "9464",
    "EDGEWISE_PORT": "tcp://10.0.0.11:9464",
    "EDGEWISE_PORT_9464_TCP": "tcp://10.0.0.11:9464",
    "EDGEWISE_PORT_9464_TCP_PROTO": "tcp",
    "EDGEWISE_PORT_9464_TCP_PORT": "9464",
    "EDGEWISE_PORT_9464_TCP_ADDR": "10.0.0.11",
    "EDGEWISE_PORT_53_UDP": "udp://10.0.0.11:53",
    "EDGEWISE_PORT_53_UDP_ADDR": "10.0.0.11",
    "EDGEWISE_PORT_9_SCTP_PROTO": "sctp",
    "EDGEWISE_EDGE_SERVICE_HOST": "10.0.0.12",
    "EDGEWISE_EDGE_PORT": "tcp://10.0.0.12:9464",
}


def test_what_kubernetes_sets_for_a_service_is_no_setting() -> None:
    environ = LINKS | {"EDGEWISE_TOPIC_PREFIX": "a."}
    assert load_settings(None, environ) == Settings(topic_prefix="a.")
    assert service_links(environ) == sorted(LINKS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EDGEWISE_PORT", "9464"),
        ("EDGEWISE_SERVICE_HOSTS", "10.0.0.11"),
        ("EDGEWISE_PORT_9464_HTTP", "10.0.0.11"),
        ("EDGEWISE_METRIC_PORT", "9464"),
    ],
)
def test_what_only_looks_like_it_is_still_an_unknown_variable(name: str, value: str) -> None:
    assert service_links({name: value}) == []
    with pytest.raises(UsageError, match=f"unknown environment variable: {name}"):
        load_settings(None, {name: value})


def test_a_setting_that_a_service_overwrote_is_refused_with_the_way_out() -> None:
    """A Service called `edgewise-metrics` sets EDGEWISE_METRICS_PORT to its address."""
    with pytest.raises(
        UsageError, match=r"'tcp://10\.0\.0\.11:9464': allowed is .*; a Service called edgewise-metrics"
    ):
        load_settings(None, {"EDGEWISE_METRICS_PORT": "tcp://10.0.0.11:9464"})
