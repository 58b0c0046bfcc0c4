"""A part of the demo's traffic comes over HTTP: the door as one more process, and a client that sends to it."""

import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import httpx

from schemas.errors import EdgewiseError
from schemas.records import TranscriptEvent
from streams.demo.processes import Processes

NAME: Final = "ingest"

_TOKENS: Final = "tokens"
_TIMEOUT_S: Final = 10.0
_AGAIN: Final = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})


class DoorError(EdgewiseError):
    """The demo's HTTP door does not take events."""


def door_settings(folder: Path) -> dict[str, object]:
    """The settings of a door that lets in who has the token that is made here, at a port that is free."""
    own = folder / "secrets"
    own.mkdir(exist_ok=True)
    (own / _TOKENS).write_text(secrets.token_urlsafe())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {"ingest_host": "127.0.0.1", "ingest_port": port, "ingest_secrets_folder": str(own)}


class Door:
    """The door as a process, and the way in, past any proxy. `folder` and `port` are those of `door_settings`."""

    def __init__(self, processes: Processes, folder: str, port: int) -> None:
        self._processes = processes
        self._url = f"http://127.0.0.1:{port}"
        self._token = (Path(folder) / _TOKENS).read_text()

    def start(self) -> None:
        """Starts the process."""
        self._processes.start(NAME, "ingest")

    def is_ready(self) -> bool:
        """Whether it takes events. Raises `ProcessDiedError`."""
        self._processes.require(NAME)
        try:
            return httpx.get(f"{self._url}/readyz", timeout=_TIMEOUT_S, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def send(self, events: Sequence[TranscriptEvent], step: Callable[[], object]) -> None:
        """Sends `events` until they are taken; `step` is called between tries. Raises DoorError: they are refused."""
        body = [{name: value for name, value in asdict(event).items() if value is not None} for event in events]
        headers = {"Authorization": f"Bearer {self._token}"}
        while True:
            try:
                answer = httpx.post(
                    f"{self._url}/v1/events", json=body, headers=headers, timeout=_TIMEOUT_S, trust_env=False
                )
            except httpx.TransportError:
                self._processes.require(NAME)
            else:
                if answer.is_success:
                    return
                if answer.status_code not in _AGAIN:
                    raise DoorError(f"the HTTP door answers {answer.status_code}: {answer.json()['detail']}")
            step()
