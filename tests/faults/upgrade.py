"""Fault 16: a line of two releases at once: rolled to the next one and back."""

import io
import subprocess
import tarfile
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from schemas.records import Role
from schemas.released import released_schemas, schema_fingerprint
from schemas.topics import CLOUD_INFERENCE, MONITORING, ROUTING_EVENTS, SENTIMENT
from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.verify.verdict import Verdict
from tests.faults.line import SLOTS
from tests.faults.next_worker import release
from tests.faults.scene import Fault, Scene
from tests.kafka.kafka_server import REPOSITORY
from tests.tiny_artifact import tiny_artifact

Worker = tuple[str, int]

OLD_EDGE, NEW_EDGE = "edge@1.0.0", "edge@2.0.0"
OLD_CLOUD, NEW_CLOUD = "cloud@1.0.0", "cloud@2.0.0"
PATIENCE_S = 120.0

# The article's own threshold would leave one text in two thousand to an edge with a tiny model: a minute's wait for it.
CONFIDENCE = 0.75


def rolling_upgrade(scene: Scene) -> None:
    """Without a schema registry, workers are replaced one at a time by those of the next release, with other models,
    another router and a new schema of `cloud-inference`: readers first, as docs/schemas.md says, so the cloud's before
    the edge's. Then back, in the opposite order. In the long form those they go back to are of an older commit.

    Seen to fail with a codec that knows the newest of the released schemas only.
    """
    release(scene.folder, [CLOUD_INFERENCE])
    older = _older_commit(scene.folder / "older") if not scene.short else REPOSITORY
    new = _next_settings(scene)
    for _ in scene.times():
        with scene.fault():
            for slot in SLOTS:
                _replace(scene, [("cloud", slot)], new)
            first, last = scene.rng.sample(SLOTS, 2)
            _replace(scene, [("edge", first)], new)
            _wait_for_results_of(scene, OLD_EDGE, NEW_EDGE)
            _replace(scene, [("edge", last)], new)
            _wait_for_results_of(scene, NEW_EDGE, NEW_CLOUD)
        with scene.fault():
            _replace(scene, [("edge", last)], None, older)
            _wait_for_results_of(scene, OLD_EDGE, NEW_EDGE)
            _replace(scene, [("edge", first)], None, older)
            # Everything that the next release's edge has asked for must be answered before its cloud goes.
            scene.watch.wait_for_all(set(scene.load.sent))
            for slot in SLOTS:
                _replace(scene, [("cloud", slot)], None, older)
            _wait_for_results_of(scene, OLD_EDGE, OLD_CLOUD)
    scene.checks.append(lambda verdict: _check(scene, verdict))


def rolling_schemas(scene: Scene) -> None:
    """With a schema registry, all workers of a machine are replaced at once by those of the next release, which has new
    schemas for every topic that its agents share, other models and another router; then those of the other machine.
    Then back, in the long form. Each of them reads what the other release writes, in any order.

    Seen to fail with a codec that takes what a registry has under an id for its own schema.
    """
    release(scene.folder, [CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT])
    new = _next_settings(scene)
    for _ in scene.times():
        for settings in (new, None) if not scene.short else (new,):
            with scene.fault():
                first, last = scene.rng.sample(SLOTS, 2)
                _replace(scene, [(agent, first) for agent in AGENTS], settings)
                _wait_for_results_of(scene, OLD_EDGE, NEW_EDGE)
                _replace(scene, [(agent, last) for agent in AGENTS], settings)
                scene.must_go_on()
    scene.checks.append(lambda verdict: _check(scene, verdict))


def rolling_versions(scene: Scene) -> None:
    """Without a schema registry, a line comes to write version 1 of the schemas, which an older release reads, and, in
    the long form, version 2 again, a machine at a time. Every topic holds both; the workers of either machine read
    both, and `verify`.

    Seen to fail with a codec that reads the newest of the released schemas only.
    """
    older = scene.settings.model_copy(update={"schema_version": 1, "scored_roles": ",".join(get_args(Role))})
    for _ in scene.times():
        for settings in (older, scene.settings) if not scene.short else (older,):
            with scene.fault():
                for slot in SLOTS:
                    _replace(scene, [(agent, slot) for agent in AGENTS], settings, module=None)
                    scene.must_go_on()
    scene.checks.append(lambda verdict: _check_versions(scene, verdict))


