"""Who may import whom, and who may write to Kafka."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.kafka_server import REPOSITORY

PRODUCERS = {"Producer", "SerializingProducer", "AIOProducer", "AIOKafkaProducer"}
COMMITS = {"commit", "commit_transaction", "send_offsets_to_transaction", "store_offsets"}
PACKAGES = ("schemas", "recordings", "models", "streams", "edgewise")
SOURCES = [file for package in PACKAGES for file in (REPOSITORY / package).rglob("*.py")]


def _names(file: Path) -> Iterator[str]:
    """What `file` imports by name, and the attributes it reads."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _users(names: set[str]) -> set[str]:
    return {file.relative_to(REPOSITORY).as_posix() for file in SOURCES if names & set(_names(file))}


def test_imports_go_one_way() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint_imports, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_delivery_the_ways_in_and_redrive_have_a_producer() -> None:
    assert _users({*PRODUCERS, "producer"}) == {
        "streams/kafka/client.py",  # which makes them
        "streams/worker/producer.py",
        "streams/operate/redrive.py",
        "streams/operate/labels.py",
        "streams/operate/silences.py",
        "streams/ingest/once.py",
        "streams/ingest/sender.py",
    }


def test_only_the_cluster_makes_kafka_clients() -> None:
    """So that every option that matters stands in one file."""
    makers = {
        file.relative_to(REPOSITORY).as_posix()
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {*PRODUCERS, "Consumer", "AdminClient"}
    }
    assert makers == {"streams/kafka/client.py"}


def test_only_delivery_commits_the_http_door_and_redrive_for_people_at_the_command_line() -> None:
    committing = {"streams/worker/delivery.py", "streams/ingest/once.py", "streams/operate/redrive.py"}
    # Agents reach no Kafka library, as the imports show: what they call so is another thing.
    assert {file for file in _users(COMMITS) if not file.startswith("streams/agents/")} == committing


def test_a_worker_goes_by_the_public_parts_of_the_libraries_alone() -> None:
    """An underscore is for who wrote it. librdkafka's own error codes are public: `KafkaError._STATE`."""
    found = [
        f"{file.name}: {ast.unparse(node)}"
        for file in (REPOSITORY / "streams" / "worker").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
        if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", "KafkaError"})
    ]
    assert found == []


@pytest.mark.parametrize("package", ["torch", "transformers", "sklearn", "faust"])
def test_scoring_a_file_imports_nothing_heavy(package: str) -> None:
    script = f"import sys, streams.cli.main, streams.files.score; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False).returncode == 0


def _calls_of_python(file: Path) -> Iterator[list[str]]:
    """What follows `sys.executable` where `file` puts a command together: the source of each argument."""
    for node in ast.walk(ast.parse(file.read_text())):
        arguments = (
            node.elts if isinstance(node, ast.Tuple | ast.List) else node.args if isinstance(node, ast.Call) else []
        )
        sources = [ast.unparse(argument) for argument in arguments]
        if "sys.executable" in sources:
            yield sources[sources.index("sys.executable") + 1 :]


def test_no_child_takes_code_from_the_working_folder() -> None:
    """Python puts the working folder first unless it is told `-P`: a typer.py there would be run by every worker."""
    calls = [(file.name, call) for file in SOURCES for call in _calls_of_python(file)]
    assert calls
    assert [(name, call) for name, call in calls if call[:1] != ["'-P'"]] == []
