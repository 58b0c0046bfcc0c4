"""What waits for a transaction, in what order, and what a request is told that waits in vain."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar, cast

import pytest

from schemas.errors import EdgewiseError
from streams.ingest import intake as module
from streams.ingest.intake import Intake, KafkaAwayError, KafkaSlowError
from streams.ingest.once import EventRefusedError, IntakeError, Item, OnceWriter

T = TypeVar("T")
LONG_S = 60.0  # what nothing here waits for


def item(number: int, size: int = 1) -> Item:
    return Item(b"%016d" % number, b"c", b"x" * size)


class Writer:
    """Stands in for the writer: it takes what it is let to, and notes what it was given."""

    def __init__(self) -> None:
        self.is_open = True
        self.opened = 0
        self.let = threading.Event()
        self.let.set()
        self.entered = threading.Semaphore(0)
        self.failures: list[EdgewiseError] = []
        self.last_failure = threading.Event()  # it waits for it
        self.last_failure.set()
        self.refused: set[bytes] = set()
        self.written: list[list[bytes]] = []

    def open(self) -> None:
        self.opened += 1
        self.is_open = True

    def write(self, items: Sequence[Item]) -> list[bool]:
        self.entered.release()
        self.let.wait()
        if len(self.failures) == 1:
            self.last_failure.wait()
        if self.failures:
            self.is_open = False
            raise self.failures.pop(0)
        if self.refused & {item.digest for item in items}:
            self.is_open = False
            raise EventRefusedError("too large")
        before = {digest for batch in self.written for digest in batch}
        self.written.append([item.digest for item in items])
        return [item.digest not in before for item in items]


def run(
    writer: Writer, body: Callable[[Intake], Coroutine[Any, Any, T]], listening: Callable[[], bool] = lambda: True
) -> T:
    async def main() -> T:
        intake = Intake(cast(OnceWriter, writer), listening)
        try:
            return await body(intake)
        finally:
            writer.let.set()
            writer.last_failure.set()
            await intake.close(LONG_S)

    return asyncio.run(main())


async def held(writer: Writer, intake: Intake) -> "asyncio.Task[list[bool]]":
    """A request whose transaction is under way, and waits until it is let go."""
    writer.let.clear()
    task = asyncio.create_task(intake.put([item(-1)], LONG_S))
    await asyncio.to_thread(writer.entered.acquire)
    return task


def test_what_comes_during_a_transaction_goes_into_the_next_one_in_order() -> None:
    writer = Writer()

    async def body(intake: Intake) -> list[list[bool]]:
        first = await held(writer, intake)
        rest = [asyncio.create_task(intake.put([item(n), item(n + 100)], LONG_S)) for n in range(5)]
        await asyncio.sleep(0)
        writer.let.set()
        return [await first, *[await each for each in rest]]

    assert run(writer, body) == [[True]] + [[True, True]] * 5
    assert writer.written[1] == [item(n).digest for pair in ((n, n + 100) for n in range(5)) for n in pair]


def test_nothing_is_nothing_to_wait_for() -> None:
    assert run(Writer(), lambda intake: intake.put([], LONG_S)) == []


@pytest.mark.parametrize(("listening", "error"), [(True, KafkaSlowError), (False, KafkaAwayError)])
def test_a_request_that_waits_in_vain_is_told_why(listening: bool, error: type[EdgewiseError]) -> None:
    writer = Writer()

    async def body(intake: Intake) -> None:
        first = await held(writer, intake)
        with pytest.raises(error):
            await intake.put([item(1)], 0.01)
        writer.let.set()
        await first

    run(writer, body, lambda: listening)
    assert all(item(1).digest not in batch for batch in writer.written), "its request is answered: it comes again"


@pytest.mark.parametrize(("name", "value"), [("_WAITING_EVENTS", 3), ("_WAITING_BYTES", 3)])
def test_too_much_waits_not_at_all(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    monkeypatch.setattr(module, name, value)
    writer = Writer()

    async def body(intake: Intake) -> None:
        first = await held(writer, intake)
        second = asyncio.create_task(intake.put([item(1), item(2)], LONG_S))
        await asyncio.sleep(0)
        with pytest.raises(KafkaSlowError):
            await intake.put([item(3), item(4)], LONG_S)
        writer.let.set()
        assert await second == [True, True]
        await first
        assert await intake.put([item(n) for n in range(5, 15)], LONG_S) == [True] * 10, "more than waits, but alone"

    run(writer, body)


def test_after_a_failure_it_is_not_ready_and_tries_again_until_kafka_takes_them() -> None:
    writer = Writer()
    writer.failures = [IntakeError("Kafka did not take events: away"), IntakeError("again")]
    writer.last_failure.clear()

    async def body(intake: Intake) -> list[bool]:
        first = await held(writer, intake)
        waiting = asyncio.create_task(intake.put([item(1)], LONG_S))
        await asyncio.sleep(0)
        writer.let.set()
        await asyncio.to_thread(writer.entered.acquire)  # the second try: the first has failed
        assert intake.why_not_ready() == "Kafka did not take events: away"
        writer.last_failure.set()
        answers = [*await first, *await waiting]
        assert intake.why_not_ready() is None
        return answers

    assert run(writer, body) == [True, True]
    assert writer.opened == 2
    assert writer.written[0][0] == item(-1).digest


def test_it_hears_that_kafka_is_back_though_nobody_sends_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A door that is not ready gets no requests. Seen to fail where only a write that succeeds makes it ready again."""
    monkeypatch.setattr(module, "_LONGEST_PAUSE_S", 0.01)
    writer = Writer()
    writer.failures = [IntakeError("away")] * 3

    async def body(intake: Intake) -> None:
        with pytest.raises(KafkaAwayError):
            await intake.put([item(1)], 0.05)
        writer.failures = writer.failures[:1]
        for _ in range(1_000):
            if intake.why_not_ready() is None:
                return
            await asyncio.sleep(0.01)
        pytest.fail("it never is ready again")

    run(writer, body)
    assert writer.opened >= 1


