"""Lines with a notify agent that waits for nobody."""

from collections.abc import Iterator
from typing import Any

import pytest

from streams.agents import notify
from streams.webhooks.webhook import Webhook
from tests.notify_lines import Line


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick waits no longer for what hangs than for what answers at once."""
    monkeypatch.setattr(notify, "WAIT_S", 0.005)


@pytest.fixture
def line(impatient: None) -> Iterator[Line]:  # noqa: ARG001
    made = Line()
    yield made
    made.restart()
    made.loop.close()


@pytest.fixture
def lines(impatient: None) -> Iterator[Any]:  # noqa: ARG001
    made: list[Line] = []

    def build_line(*webhooks: Webhook) -> Line:
        made.append(Line(*webhooks))
        return made[-1]

    yield build_line
    for each in made:
        each.restart()
        each.loop.close()
