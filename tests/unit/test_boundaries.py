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
SOURCES = [file for folder in ("schemas", "models", "streams") for file in (REPOSITORY / folder).rglob("*.py")]


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


def test_only_delivery_replay_and_redrive_have_a_producer() -> None:
    assert _users(PRODUCERS) == {"streams/worker/delivery.py", "streams/operate/redrive.py", "streams/ingest/replay.py"}


def test_only_delivery_commits_and_redrive_for_people_at_the_command_line() -> None:
    assert _users(COMMITS) == {"streams/worker/delivery.py", "streams/operate/redrive.py"}


@pytest.mark.parametrize("package", ["torch", "transformers", "sklearn", "faust"])
def test_scoring_a_file_imports_nothing_heavy(package: str) -> None:
    script = f"import sys, streams.cli.main, streams.files.score; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False).returncode == 0