def test_whether_a_broker_can_be_reached_is_looked_at_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a look, a thread and a connection for each request that is refused."""
    monkeypatch.setattr(module, "_LOOK_S", LONG_S)
    writer, looks = Writer(), []

    def listening() -> bool:
        looks.append(1)
        return True

    async def body(intake: Intake) -> None:
        first = await held(writer, intake)
        refused = await asyncio.gather(*(intake.put([item(n)], 0.001) for n in range(20)), return_exceptions=True)
        assert {type(each) for each in refused} == {KafkaSlowError}
        writer.let.set()
        await first

    run(writer, body, listening)
    assert len(looks) == 1


def test_a_broker_that_drops_what_it_is_sent_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the look waited for: a vendor waits for three seconds."""
    monkeypatch.setattr(module, "_LOOK_S", 0.01)
    writer, answers = Writer(), threading.Event()

    async def body(intake: Intake) -> None:
        first = await held(writer, intake)
        with pytest.raises(KafkaAwayError):
            await intake.put([item(1)], 0.001)
        answers.set()
        writer.let.set()
        await first

    run(writer, body, lambda: answers.wait(LONG_S))


def test_while_it_fails_a_request_is_told_that_kafka_is_away() -> None:
    writer = Writer()
    writer.failures = [IntakeError("away")] * 2
    writer.last_failure.clear()

    async def body(intake: Intake) -> None:
        first = asyncio.create_task(intake.put([item(1)], LONG_S))
        for _ in range(2):  # once the second try has begun, the first has failed
            await asyncio.to_thread(writer.entered.acquire)
        with pytest.raises(KafkaAwayError):
            await intake.put([item(2)], 0.001)
        writer.last_failure.set()
        assert await first == [True]

    run(writer, body)


def test_an_event_that_kafka_refuses_is_its_own_request_s_fault() -> None:
    writer = Writer()
    writer.refused = {item(2).digest}

    async def body(intake: Intake) -> list[Any]:
        first = await held(writer, intake)
        requests = [asyncio.create_task(intake.put([item(n), item(n + 10)], LONG_S)) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        writer.let.set()
        await first
        return list(await asyncio.gather(*requests, return_exceptions=True))

    one, two, three = run(writer, body)
    assert (one, three) == ([True, True], [True, True])
    assert isinstance(two, EventRefusedError)


def test_what_waits_is_written_before_it_ends() -> None:
    writer = Writer()

    async def body(intake: Intake) -> "list[asyncio.Task[list[bool]]]":
        first = await held(writer, intake)
        rest = [asyncio.create_task(intake.put([item(n)], LONG_S)) for n in range(3)]
        await asyncio.sleep(0)
        return [first, *rest]

    run(writer, body)
    assert [len(batch) for batch in writer.written] == [1, 3]


def test_a_thread_that_ends_or_hangs_is_not_alive() -> None:
    writer = Writer()
    now = [0.0]

    async def body() -> None:
        intake = Intake(cast(OnceWriter, writer), lambda: True, lambda: now[0])
        first = await held(writer, intake)
        assert intake.why_not_alive() is None
        now[0] = 200.0
        assert intake.why_not_alive() == "the transaction under way has taken 200 s"
        writer.let.set()
        await first
        await intake.close(LONG_S)
        assert intake.why_not_alive() == "the thread that writes has ended"
        assert intake.why_not_ready() == "it is being stopped"

    asyncio.run(body())
