"""Fault 16: a line of two engines at once: the former version's workers, with aiokafka, and this one's."""

import io
import json
import os
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from tests.faults.group import Group
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene
from tests.kafka.kafka_server import REPOSITORY

# The file that only the former engine had.
FORMER_FILE = "streams/worker/transport.py"

# What it can run. The others' workers are this version's all the while.
FORMER_AGENTS = ("edge", "cloud", "monitor")

# An interpreter with the libraries that the former version needs, where this environment's no longer suit it.
FORMER_PYTHON = "FORMER_PYTHON"


def rolling_engine(scene: Scene) -> None:
    """The former version's workers are replaced one at a time by this one's, and back; in the short form, those of one
    machine. In between, both share each group's partitions. The agents are stopped altogether before and after, as
    their groups then share in another way.

    The schemas are in a registry, so that both versions read what the other writes. The former one has a client that
    reads lz4 only with a library that this environment need not have: the line compresses with gzip.
    """
    scene.load.codec = codec(scene.settings, TRANSCRIPTS)
    scene.watch.wait_for_all(set(scene.load.sent))  # what came before bears its schema's fingerprint
    former = _former(scene.folder / "former")
    for model in ("edge", "cloud"):
        _age(scene.folder / model / "manifest.json")
    python = os.environ.get(FORMER_PYTHON, sys.executable)
    for _ in scene.times():
        with scene.fault():
            _all_at_once(scene, former, python)
            rolled = SLOTS[:1] if scene.short else SLOTS
            for slot in rolled:
                _roll(scene, slot, REPOSITORY, sys.executable)
            for slot in rolled:
                _roll(scene, slot, former, python)
            _all_at_once(scene, REPOSITORY, sys.executable)
            scene.must_go_on()


def _age(manifest: Path) -> None:
    """Writes the manifest as the former version knows it; models of before are read by both."""
    told = json.loads(manifest.read_text("utf-8"))
    told.pop("languages", None)
    manifest.write_text(json.dumps(told | {"text_version": 1}), "utf-8")


def _all_at_once(scene: Scene, code: Path, python: str) -> None:
    """Stop every worker that the former version can run, and then start all of them with `code`."""
    for agent in FORMER_AGENTS:
        for slot in SLOTS:
            _stop(scene, agent, slot)
    for agent in FORMER_AGENTS:
        for slot in SLOTS:
            scene.line.start(agent, slot, code=code, python=python)
    for agent in FORMER_AGENTS:
        _wait_for_both(scene, agent)
    scene.must_go_on()


def _roll(scene: Scene, slot: int, code: Path, python: str) -> None:
    """Replace the workers of a slot, agent by agent; the line goes on."""
    for agent in FORMER_AGENTS:
        _stop(scene, agent, slot)
        scene.line.start(agent, slot, code=code, python=python)
        _wait_for_both(scene, agent)
        scene.must_go_on()


def _stop(scene: Scene, agent: str, slot: int) -> None:
    if status := scene.line.stop(agent, slot):
        raise RuntimeError(f"{agent}-{slot} ended with {status}: {scene.line.log(agent, slot)[-500:]}")


def _wait_for_both(scene: Scene, agent: str) -> None:
    """Wait until both workers of `agent` are members with partitions."""
    Group(scene.settings, agent).wait_until(lambda members: len(members) == len(SLOTS) and all(members.values()), 120)


def _former(folder: Path) -> Path:
    """The code as it was before the engine was changed; this commit's where git does not have it."""
    listed = _git("log", "--diff-filter=D", "-1", "--format=%H", "--", FORMER_FILE)
    commit = listed.stdout.decode().strip()
    if not commit:
        warnings.warn(f"no former engine to go back to: {listed.stderr.decode() or 'the history ends'}", stacklevel=1)
        return REPOSITORY
    archive = _git("archive", f"{commit}^")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, check=False)  # noqa: S607


FAULTS = (Fault(16, "rolling-engine", rolling_engine, brokers=(1,), registry=True, settings={"compression": "gzip"}),)
