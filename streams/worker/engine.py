"""Fetch, work, transaction: one after another, in the event loop's thread, fed to a Faust agent through a channel."""

import asyncio
from collections.abc import AsyncIterable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import faust
from faust.app.base import BootStrategy
from faust.types import StreamT
from mode.supervisors import CrashingSupervisor

from schemas.errors import EdgewiseError
from streams.agents import metrics
from streams.agents.agent import CHUNKS
from streams.system.clock import Clock, now_ms
from streams.system.tracing import step
from streams.worker.batch import Batch
from streams.worker.delivery import Delivery
from streams.worker.member import Member
from streams.worker.spans import batch_spans

# Where nothing comes, the thread waits in librdkafka for so long; a signal, and what else runs in the loop, for it.
IDLE_S = 0.02

# What takes longer is waited for with looks at the group in between: a rebalance waits for no batch.
LOOK_S = 0.2

# How long a look at whether Faust's agent listens already waits.
_BEGINNING_S = 0.005

T = TypeVar("T")


class _Boot(BootStrategy):
    """Neither Kafka nor the web: Faust runs the agent."""

    enable_kafka = False
    enable_web = False


class _App(faust.App):
    BootStrategy = _Boot

    async def on_start(self) -> None:
        """Begins. Faust's own method makes a consumer, with aiokafka and a thread for it, that nobody starts."""
        self.finalize()


@dataclass(eq=False, slots=True)
class _Work:
    """What Faust hands to the agent, and what came of it: whether it was committed."""

    batch: Batch
    done: asyncio.Future[bool]


class Engine:
    """Runs an agent: its batches and its ticks, each in a transaction.

    `joined` is set when it has joined its group. `batch_since_s` is when the batch under way was begun, by the event
    loop's clock, which is `time.monotonic`.
    """

    def __init__(self, member: Member, delivery: Delivery, datadir: Path, clock: Clock = now_ms) -> None:
        """Faust needs the folder `datadir`, and leaves it empty. Make it in the event loop that it shall run in."""
        self.joined = asyncio.Event()
        self.records = 0  # that were committed
        self.batch_since_s: float | None = None
        self._member = member
        self._delivery = delivery
        self._agent = delivery.agent
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._next_tick_s = self._loop.time() + self._agent.tick_s
        self._setting_back: asyncio.Task[None] | None = None
        self._group = delivery.settings.group(self._agent.name)
        self.app = _App(
            self._group,
            autodiscover=False,
            datadir=datadir,
            store="memory://",
            web_enabled=False,
            loop=self._loop,
        )
        self._channel = self.app.channel(maxsize=1)

        @self.app.agent(self._channel, name=self._agent.name, supervisor_strategy=CrashingSupervisor)
        async def run(stream: StreamT[_Work]) -> None:
            # Of the channel itself: the stream over it would keep account of a Kafka consumer's messages.
            async for work in cast(AsyncIterable[_Work], stream.channel):
                work.done.set_result(await self._do(work.batch))

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set; the batch under way is finished then. Raises what the agent or delivery raises."""
        await self.app.start()
        while not self._channel.subscriber_count:  # noqa: ASYNC110 - nothing tells; what nobody listens for is lost
            await asyncio.sleep(_BEGINNING_S)
        self.app.flow_control.resume()
        crashed = asyncio.create_task(self.app.wait_until_stopped())
        try:
            while not stop.is_set():
                await self._turn(stop, crashed)
        finally:
            crashed.cancel()
            if self._setting_back is not None:
                self._setting_back.cancel()

    async def _turn(self, stop: asyncio.Event, crashed: "asyncio.Task[None]") -> None:
        self._set_back()
        if self._agent.tick_s and self._loop.time() >= self._next_tick_s:
            self._tell_new()
            if (standing := self._member.standing()) is not None:
                await self._while_member(self._tick(standing), standing)
        most = max(1, int(CHUNKS * self._agent.chunk_records * self._delivery.share))
        batch = self._member.fetch(most, IDLE_S)
        if self._member.joined:
            self.joined.set()
        if batch is None:
            await asyncio.sleep(0)  # the loop's other work
            return
        self._tell_new()
        if not await self._is_done(batch, crashed):
            self._member.lose(batch)
            self._agent.positions_set_back(set(batch.held))
        if self._agent.gather_s and len(batch.records) < min(most, self._agent.chunk_records):
            await _set_within(stop, self._agent.gather_s)

    def _set_back(self) -> None:
        """Has it found out where partitions that are astray go on. The others need not wait for it.

        Raises what came of the last time.
        """
        if self._setting_back is not None and self._setting_back.done():
            self._setting_back.result()
            self._setting_back = None
        if self._setting_back is None and self._member.astray:
            self._setting_back = asyncio.create_task(self._member.set_back())

    def _tell_new(self) -> None:
        if new := self._member.newly_held():
            self._agent.positions_set_back(new)

    async def _is_done(self, batch: Batch, crashed: "asyncio.Task[None]") -> bool:
        """Has the agent do `batch`; whether it was committed. Raises what ended the agent."""
        self.batch_since_s = self._loop.time()
        work = _Work(batch, self._loop.create_future())
        await self._channel.put(cast(Any, work))
        await self._while_member(_first(work.done, crashed), batch)
        self.batch_since_s = None
        if not work.done.done():
            raise self.app.crash_reason or EdgewiseError(f"{self._agent.name}: the agent ended by itself")
        return work.done.result()

    async def _do(self, batch: Batch) -> bool:
        with batch_spans(self._agent.name, self._group, batch.records) as outcome:
            outcome.committed = await self._is_committed(batch)
        return outcome.committed

    async def _is_committed(self, batch: Batch) -> bool:
        claims = await self._agent.prepare(batch.records)
        if claims:
            if not await self._delivery.deliver(claims, {}, b""):
                return False
            self._agent.committed()
        with step("process", {}):
            outputs = await self._agent.process(batch.records)
        self._member.renew(batch)
        with step("commit", {"messaging.batch.message_count": len(outputs)}):
            if not await self._delivery.deliver(outputs, batch.ends, batch.token):
                return False
        self._agent.committed()
        self._member.is_done(batch)
        self.records += len(batch.records)
        metrics.BATCH_RECORDS.labels(self._agent.name).observe(len(batch.records))
        return True

    async def _tick(self, standing: Batch) -> None:
        self._next_tick_s = self._loop.time() + self._agent.tick_s
        now_ms = self._clock()
        outputs = await self._agent.tick(now_ms, {at: held.read_to(now_ms) for at, held in standing.held.items()})
        self._member.renew(standing)
        if outputs and not await self._delivery.deliver(outputs, standing.ends, standing.token):
            self._agent.positions_set_back(set(standing.held))
        else:
            self._agent.committed()

    async def _while_member(self, work: Coroutine[Any, Any, T], batch: Batch | None = None) -> T:
        """What `work` returns or raises. As long as it takes, this worker takes part in its group."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
                self._member.stay(batch)
        finally:
            task.cancel()
        return await task


async def _first(*futures: "asyncio.Future[Any]") -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Returns when `event` is set, or after so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
