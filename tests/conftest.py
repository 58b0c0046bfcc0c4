"""What every test may use: a broker, settings of its own, and a word at the end about what was left out.

`settings` names topics that no other test uses, on the embedded broker, or on a real Kafka where the test is marked
`kafka`. A test for both:

    @pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
"""

import os
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from streams.config.settings import Settings
from tests.kafka import kafka_server

# No timing assertions, not even hypothesis's own; the same examples every time, so that a failure is no accident.
hypothesis.settings.register_profile("edgewise", deadline=None, derandomize=True)
hypothesis.settings.load_profile("edgewise")

# What pytest.importorskip says of what only the extra `training` installs.
NEEDS_TRAINING = re.compile(r"^could not import '(torch|transformers|matplotlib|sklearn)'.*", re.DOTALL)


def pytest_configure() -> None:
    """Take the caller's own settings away: tests must not depend on them, nor reach that broker."""
    for name in [name for name in os.environ if name.startswith("EDGEWISE_")]:
        del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Of the files that two processes are given one after another, the longest by far is begun first.
    items.sort(key=lambda item: item.path != kafka_server.REPOSITORY / "tests" / "faults" / "test_faults.py")
    for item in items:
        if isinstance(item, pytest.Function) and "kafka" in item.fixturenames:
            item.add_marker("kafka")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("kafka") is not None and (reason := kafka_server.missing()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"with CI=true a real Kafka must be there: {reason}", pytrace=False)
        pytest.skip(f"needs a real Kafka: {reason}")


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return NEEDS_TRAINING.sub(r"needs \1: make test-training", reason.removeprefix("Skipped: "))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = Counter(_why(report) for report in terminalreporter.getreports("skipped"))
    if reasons:
        terminalreporter.section("left out")
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count} x {reason}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Kafka of one broker: its bootstrap servers. A test that uses it is marked `kafka` by that."""
    with kafka_server.kafka_cluster(tmp_path_factory.mktemp("kafka")) as servers:
        yield kafka_server.bootstrap_servers(servers)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[str]:
    """The embedded broker: its bootstrap servers."""
    from streams.kafka.embedded_broker import EmbeddedBroker

    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    """Bootstrap servers: of a real Kafka in a test marked `kafka`, else of the embedded broker."""
    marked = request.node.get_closest_marker("kafka") is not None
    servers: str = request.getfixturevalue("kafka" if marked else "embedded_broker")
    return servers


@pytest.fixture
def settings(broker: str) -> Settings:
    """Settings for `broker` with a topic prefix that no other test has."""
    return Settings(bootstrap_servers=broker, topic_prefix=f"test-{uuid.uuid4().hex[:12]}.", worker_id="test")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return kafka_server.REPOSITORY
