"""The flow's one table: the worker, rights, `verify`, `topics describe` and the docs follow a row of it."""

import asyncio
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.errors import UsageError
from schemas.topics import DEAD_LETTERS, LABELS, SENTIMENT, SILENCES, TOPICS, TRANSCRIPTS
from streams.agents import topology
from streams.agents.topology import AGENT_NAMES, AGENTS, AgentSpec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.lag import group_lag
from streams.kafka.reader import read_topic
from streams.operate.topics import create, describe
from streams.verify.drain import NotDrainedError, agents_behind, wait_until_drained
from streams.worker.access import TopicMissingError
from streams.worker.build import build_agent, run
from tests.alerts import alert, raise_alerts

SHOUT = AgentSpec("shout", "tests.unit.streams.agents.shout", reads=TRANSCRIPTS, writes=(SENTIMENT,))


@pytest.fixture
def with_shout(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The flow with one row more. A worker that ends in this process ignores stop signals: they are given back."""
    agents = {"shout": SHOUT}
    for module in ("streams.worker.build", "streams.worker.access", "streams.verify.drain"):
        monkeypatch.setattr(f"{module}.AGENTS", agents)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("with_shout")
def test_an_agent_is_a_file_and_a_row(settings: Settings) -> None:
    create(settings)
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(settings.topic(TRANSCRIPTS), b"hello", b"c1", 0)
    assert producer.flush(30) == 0
    with pytest.raises(NotDrainedError, match=r"agents are 1 events behind \(shout 1\)"):
        wait_until_drained(settings, 0)
    assert run(settings, ["shout"]) == 0
    assert [message.value() for message in read_topic(Cluster(settings), SENTIMENT)] == [b"HELLO"]
    assert sum(group_lag(Cluster(settings), "shout", TRANSCRIPTS).values()) == 0


@pytest.mark.usefixtures("with_shout")
def test_the_worker_offers_what_the_table_has(settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"no agent 'edge': it is one of shout$"):
        run(settings, ["edge"])


@pytest.mark.usefixtures("with_shout")
def test_a_topic_that_an_agent_writes_must_be_there(settings: Settings) -> None:
    with pytest.raises(TopicMissingError, match=r"shout: topics '.*transcripts', '.*sentiment' do not exist"):
        run(settings, ["shout"])


def test_topics_describe_names_the_group_that_reads(settings: Settings) -> None:
    create(settings)
    groups = {state.topic.removeprefix(settings.topic_prefix): state.group for state in describe(settings)}
    assert {topic: group for topic, group in groups.items() if group} == {
        AGENTS[name].reads: settings.group(name) for name in AGENT_NAMES
    }


def test_what_is_optional_runs_by_its_name_alone_and_nothing_waits_for_it(settings: Settings) -> None:
    create(settings)
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(settings.topic(TRANSCRIPTS), b"hello", b"c1", 0)
    assert producer.flush(30) == 0
    assert "shadow" in AGENTS
    assert "shadow" not in AGENT_NAMES
    behind = agents_behind(Cluster(settings))
    assert behind == {"edge": 1}
    assert agents_behind(Cluster(settings), ["shadow"]) == {"shadow": 1}


def test_every_topic_is_written_before_it_is_read() -> None:
    """In the order of the flow: so the last agent has caught up only when all have."""
    written = {str(TRANSCRIPTS), str(SILENCES), str(LABELS)}  # by others
    for spec in topology.AGENTS.values():
        assert spec.reads in written
        written |= set(spec.writes)
        assert set(spec.reads_back) <= written
    assert written - {DEAD_LETTERS} <= set(TOPICS)


@pytest.mark.parametrize("name", AGENTS)
def test_each_agent_reads_what_its_row_says(name: str) -> None:
    settings = Settings(topic_prefix="p.", shadow_model="edge")

    async def source() -> str:
        agent = await build_agent(settings, name)
        try:
            return agent.source
        finally:
            await agent.close()

    assert asyncio.run(source()) == f"p.{AGENTS[name].reads}"


def test_the_docs_show_the_table(repository: Path) -> None:
    page = (repository / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .+ \|$", page, re.MULTILINE)
    named = [(name, *(re.findall(r"`([\w-]+)`", cell) for cell in cells)) for name, *cells in rows]
    assert named == [(spec.name, [spec.reads, *spec.reads_back], list(spec.writes)) for spec in AGENTS.values()]


def test_nothing_waits_for_who_tells_others(settings: Settings) -> None:
    create(settings)
    raise_alerts(settings, alert())
    assert agents_behind(Cluster(settings)) == {}
    assert agents_behind(Cluster(settings), ["notify"]) == {"notify": 1}


@pytest.mark.parametrize(("webhooks", "tells"), [(None, False), ("webhooks.toml", True)])
def test_all_agents_are_those_that_have_something_to_do(
    webhooks: str | None, tells: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr("streams.worker.build.supervise", lambda _settings, agents, _processes: started.extend(agents))
    run(Settings(webhooks=webhooks), [])
    assert ("notify" in started) == tells
    assert started[: len(topology.AGENT_NAMES)] == list(topology.AGENT_NAMES)
