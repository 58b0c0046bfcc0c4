"""`edgewise alerts test-webhooks`, before real servers."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from streams.cli import main as cli
from tests.http_server import Server, answer, echo_error, serve


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, **servers: Server) -> Result:
    (folder / "key").write_text("SECRET")
    (folder / "webhooks.toml").write_text(
        "".join(
            f'[[webhook]]\nname = "{name}"\nkind = "json"\nurl = "{server.url}/SECRET"\nsecret_file = "key"\n'
            for name, server in servers.items()
        )
    )
    monkeypatch.setenv("EDGEWISE_WEBHOOKS", str(folder / "webhooks.toml"))
    return CliRunner().invoke(cli.app, ["alerts", "test-webhooks"])


def test_each_webhook_is_tried_and_what_it_answers_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answer({}, 204)) as good, serve(echo_error(403)) as bad:
        done = run(tmp_path, monkeypatch, good=good, bad=bad)
    assert done.exit_code == 1
    assert [line.split() for line in done.output.splitlines()] == [
        ["webhook", "kind", "taken", "answer"],
        ["good", "json", "yes", "HTTP", "204"],
        ["bad", "json", "no", "HTTP", "403"],
    ]
    assert (len(good.requests), len(bad.requests)) == (1, 1)


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answer({})) as server:
        assert run(tmp_path, monkeypatch, own=server).exit_code == 0


def test_there_is_no_file() -> None:
    done = CliRunner().invoke(cli.app, ["alerts", "test-webhooks"])
    assert isinstance(done.exception, UsageError)
    assert "EDGEWISE_WEBHOOKS" in str(done.exception)
