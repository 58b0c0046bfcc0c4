"""The file of webhooks: what it may say, and that no refusal repeats an address or a secret."""

from pathlib import Path
from typing import get_args

import pytest

from schemas.records import Severity
from streams.webhooks.webhook import PAGERDUTY_URL, WebhookError, load_webhooks

ROUTING_KEY = "SECRET".ljust(32, "0")

SLACK = "https://hooks.slack.example/services/SECRET"

ALL = """
[[webhook]]
name = "team"
kind = "slack"
url_file = "slack-url"
severities = ["warning", "critical"]
rules = ["escalation"]

[[webhook]]
name = "on-call"
kind = "pagerduty"
secret_file = "routing-key"

[[webhook]]
name = "own"
kind = "json"
url = "http://receiver.example/alerts?x=1"
secret_file = "keys"
"""

FILES = {
    "slack-url": f"{SLACK}\n",
    "routing-key": f"{ROUTING_KEY}\n",
    "keys": "whsec_U0VDUkVU\n\nSECRET-2\n",
    "empty": "\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    (folder / "webhooks.toml").write_text(text)
    return folder / "webhooks.toml"


def test_a_webhook_of_each_kind_with_what_files_hold(folder: Path) -> None:
    team, on_call, own = load_webhooks(write(folder, ALL))
    assert (team.name, team.kind, team.url, team.keys) == ("team", "slack", SLACK, ())
    assert (on_call.kind, on_call.url, on_call.keys) == ("pagerduty", PAGERDUTY_URL, (ROUTING_KEY.encode(),))
    assert (own.kind, own.url, own.keys) == ("json", "http://receiver.example/alerts?x=1", (b"SECRET", b"SECRET-2"))
    assert "SECRET" not in repr([team, on_call, own])
    (folder / "slack-url").write_text(f"\ufeff{SLACK}\n", encoding="utf-8")  # as editors on Windows begin a file
    assert load_webhooks(folder / "webhooks.toml")[0].url == SLACK


def test_a_byte_order_mark_is_no_mistake(folder: Path) -> None:
    assert load_webhooks(write(folder, f"\ufeff{ALL}")) == load_webhooks(write(folder, ALL))


def test_who_is_told_of_what(folder: Path) -> None:
    team, on_call, _ = load_webhooks(write(folder, ALL))
    assert team.wants("escalation", "warning")
    assert not team.wants("escalation", "info")
    assert not team.wants("edge_share", "critical")
    assert all(on_call.wants("edge_share", severity) for severity in get_args(Severity))


ONE = '[[webhook]]\nname = "a"\nkind = "{kind}"\n{rest}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"tables \[\[webhook\]\] are allowed"),
        ("webhook = 'https://x/SECRET'", r"tables \[\[webhook\]\] are allowed"),
        ("webhook = [3]", "webhook 1 is no table"),
        ("= SECRET", "which is no TOML"),
        (ONE.format(kind="slack", rest=""), "webhook 'a': it has no address: give url_file"),
        (ONE.format(kind="slak", rest=f'url = "{SLACK}"'), "kind is not allowed: it may be one of slack, teams"),
        (ONE.format(kind="slack", rest=f'URL = "{SLACK}"'), "there is no 'URL': allowed are name, kind, url"),
        (ONE.format(kind="slack", rest=f'url = "{SLACK}"\nurl_file = "slack-url"'), "are both given"),
        (ONE.format(kind="slack", rest=f'url = "{SLACK}"\nsecret_file = "keys"'), "secret_file is not for slack"),
        (ONE.format(kind="slack", rest='url_file = "gone"'), "url_file is 'gone', which can't be read: No such file"),
        (ONE.format(kind="slack", rest='url_file = "empty"'), "url_file is 'empty', which is empty"),
        (ONE.format(kind="slack", rest='url = "http://hooks.example/SECRET"'), "allowed is https://"),
        (ONE.format(kind="slack", rest='url = "https://u:SECRET@x.example"'), "without a user or a password"),
        (ONE.format(kind="slack", rest='url = "ftp://x.example/SECRET"'), "an http:// or https:// address"),
        (ONE.format(kind="slack", rest='url = "https://[SECRET"'), "an http:// or https:// address"),
        (ONE.format(kind="json", rest='url = "https://x/SECRET"'), "give secret_file, .* one a line"),
        (ONE.format(kind="pagerduty", rest='secret_file = "keys"'), "holds 14 characters: a routing key .* has 32"),
        (ONE.format(kind="pagerduty", rest=""), "give secret_file, .* the routing key"),
        (ONE.format(kind="slack", rest=f'url = "{SLACK}"\nseverities = ["warn"]'), "info, warning, critical"),
        (ONE.format(kind="slack", rest=f'url = "{SLACK}"\nseverities = []'), "severities is not allowed"),
        (ONE.format(kind="slack", rest=f'url = "{SLACK}"\nrules = "escalation"'), "rules is not allowed"),
        (ONE.format(kind="slack", rest=f'url = "{SLACK}"') * 2, "there are two webhooks 'a'"),
        ('[[webhook]]\nkind = "slack"\n', "webhook 1: name is missing"),
        ('[[webhook]]\nname = "A b"\nkind = "slack"\n', "webhook 'A b': name is not allowed"),
    ],
)
def test_what_is_wrong_is_told_without_an_address(folder: Path, text: str, words: str) -> None:
    with pytest.raises(WebhookError, match=words) as refused:
        load_webhooks(write(folder, text))
    assert "SECRET" not in str(refused.value)


def test_a_secret_that_cannot_sign(folder: Path) -> None:
    (folder / "keys").write_text("whsec_SECRET!")
    with pytest.raises(WebhookError, match="base64 must come after it") as refused:
        load_webhooks(write(folder, ALL))
    assert "SECRET" not in str(refused.value)


def test_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WebhookError, match=r"webhooks is '.*gone.toml', which can't be read: No such file"):
        load_webhooks(tmp_path / "gone.toml")
