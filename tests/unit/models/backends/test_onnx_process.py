"""The cloud model's process: it answers, dies, hangs, is closed, loses its parent; and leaves nothing behind."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models import rules
from models.artifact import Artifact, load_artifact
from models.backends import onnx_process
from models.backends.bill import Tariff
from models.backends.onnx_process import CALL_CHARS, FIRST_BACKOFF_S, LAST_BACKOFF_S, OnnxProcessBackend
from models.classifier import Classifier
from models.cloud import Answer, CloudBackend, CloudError, Failure, Question
from models.spending import Spending
from schemas.records import Role
from tests.faults.broken_scoring import GARBAGE
from tests.faults.cloud_worker import Backend
from tests.tiny_artifact import tiny_artifact, write_manifest

ROOT = Path(__file__).parents[4]
DEADLINE_S = 60.0  # that no healthy call comes near, on a busy machine either


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load_artifact(str(tiny_artifact(tmp_path_factory.mktemp("models"), "cloud", confidence_threshold=None)))


def with_backend(
    artifact: Artifact,
    scenario: Callable[[OnnxProcessBackend], Awaitable[None]],
    make: Callable[[Artifact], OnnxProcessBackend] = OnnxProcessBackend,
) -> None:
    """Runs `scenario` and closes the backend: then none of its processes is left, not even a zombie."""
    spawn, spawned = asyncio.create_subprocess_exec, []

    async def recorded(*args: Any, **kwargs: Any) -> asyncio.subprocess.Process:
        process = await spawn(*args, **kwargs)
        spawned.append(process.pid)
        return process

    async def run() -> None:
        backend = make(artifact)
        try:
            await asyncio.wait_for(scenario(backend), DEADLINE_S)
        finally:
            await backend.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", recorded)
        asyncio.run(run())
    assert spawned
    assert not [pid for pid in spawned if exists(pid)]


def exists(pid: int) -> bool:
    """Whether this process has a child `pid`, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(backend: OnnxProcessBackend) -> int:
    assert backend._process is not None
    return backend._process.pid


def test_it_is_a_cloud_backend_and_answers_as_the_classifier_does(artifact: Artifact) -> None:
    texts = ["awful", "great, thanks", "half a pair \ud83d", "naïve \U0001f600", ""]

    async def scenario(backend: CloudBackend) -> None:
        answers = await backend.answer([Question(text) for text in texts], DEADLINE_S)
        given = [answer for answer in answers if isinstance(answer, Answer)]
        np.testing.assert_array_equal([answer.probabilities for answer in given], Classifier(artifact).score(texts))
        assert {(answer.model, answer.spent) for answer in given} == {("cloud@1.0.0", Spending(0.0136, calls=1))}
        assert list(await backend.answer([], DEADLINE_S)) == []

    with_backend(artifact, scenario, lambda artifact: OnnxProcessBackend(artifact, tariff=Tariff(0.013600000000001)))


def test_a_model_that_reads_roles_is_told_who_asks(tmp_path: Path) -> None:
    folder = tiny_artifact(tmp_path, "cloud", {"agent": -1}, confidence_threshold=None)
    write_manifest(folder, name="cloud", reads_roles=True)
    roles: tuple[Role, ...] = ("agent", "customer", "unknown")

    async def scenario(backend: CloudBackend) -> None:
        answers = await backend.answer([Question("the gate", role=role) for role in roles], DEADLINE_S)
        given = np.array([answer.probabilities for answer in answers if isinstance(answer, Answer)])
        assert given.argmax(axis=1).tolist() == [0, 1, 1]

    with_backend(load_artifact(str(folder)), scenario)


def test_an_answer_names_the_rules_where_they_gave_it(artifact: Artifact) -> None:
    async def scenario(backend: CloudBackend) -> None:
        asked = [Question("1 star"), Question("1 star", role="agent"), Question("great")]
        answers = await backend.answer(asked, DEADLINE_S)
        named = [answer.model for answer in answers if isinstance(answer, Answer)]
        assert named == [rules.ID, "cloud@1.0.0", "cloud@1.0.0"]

    with_backend(artifact, scenario)


