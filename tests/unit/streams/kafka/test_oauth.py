"""Tokens by client credentials, from an endpoint of the test's own."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from schemas.errors import EdgewiseError, UsageError
from streams.config.settings import Settings
from streams.kafka.oauth import TokenError, TokenRefusedError, TokenSource

SECRET = "hush/hush 47+11"


class Endpoint(ThreadingHTTPServer):
    """Answers what `status` and `answer` say; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.answer: object = {"access_token": "token-1", "expires_in": 100}
        self.location: str | None = None
        self.encoding: str | None = None
        self.asked: list[tuple[str, dict[str, list[str]]]] = []


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
        self.server.asked.append((self.headers["Authorization"], form))
        body = self.server.answer if isinstance(self.server.answer, bytes) else json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        if self.server.location is not None:
            self.send_header("Location", self.server.location)
        if self.server.encoding is not None:
            self.send_header("Content-Encoding", self.server.encoding)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - what a redirect would turn into

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def served() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with served() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Endpoint]:
    with served() as server:
        yield server


def settings(url: str, **changed: object) -> Settings:
    values: dict[str, object] = {
        "kafka_security_protocol": "SASL_PLAINTEXT",
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_oauth_token_url": url,
        "kafka_oauth_client_id": "edge:1",
        "kafka_oauth_client_secret": SECRET,
    }
    return Settings(**values | changed)  # type: ignore[arg-type]


def address(endpoint: Endpoint) -> str:
    return f"http://127.0.0.1:{endpoint.server_port}/token"


def test_a_token_is_asked_for_once_and_renewed_before_it_ends(endpoint: Endpoint) -> None:
    now = [1000.0]
    source = TokenSource(settings(address(endpoint)), lambda: now[0])
    assert source.token() == ("token-1", 1100.0)
    endpoint.answer = {"access_token": "token-2", "expires_in": 50}
    now[0] = 1074.0
    assert source.token() == ("token-1", 1100.0)
    now[0] = 1075.0  # librdkafka asks at 80 %, and must not be given the old one
    assert source.token() == ("token-2", 1125.0)
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("scope", [None, "kafka.read kafka.write"])
def test_the_client_shows_itself_as_the_standard_says(endpoint: Endpoint, scope: str | None) -> None:
    TokenSource(settings(address(endpoint), kafka_oauth_scope=scope)).token()
    [(authorization, form)] = endpoint.asked
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"edge%3A1:hush%2Fhush+47%2B11"
    assert form == {"grant_type": ["client_credentials"]} | ({} if scope is None else {"scope": [scope]})


@pytest.mark.parametrize(
    ("status", "answer", "kind", "words"),
    [
        (401, {"error": "invalid_client"}, TokenRefusedError, r"refused client 'edge:1' \(HTTP 401\): check"),
        (400, {"error": "invalid_scope"}, TokenRefusedError, "EDGEWISE_KAFKA_OAUTH_SCOPE"),
        (503, {}, TokenError, "answered HTTP 503: check EDGEWISE_KAFKA_OAUTH_TOKEN_URL"),
        (200, {"access_token": "t"}, TokenError, "answered without access_token and expires_in"),
        (200, b"<html>", TokenError, "answered without access_token"),
        (200, [1], TokenError, "answered without access_token"),
        *(
            (200, {"access_token": token, "expires_in": life}, TokenError, "answered without access_token")
            for token, life in (
                (None, 300),
                ("", 300),
                ("t", float("nan")),
                ("t", float("inf")),
                ("t", 0),
                ("t", 10**400),
            )
        ),
    ],
)
def test_an_endpoint_that_gives_none(
    endpoint: Endpoint, status: int, answer: object, kind: type[EdgewiseError], words: str
) -> None:
    endpoint.status, endpoint.answer = status, answer
    with pytest.raises(kind, match=words) as refused:
        TokenSource(settings(address(endpoint))).token()
    assert str(refused.value).startswith(f"the token endpoint {address(endpoint)} ")
    assert SECRET not in str(refused.value)
    assert issubclass(kind, UsageError) == (status in {400, 401})


def test_an_endpoint_that_is_not_there() -> None:
    with pytest.raises(
        TokenError, match=r"the token endpoint http://127\.0\.0\.1:1/t does not answer: Connection refused"
    ):
        TokenSource(settings("http://127.0.0.1:1/t")).token()


def test_an_answer_that_cannot_be_unpacked(endpoint: Endpoint) -> None:
    endpoint.answer, endpoint.encoding = b"no gzip", "gzip"
    with pytest.raises(TokenError, match=rf"the token endpoint {address(endpoint)} does not answer: error"):
        TokenSource(settings(address(endpoint))).token()


@pytest.mark.parametrize("host", ["a..b", "\N{LATIN SMALL LETTER SHARP S}" * 60])
def test_an_address_that_cannot_be_asked(host: str) -> None:
    unasked = settings("https://a/t").model_copy(update={"kafka_oauth_token_url": f"https://{host}/t"})
    with pytest.raises(TokenError, match="does not answer: "):
        TokenSource(unasked).token()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_the_secret_nowhere(endpoint: Endpoint, elsewhere: Endpoint, status: int) -> None:
    """Seen to fail with redirects followed: the other server was asked, and its token was accepted."""
    endpoint.status, endpoint.location = status, address(elsewhere)
    with pytest.raises(TokenError, match=f"answered HTTP {status}, a redirect, which is not followed") as refused:
        TokenSource(settings(address(endpoint))).token()
    assert elsewhere.asked == []
    assert len(endpoint.asked) == 1
    assert SECRET not in str(refused.value)


def test_a_proxy_of_the_environment_gets_no_secret_for_an_endpoint_on_this_machine(
    endpoint: Endpoint, elsewhere: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{elsewhere.server_port}")
    assert TokenSource(settings(address(endpoint))).token()[0] == "token-1"
    assert elsewhere.asked == []


def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(UsageError, match="HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"):
        TokenSource(settings("https://id.test/token")).token()


def test_a_file_of_authorities_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    prose = tmp_path / "prose"
    prose.write_text("no certificate")
    cases = {"nowhere": "No such file or directory", "prose": "it holds no certificate in PEM form"}
    for name, words in cases.items():
        source = TokenSource(settings("https://127.0.0.1:1/t", kafka_ca_file=str(tmp_path / name)))
        with pytest.raises(UsageError, match=rf"kafka_ca_file is '.*{name}', which can't be used: {words}"):
            source.token()