def _check_versions(scene: Scene, verdict: Verdict) -> None:
    if verdict.dead_letters:
        raise RuntimeError(f"{verdict.dead_letters} events were dead letters: a version was not read")
    for topic in (SENTIMENT, ROUTING_EVENTS, CLOUD_INFERENCE, MONITORING):
        versions = {schema_fingerprint(schema): number for number, schema in released_schemas(topic).items()}
        found = {versions[value[2:10]] for value in _values(scene.settings, topic) if value is not None}
        if found != {1, 2}:
            raise RuntimeError(f"{topic} holds records of the versions {found}")


def _next_settings(scene: Scene) -> Settings:
    models = {
        f"{name}_model": str(tiny_artifact(scene.folder / "next", name, version="2.0.0")) for name in ("edge", "cloud")
    }
    router = {"router": "article", "confidence_threshold": CONFIDENCE}
    return scene.settings.model_copy(update={**models, **router})


def _replace(
    scene: Scene,
    workers: Sequence[Worker],
    new: Settings | None,
    code: Path = REPOSITORY,
    module: str | None = "tests.faults.next_worker",
) -> None:
    """End workers as a process manager does, and start those of the next release; with `new` None those of `code`."""
    ups = {worker: scene.line.ups(*worker) for worker in workers}
    for worker in workers:
        if status := scene.line.stop(*worker):
            raise RuntimeError(f"{worker} ended with {status}: {scene.line.log(*worker)[-500:]}")
    for worker in workers:
        if new is None:
            scene.line.start(*worker, code=code)
        else:
            scene.line.start(*worker, settings=new, module=module)
    for worker in workers:
        scene.line.wait_until_up(*worker, ups[worker] + 1)


def _wait_for_results_of(scene: Scene, *models: str) -> None:
    """Wait until each of `models` has results that came after this call."""
    before, deadline = scene.watch.models.copy(), time.monotonic() + PATIENCE_S
    while missing := [model for model in models if scene.watch.models[model] <= before[model]]:
        scene.watch.count()
        if time.monotonic() > deadline:
            raise RuntimeError(f"there are no results of {' and '.join(missing)}, only of {scene.watch.models}")
        time.sleep(0.05)


def _check(scene: Scene, verdict: Verdict) -> None:
    if verdict.dead_letters:
        raise RuntimeError(f"{verdict.dead_letters} events were dead letters: a release could not read the other's")
    decode = codec(scene.settings, ROUTING_EVENTS).decode
    found = {(event.model, event.router) for event in map(decode, _values(scene.settings, ROUTING_EVENTS))}
    routers = {router.partition("@")[0] for _, router in found}
    models = {model for model, _ in found if not model.startswith("rules@")}
    if routers != {"default", "article"} or models != {OLD_EDGE, NEW_EDGE, OLD_CLOUD, NEW_CLOUD}:
        raise RuntimeError(f"the audit trail names the routers {routers} and the models {models}")


def _values(settings: Settings, topic: str) -> Iterable[bytes | None]:
    return (message.value() for message in read_topic(Cluster(settings), topic))


def _older_commit(folder: Path) -> Path:
    """The code as it was before the last change of what workers run; this commit's where git does not have it."""
    command = ["git", "rev-list", "-2", "HEAD", "--", "schemas", "models", "streams"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    commits = listed.stdout.split()
    if len(commits) < 2:
        warnings.warn(f"no older commit to go back to: {listed.stderr or 'the history ends here'}", stacklevel=1)
        return REPOSITORY
    command = ["git", "archive", commits[1]]
    archive = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


FAULTS = (
    Fault(16, "rolling-upgrade", rolling_upgrade),
    Fault(16, "rolling-versions", rolling_versions, brokers=(1,)),
    Fault(16, "rolling-schemas", rolling_schemas, brokers=(1,), registry=True),
)