class Calls(OnnxProcessBackend):
    """Notes the texts of each call and how long it was given; fails those that hold `bad`."""

    def __init__(self, artifact: Artifact) -> None:
        super().__init__(artifact)
        self.calls: list[tuple[list[int], float]] = []
        self.takes_s = 0.0

    async def score(
        self, texts: Sequence[str], timeout_s: float, roles: Sequence[Role] | None = None
    ) -> NDArray[np.float32]:
        assert roles == ["unknown"] * len(texts)
        self.calls.append(([len(text) for text in texts], timeout_s))
        await asyncio.sleep(self.takes_s)
        if any("bad" in text for text in texts):
            raise CloudError("it failed")
        return np.tile(np.array([0.2, 0.3, 0.5], np.float32), (len(texts), 1))


def answered(artifact: Artifact, texts: Sequence[str], takes_s: float = 0.0) -> tuple[Calls, list[Answer | Failure]]:
    async def run() -> tuple[Calls, list[Answer | Failure]]:
        backend = Calls(artifact)
        backend.takes_s = takes_s
        return backend, list(await backend.answer([Question(text) for text in texts], 0.25))

    return asyncio.run(run())


def test_a_call_is_bounded_by_characters_and_a_long_text_has_one_of_its_own(artifact: Artifact) -> None:
    """Seven texts of 32,000 characters among short ones took longer than the deadline, and all of them failed."""
    long, short = "x" * 32_000, "y" * 3_000
    backend, answers = answered(artifact, [long, short, short, long, short, "z"])
    assert [lengths for lengths, _ in backend.calls] == [[1, 3_000, 3_000], [3_000], [32_000], [32_000]]
    assert max(sum(lengths) for lengths, _ in backend.calls if len(lengths) > 1) <= CALL_CHARS
    assert {timeout_s for _, timeout_s in backend.calls} == {0.25}
    assert all(isinstance(answer, Answer) for answer in answers)


def test_a_call_that_fails_fails_alone_and_its_questions_keep_their_places(artifact: Artifact) -> None:
    backend, answers = answered(artifact, ["bad" * 3_000, "good", "x" * 7_998])
    assert len(backend.calls) == 3
    assert [type(answer) for answer in answers] == [Failure, Answer, Answer]
    assert answers[0] == Failure("cloud_error", "it failed", Spending(calls=1))


def test_failed_calls_use_up_one_deadline_and_what_is_left_is_not_asked(artifact: Artifact) -> None:
    """What is behind them in the partition would otherwise wait for one deadline after another."""
    backend, answers = answered(artifact, ["bad" * 3_000] * 4, takes_s=0.3)
    assert len(backend.calls) == 1
    assert {answer.reason for answer in answers if isinstance(answer, Failure)} == {"cloud_error"}
    assert len(answers) == 4


def test_after_a_call_that_fails_at_once_the_next_is_made(artifact: Artifact) -> None:
    backend, _ = answered(artifact, ["bad" * 3_000] * 2)
    (_, first_s), (_, second_s) = backend.calls
    assert 0 < second_s < first_s == 0.25


