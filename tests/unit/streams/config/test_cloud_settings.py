"""The settings of the cloud backend: what belongs together, and the backend that they make."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from models.backends.calibration import CalibrationError
from models.backends.chain import ChainBackend
from models.cloud import Answer, CloudBackend, Failure, Question
from schemas.errors import UsageError
from streams.config.backends import build_service, cloud_name, start_backend
from streams.config.loading import load_settings
from streams.config.settings import Settings
from tests.asked import completion
from tests.http_server import answer, serve
from tests.kafka.certificates import Authority
from tests.tiny_artifact import tiny_artifact

KEY = "hush-hush-4711"
HELLO = Question("hello")
OPENAI = {"EDGEWISE_CLOUD_BACKEND": "openai", "EDGEWISE_CLOUD_MODEL_NAME": "m"}
V2 = {"EDGEWISE_CLOUD_BACKEND": "v2", "EDGEWISE_CLOUD_MODEL_NAME": "m", "EDGEWISE_CLOUD_URL": "http://triton:8000/"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory: no edgewise.toml but the test's own."""
    monkeypatch.chdir(tmp_path)


def load(**given: str) -> Settings:
    return load_settings(None, {f"EDGEWISE_CLOUD_{name.upper()}": value for name, value in given.items()})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"backend": "openai", "model_name": "m"},
        {"backend": "openai", "model_name": "m", "url": "http://vllm.models.svc:8000/v1"},
        {"backend": "openai", "model_name": "m", "url": "http://127.0.0.1:8080/v1", "api_key": "k"},
        {"backend": "anthropic", "model_name": "m", "api_key": "k"},
        {"backend": "v2", "model_name": "m", "url": "http://triton:8000", "input_name": "text", "output_name": "p"},
        {"backend": "tei", "url": "http://tei:80", "label_order": "positive, neutral, negative"},
    ],
    ids=str,
)
def test_what_belongs_together_is_taken(given: dict[str, str]) -> None:
    assert load(**given).cloud_backend == given.get("backend", "onnx")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://x"}, "cloud_url is set, and cloud_backend onnx does not use it"),
        ({"backend": "openai"}, "cloud_backend openai needs cloud_model_name"),
        ({"backend": "anthropic", "model_name": "m"}, "cloud_backend anthropic needs cloud_api_key"),
        ({"backend": "v2", "model_name": "m"}, "cloud_backend v2 needs cloud_url"),
        ({"backend": "tei"}, "cloud_backend tei needs cloud_url"),
        ({"backend": "tei", "url": "http://x", "input_name": "a"}, "cloud_input_name is set, and cloud_backend tei"),
        ({"backend": "openai", "model_name": "m", "url": "http://x/v1", "api_key": KEY}, "allowed is https://"),
        ({"backend": "openai", "model_name": "m", "api_key": KEY + "\n" + KEY}, "cloud_api_key"),
        ({"backend": "openai", "model_name": "m", "api_key": KEY + "é"}, "cloud_api_key"),
        ({"backend": "openai", "model_name": "a b"}, "a model's name"),
        ({"backend": "tei", "url": "http://x", "label_order": "negative,positive"}, "in any order"),
        ({"backend": "tei", "url": "ftp://x"}, "an http:// or https:// address"),
        ({"backend": "tei", "url": "http://x:y"}, "an http:// or https:// address"),
        ({"backend": "tei", "url": "http://127.0.0.1:8080/v1\n"}, "an http:// or https:// address"),
        ({"backend": "tei", "url": "http://999.1.1.1"}, "an http:// or https:// address"),
        ({"backend": "tei", "url": "http://x/v1 "}, "a space"),
        ({"backend": "tei", "url": f"https://sam:{KEY}@x"}, "without a user"),
        ({"backend": "tei", "url": "https://x/?a=b"}, "or a query"),
        ({"backend": "gpt"}, "one of onnx, openai, anthropic, v2, tei"),
    ],
    ids=str,
)
def test_what_does_not_is_refused_in_one_line_without_a_secret(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        load(**given)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert KEY not in str(refused.value)


def test_a_key_comes_from_a_file_and_goes_into_the_header(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    with serve(answer(completion(model="m"))) as server:
        settings = load_settings(
            None, OPENAI | {"EDGEWISE_CLOUD_URL": server.url + "/v1/", "EDGEWISE_CLOUD_API_KEY_FILE": str(file)}
        )
        (answered,) = _ask(settings)
    assert isinstance(answered, Answer)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].path == "/v1/chat/completions"
    assert KEY not in repr(settings)


def test_a_proxy_of_the_environment_gets_nothing_that_is_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answer(completion(model="m"))) as server, serve(answer({}, 503)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        (answered,) = _ask(load(backend="openai", model_name="m", url=server.url, api_key=KEY))
    assert isinstance(answered, Answer)
    assert not proxy.requests


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", f"socks5://sam:{KEY}@127.0.0.1:1080"),
        ("HTTPS_PROXY", f"htp://sam:{KEY}@x"),
        ("NO_PROXY", "fd00::/8"),
    ],
)
def test_proxies_that_cannot_be_used_are_refused_without_their_password(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.*NO_PROXY") as refused:
        build_service(load(backend="openai", model_name="m"))
    assert KEY not in str(refused.value)
    build_service(load(backend="openai", model_name="m", url="http://127.0.0.1:1"))


def test_anthropic_s_key_has_a_header_of_its_own() -> None:
    with serve(answer({}, 401)) as server:
        _ask(load(backend="anthropic", model_name="m", api_key=KEY, url=server.url))
    assert server.requests[0].headers["x-api-key"] == KEY
    assert server.requests[0].headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in server.requests[0].headers


def test_files_for_mutual_tls_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    good, other = (Authority(tmp_path, name).issue(f"worker-{name}") for name in ("one", "two"))
    given = {"backend": "openai", "model_name": "m", "url": "https://cloud.test"}
    build_service(load(**given, certificate_file=str(good)))
    with pytest.raises(UsageError, match=r"cloud_certificate_file.*none\.pem.*No such file"):
        build_service(load(**given, certificate_file=str(tmp_path / "none.pem")))
    with pytest.raises(UsageError, match="the key is another certificate's"):
        build_service(load(**given, certificate_file=str(good), key_file=str(other)))
    with pytest.raises(UsageError, match="cloud_certificate_file is not: set both"):
        load(**given, key_file=str(good))


def test_a_price_book_of_ones_own_goes_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('dated = 2026-01-31\n[[price]]\nmodel = "gpt-4o-mini"\ninput = 0.3\noutput = 1.2\n')
    with serve(answer(completion(model="gpt-4o-mini"))) as server:
        (shipped,) = _ask(load(backend="openai", model_name="gpt-4o-mini", url=server.url))
        (owned,) = _ask(
            load(backend="openai", model_name="gpt-4o-mini", url=server.url).model_copy(update={"prices": str(own)})
        )
    assert isinstance(shipped, Answer)
    assert isinstance(owned, Answer)
    assert shipped.spent.cost_usd == pytest.approx(100 * 0.15e-6 + 0.6e-6)
    assert owned.spent.cost_usd == pytest.approx(2 * shipped.spent.cost_usd)
    assert owned.spent.basis == "measured"


def test_a_chain_is_told_by_files(tmp_path: Path) -> None:
    tiny_artifact(tmp_path, "cloud", confidence_threshold=None)
    (tmp_path / "next.toml").write_text(f'cloud_model = "{tmp_path / "cloud"}"\ncloud_price_usd = 0.5\n')
    with serve(answer({}, 401)) as server:
        settings = load(backend="v2", model_name="m", url=server.url, next_config=str(tmp_path / "next.toml"))
        (answered,) = _ask(settings, kind=ChainBackend)
    assert isinstance(answered, Answer)
    assert answered.model.startswith("cloud@")
    assert answered.spent.cost_usd == 0.5
    assert len(server.requests) == 1


def test_of_the_next_file_the_settings_of_the_cloud_count_and_its_languages_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('dated = 2026-01-31\n[[price]]\nmodel = "second"\ninput = 1\noutput = 1\n')
    (tmp_path / "none.toml").write_text("dated = 2026-01-31\nprice = []\n")
    with serve(answer({}, 401)) as server, serve(answer(completion(model="second"))) as second:
        (tmp_path / "next.toml").write_text(
            f'cloud_backend = "openai"\ncloud_model_name = "second"\ncloud_url = "{second.url}"\nprices = "none.toml"\n'
        )
        given = load(backend="v2", model_name="m", url=server.url, next_config="next.toml", languages="*")
        settings = given.model_copy(update={"prices": "own.toml"})
        (english,), (german,) = (
            _ask(settings, question=Question("Vielen Dank", language)) for language in ("en", "de")
        )
    assert isinstance(english, Answer)
    assert english.spent.cost_usd == pytest.approx(101e-6)
    assert isinstance(german, Failure)
    assert len(second.requests) == 1


def test_a_chain_has_an_end(tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    file.write_text(f'cloud_backend = "tei"\ncloud_url = "http://x"\ncloud_next_config = "{file}"\n')
    with pytest.raises(UsageError, match="a chain of more than 4 backends"):
        _ask(load_settings(file, {}))
    with pytest.raises(UsageError, match="does not exist"):
        _ask(load(backend="tei", url="http://x", next_config="no-such.toml"))


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for name, words in ((str(empty), "no certificate in PEM form"), ("no-such.pem", "No such file")):
        with pytest.raises(UsageError, match=f"cloud_ca_file.*{words}"):
            build_service(load_settings(None, V2 | {"EDGEWISE_CLOUD_CA_FILE": name}))
    made: dict[str, Any] = {"format": 1, "model": "other", "fingerprint": None, "temperature": 2, "texts": 99}
    made |= {"accuracy": 0.5, "loss_before": 1, "loss_after": 1, "made": "2026-11-29"}
    (tmp_path / "calibration.json").write_text(json.dumps(made))
    with pytest.raises(CalibrationError, match="made for other, and cloud_model_name is m"):
        build_service(load_settings(None, V2 | {"EDGEWISE_CLOUD_CALIBRATION": str(tmp_path / "calibration.json")}))


def test_an_artifact_that_does_not_read_what_the_settings_say_is_refused() -> None:
    settings = load_settings(None, {"EDGEWISE_CLOUD_LANGUAGES": "de,en,fr"})
    with pytest.raises(UsageError, match=r"cloud_languages has de, fr, which cloud@\S+ does not read: allowed is en"):
        asyncio.run(start_backend(settings))


def test_the_cloud_has_a_name() -> None:
    assert cloud_name(load_settings(None, V2)) == "v2:m"
    assert cloud_name(load(backend="tei", url="http://tei:80/")) == "tei:http://tei:80"
    assert cloud_name(Settings()).startswith("cloud@")


def _ask(settings: Settings, kind: type[Any] = object, question: Question = HELLO) -> Any:
    async def asked() -> Any:
        backend: CloudBackend
        backend, _ = await start_backend(settings)
        assert isinstance(backend, kind)
        try:
            return await backend.answer([question], 10)
        finally:
            await backend.close()

    return asyncio.run(asked())
