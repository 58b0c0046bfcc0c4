"""The recipes of docs/extending.md are code that runs."""

import asyncio
import re
from typing import Any

import pytest

from models.cloud import Answer, CloudBackend, Question
from streams.agents.agent import Agent
from streams.agents.topology import AgentSpec
from streams.config.settings import Settings
from tests.docs.pages import read
from tests.events import consumer_record


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the page's blocks of Python define."""
    defined: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", read("docs/extending.md"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, "docs/extending.md", "exec"), defined)  # noqa: S102 - it is our own page
    return defined


def test_the_agent_is_built_and_gives_outputs(names: dict[str, Any]) -> None:
    async def outputs() -> list[tuple[str, bytes | None]]:
        agent: Agent = await names["build"](Settings(topic_prefix="p."), lambda _topic, _since_ms: ())
        assert (agent.name, agent.source) == (names["SPEC"].name, f"p.{names['SPEC'].reads}")
        return [
            (output.topic, output.value) for output in await agent.process([consumer_record(b"hi", topic=agent.source)])
        ]

    assert isinstance(names["SPEC"], AgentSpec)
    assert asyncio.run(outputs()) == [("p.sentiment", b"HI")]


def test_the_backend_answers(names: dict[str, Any]) -> None:
    backend: CloudBackend = names["ConstantBackend"]()
    answers = asyncio.run(backend.answer([Question("a"), Question("b")], 1.0))
    assert [type(answer) for answer in answers] == [Answer, Answer]
    asyncio.run(backend.close())


def test_the_command_prints(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    names["topic_prefix"]()
    assert capsys.readouterr().out == "\n"
    assert "Example: [bold]edgewise topic-prefix[/]" in names["topic_prefix"].__doc__