def test_calls_at_once_each_get_their_own_answer(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        texts = [["awful"] * (n + 1) if n % 2 else ["great"] * (n + 1) for n in range(20)]
        answers = await asyncio.gather(*(backend.score(t, DEADLINE_S) for t in texts))
        for n, answer in enumerate(answers):
            assert answer.shape == (n + 1, 3)
            assert set(answer.argmax(axis=1)) == {0 if n % 2 else 2}

    with_backend(artifact, scenario)


def test_a_large_request_passes_the_pipe(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        assert (await backend.score(["good " * 20_000] * 10, DEADLINE_S)).shape == (10, 3)

    with_backend(artifact, scenario)


def test_killed_mid_request_it_fails_at_once_and_starts_again(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        await backend.start()
        first = pid_of(backend)
        os.kill(first, signal.SIGSTOP)  # so that the request is under way when it dies
        request = asyncio.create_task(backend.score(["awful"], DEADLINE_S))
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(CloudError, match="died on 1 texts"):
            await request
        assert (await backend.score(["awful"], DEADLINE_S)).argmax() == 0
        assert pid_of(backend) != first

    with_backend(artifact, scenario)


def test_killed_between_requests_the_next_call_is_answered(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        await backend.start()
        assert backend._process is not None
        os.kill(pid_of(backend), signal.SIGKILL)
        await backend._process.wait()
        assert (await backend.score(["great"], DEADLINE_S)).argmax() == 2

    with_backend(artifact, scenario)


def test_hung_it_fails_at_its_deadline_the_next_at_once_and_starts_again(artifact: Artifact) -> None:
    """Seen to fail with a start right after the deadline: the next call waited for a process that hangs as well."""

    async def scenario(backend: OnnxProcessBackend) -> None:
        await backend.start()
        hung = pid_of(backend)
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(CloudError, match=r"did not answer 2 texts within 0\.2 s"):
            await backend.score(["awful", "secret-4711"], 0.2)
        with pytest.raises(CloudError, match=r"did not answer 2 texts within 0\.2 s"):
            await backend.score(["great"], DEADLINE_S)
        assert backend._starting is None
        backend._no_start_before = 0.0  # the wait is over
        assert (await backend.score(["great"], DEADLINE_S)).argmax() == 2
        assert pid_of(backend) != hung
        assert not exists(hung)

    with_backend(artifact, scenario)


def test_garbage_is_no_answer_and_ends_the_process_that_gave_it(
    artifact: Artifact, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each kind of it, to two texts; then calls fail at once for a while, and in the end there is an answer again.

    Seen to fail with an answer that is not looked at: a ValueError out of `score`, or a NaN as a probability.
    """
    texts = ["awful, and nobody else's business", "great"]
    order = tmp_path / "mood"

    async def scenario(backend: OnnxProcessBackend) -> None:
        good = await backend.score(texts, DEADLINE_S)
        for mood in GARBAGE:
            order.write_text(mood)
            with pytest.raises(CloudError, match=r"cloud@1\.0\.0 answered 2 texts with garbage"):
                await backend.score(texts, DEADLINE_S)
            with pytest.raises(CloudError, match="garbage"):
                await backend.score(texts, DEADLINE_S)  # at once: no process is asked
            assert backend._process is None
            order.write_text("")
            backend._no_start_before = 0.0  # the wait is over
            np.testing.assert_array_equal(await backend.score(texts, DEADLINE_S), good)
        assert backend._backoff_s == FIRST_BACKOFF_S

    with_backend(artifact, scenario, lambda model: Backend(model, order=order))
    assert "nobody" not in caplog.text


def test_garbage_again_and_again_is_asked_for_less_and_less_often(artifact: Artifact, tmp_path: Path) -> None:
    """Seen to fail with the wait set back by each start that succeeds: it stayed at a second for ever."""
    order = tmp_path / "mood"
    order.write_text("nan")

    async def scenario(backend: OnnxProcessBackend) -> None:
        for expected_s in (2, 4, 8, 16, LAST_BACKOFF_S, LAST_BACKOFF_S):
            with pytest.raises(CloudError, match="garbage"):
                await backend.score(["great"], DEADLINE_S)
            assert backend._backoff_s == expected_s
            backend._no_start_before = 0.0  # the wait is over

    with_backend(artifact, scenario, lambda model: Backend(model, order=order))


def test_waiting_for_another_call_counts_and_spares_that_call(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        await backend.start()
        pid = pid_of(backend)
        os.kill(pid, signal.SIGSTOP)
        patient = asyncio.create_task(backend.score(["awful"], DEADLINE_S))
        await asyncio.sleep(0)
        with pytest.raises(CloudError, match="within"):
            await backend.score(["great"], 0.1)
        os.kill(pid, signal.SIGCONT)
        assert (await patient).argmax() == 0
        assert pid_of(backend) == pid

    with_backend(artifact, scenario)


def test_a_cancelled_call_does_not_leave_its_answer_to_the_next(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        await backend.start()
        os.kill(pid_of(backend), signal.SIGSTOP)
        request = asyncio.create_task(backend.score(["awful"], DEADLINE_S))
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert (await backend.score(["great"], DEADLINE_S)).argmax() == 2

    with_backend(artifact, scenario)


def test_closed_it_answers_no_more(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        await backend.start()
        pid = pid_of(backend)
        await backend.close()
        assert not exists(pid)
        with pytest.raises(CloudError, match="is closed"):
            await backend.score(["awful"], DEADLINE_S)
        await backend.close()

    with_backend(artifact, scenario)


def test_closed_while_it_starts_it_leaves_no_process(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = asyncio.Event()
    read_frame = onnx_process._read_frame

    async def watched(process: asyncio.subprocess.Process, longest: int) -> tuple[bytes, bytes]:
        loading.set()
        return await read_frame(process, longest)

    monkeypatch.setattr(onnx_process, "_read_frame", watched)

    async def scenario(backend: OnnxProcessBackend) -> None:
        request = asyncio.create_task(backend.score(["awful"], DEADLINE_S))
        await loading.wait()
        await backend.close()
        with pytest.raises(CloudError, match="is closed"):
            await request

    with_backend(artifact, scenario)


def test_once_a_start_outlasts_a_call_the_next_fail_at_once(artifact: Artifact) -> None:
    async def scenario(backend: OnnxProcessBackend) -> None:
        with pytest.raises(CloudError, match="within"):
            await backend.score(["awful"], 0.001)
        with pytest.raises(CloudError, match="is still starting"):
            await backend.score(["awful"], DEADLINE_S)
        assert backend._starting is not None
        await asyncio.wait([backend._starting])
        assert (await backend.score(["awful"], DEADLINE_S)).argmax() == 0

    with_backend(artifact, scenario)


def test_a_model_that_cannot_load_says_why_and_is_not_tried_again_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tiny_artifact(tmp_path, "cloud")
    altered = load_artifact(str(folder))
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    async def scenario(backend: OnnxProcessBackend) -> None:
        for _ in range(3):
            with pytest.raises(CloudError, match=r"model\.onnx was altered") as raised:
                await backend.score(["secret-4711"], DEADLINE_S)
            assert "\n" not in str(raised.value)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]  # one start, not three
        (folder / "model.onnx").write_bytes(whole)
        backend._no_start_before = 0.0
        assert (await backend.score(["awful"], DEADLINE_S)).argmax() == 0

    with_backend(altered, scenario)
    assert "secret" not in caplog.text


def test_a_start_that_hangs_is_given_up(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_process, "START_TIMEOUT_S", 0.05)

    async def scenario(backend: OnnxProcessBackend) -> None:
        with pytest.raises(CloudError, match=r"was not ready within 0\.05 s"):
            await backend.score(["awful"], DEADLINE_S)

    with_backend(artifact, scenario)


PARENT = """
import asyncio, sys
from models.artifact import load_artifact
from models.backends.onnx_process import FIRST_BACKOFF_S, LAST_BACKOFF_S, OnnxProcessBackend
from tests.faults.broken_scoring import GARBAGE
from tests.faults.cloud_worker import Backend

async def main():
    backend = OnnxProcessBackend(load_artifact(sys.argv[1]))
    try:
        await backend.start()
        print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        await backend.close()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def parent(artifact: Artifact) -> subprocess.Popen[str]:
    """A process with a backend that is ready, in a process group of its own as a terminal's job is.

    Its child writes to the same standard error, so that this ends only when both are gone.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(artifact.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        process_group=0,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_killed_parent_leaves_no_orphan(artifact: Artifact) -> None:
    with parent(artifact) as process:
        process.kill()
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert errors == ""


def test_ctrl_c_prints_nothing_and_leaves_no_process(artifact: Artifact) -> None:
    with parent(artifact) as process:
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE_S)
    assert output == "interrupted\n"
    assert errors == ""


def test_the_child_runs_from_any_folder(artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder of the user's that is called like one of ours must not be imported in its place.
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise SystemExit('the wrong models')")
    monkeypatch.chdir(tmp_path)

    async def scenario(backend: OnnxProcessBackend) -> None:
        assert (await backend.score(["awful"], DEADLINE_S)).argmax() == 0

    with_backend(artifact, scenario)
