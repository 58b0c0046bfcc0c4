"""`edgewise ingest` as a process, and what is sent to it: requests signed as each vendor signs them."""

import base64
import hashlib
import hmac
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlencode

import httpx

from streams.config.settings import Settings
from streams.ingest.signatures import VENDORS
from streams.system.processes import die_with_parent
from tests.faults.line import environ
from tests.kafka.kafka_server import REPOSITORY

TOKEN = "token-of-the-tests"
SECRET = "secret-of-the-tests"


@dataclass
class Door:
    """A running server: its address, its process, and what it has logged."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        return "".join(self.lines)


def secrets_folder(folder: Path, **files: str) -> Path:
    """A folder with one secret for everybody who may come in; `files` replaces contents."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokens", *VENDORS):
        (folder / name).write_text(files.get(name, TOKEN if name == "tokens" else SECRET) + "\n")
    return folder


def start(settings: Settings) -> Door:
    """Starts the server and waits until it listens. Raises RuntimeError: it ended before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "ingest"],
        cwd=REPOSITORY,
        env=environ(settings) | {"EDGEWISE_WORKER_ID": settings.worker_id},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509
    )
    door = Door("", process)
    assert process.stderr is not None
    for line in process.stderr:
        door.lines.append(line)
        if found := re.search(r"listening at (http://\S+)", line):
            door.url = found[1]
            break
    else:
        process.stderr.close()
        raise RuntimeError(f"the server ended with {process.wait()}: {door.log}")
    threading.Thread(target=_read_on, args=(door, process.stderr), daemon=True).start()
    return door


def _read_on(door: Door, stderr: IO[str]) -> None:
    with stderr:
        door.lines.extend(stderr)  # line by line


@contextmanager
def serving(settings: Settings) -> Iterator[Door]:
    """The server, which is gone when the block ends."""
    door = start(settings)
    try:
        yield door
    finally:
        door.process.send_signal(signal.SIGKILL)
        door.process.wait()


def events(door: Door, body: Any, **headers: str) -> httpx.Response:
    """The answer to events of ours."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} | headers
    return httpx.post(f"{door.url}/v1/events", content=content, headers=given, timeout=60)


def webhook(door: Door, vendor: str, body: Any, **headers: str) -> httpx.Response:
    """The answer to a webhook, signed with `SECRET` now."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{door.url}/v1/webhooks/{vendor}"
    return httpx.post(url, content=content, headers={**signed(vendor, content, url), **headers}, timeout=60)


def signed(
    vendor: str, body: bytes, url: str = "", *, secret: str = SECRET, at_s: int | None = None, form: bool = False
) -> dict[str, str]:
    """The headers with which `vendor` sends `body` at `at_s` (default: now), by the vendors' documents."""
    at = str(int(time.time()) if at_s is None else at_s)
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(at)))
    key = secret.encode()

    def mac(content: bytes, digestmod: Any = hashlib.sha256) -> hmac.HMAC:
        return hmac.new(key, content, digestmod)

    def b64(made: hmac.HMAC) -> str:
        return base64.b64encode(made.digest()).decode()

    kind = {"Content-Type": "application/x-www-form-urlencoded" if form else "application/json"}
    by_vendor: Mapping[str, Mapping[str, str]] = {
        "zoom": {
            "x-zm-request-timestamp": at,
            "x-zm-signature": "v0=" + mac(f"v0:{at}:".encode() + body).hexdigest(),
        },
        "twilio": {"X-Twilio-Signature": b64(mac((url + _fields(body, form)).encode(), hashlib.sha1))},
        "zendesk": {
            "X-Zendesk-Webhook-Signature": b64(mac(iso.encode() + body)),
            "X-Zendesk-Webhook-Signature-Timestamp": iso,
        },
        "intercom": {"X-Hub-Signature": "sha1=" + mac(body, hashlib.sha1).hexdigest()},
        "chatwoot": {
            "X-Chatwoot-Timestamp": at,
            "X-Chatwoot-Signature": "sha256=" + mac(f"{at}.".encode() + body).hexdigest(),
        },
        "deepgram": {"dg-token": secret},
        "generic": {
            "webhook-id": "msg-1",
            "webhook-timestamp": at,
            "webhook-signature": "v1,unknown v1," + b64(mac(f"msg-1.{at}.".encode() + body)),
        },
    }
    return {**kind, **by_vendor[vendor]}


def _fields(body: bytes, form: bool) -> str:
    if not form:
        return ""
    return "".join(name + value for name, value in sorted(parse_qsl(body.decode(), keep_blank_values=True)))


def twilio_form(**fields: str) -> bytes:
    """A webhook of Twilio Conversations."""
    return urlencode(fields).encode()
