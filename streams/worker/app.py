"""A worker of one agent, from its start to its end: what is asked first, what is watched, how it stops."""

import asyncio
import logging
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import prometheus_client
from confluent_kafka import KafkaException

from schemas.errors import EdgewiseError, UsageError
from streams.agents import metrics
from streams.agents.agent import Agent
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.oauth import TokenRefusedError
from streams.kafka.refusals import AUTHORIZATION, AccessError, ConnectionRefusedByBrokerError, client_identity
from streams.system.threads import in_daemon_thread
from streams.worker.access import require_topics
from streams.worker.delivery import Delivery, DeliveryError, FencedError
from streams.worker.engine import LOOK_S as GROUP_LOOK_S
from streams.worker.engine import Engine
from streams.worker.member import Member
from streams.worker.probes import Health, probes

logger = logging.getLogger(__name__)

T = TypeVar("T")

# On a stop signal the batch under way gets so long to end. What it did not commit, whoever gets its partitions does
# again.
FINISH_S = 0.7

# Then Faust and the consumer group are left. That takes milliseconds where brokers answer; where none does, the group
# drops a silent member by itself.
STOP_TIMEOUT_S = 2.0

# Whether the brokers answer, and still take the login, is looked at so often. A look is one connection, some ms of a
# broker's time.
LOOK_S = 10.0
_LOOK_TIMEOUT_S = 2.0


class WorkerFailedError(EdgewiseError):
    """A worker that had joined its group met what is a wrong set-up at the start. Trying again may help.

    Its set-up was right when it started: a login, a file or a topic that was taken away may come back.
    """


async def serve(settings: Settings, agent: Agent, *, on_joined: Callable[[], None] = lambda: None) -> None:
    """Runs `agent` until SIGTERM or SIGINT; then finishes the batch under way and leaves the group.

    `on_joined` is called once it has joined its group.

    Raises UsageError, only before the group is joined: metrics can't be served, a topic is missing, the brokers refuse
    the login. Raises EdgewiseError: no broker answers, a right is missing, a transaction failed for good; what the
    agent raises; after the group is joined, `WorkerFailedError` in place of any UsageError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    health = Health()
    beating = asyncio.create_task(health.beat())
    metrics.name_build(agent.name, agent.model)
    try:
        cluster = Cluster(settings)
        with probes(settings, health):
            if await _done(stop, partial(require_topics, cluster, agent)):
                with _temporary_folder() as datadir:
                    member = await _made(stop, partial(Member, cluster, agent))
                    if member is None:
                        return
                    try:
                        await _serve(cluster, agent, member, Path(datadir), health, stop, on_joined)
                    finally:
                        await _ended(in_daemon_thread(member.close), failed=True)
    finally:
        beating.cancel()


async def _serve(
    cluster: Cluster,
    agent: Agent,
    member: Member,
    datadir: Path,
    health: Health,
    stop: asyncio.Event,
    on_joined: Callable[[], None],
) -> None:
    delivery = Delivery(cluster, agent)
    # To share its partitions a group takes up to 3 s. Meanwhile the producers are made, and Faust's app.
    member.join()
    starting = asyncio.create_task(_done(stop, delivery.start))
    await asyncio.sleep(0)
    engine = Engine(member, delivery, datadir)
    health.batch_since_s = lambda: engine.batch_since_s
    await _while_member(member, starting, cluster, agent)
    if await starting:
        await _run(_Worker(cluster, agent, engine, member, delivery, health), stop, on_joined)


class _Worker(NamedTuple):
    """An agent that is ready to join its group, and what belongs to it."""

    cluster: Cluster
    agent: Agent
    engine: Engine
    member: Member
    delivery: Delivery
    health: Health


async def _run(worker: _Worker, stop: asyncio.Event, on_joined: Callable[[], None]) -> None:
    """Joins the group and runs until `stop` is set. Raises what ends it before."""
    cluster, agent = worker.cluster, worker.agent
    running = asyncio.create_task(worker.engine.run(stop))
    stopping = asyncio.create_task(stop.wait())
    watching = asyncio.create_task(_watch_brokers(cluster, worker.health))
    joining = asyncio.create_task(worker.engine.joined.wait())
    tasks = {running, stopping, watching}
    await asyncio.wait({joining, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    if worker.engine.joined.is_set():
        on_joined()
        with _joined(worker):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({running}, timeout=FINISH_S)
    failure = next((task.exception() for task in (running, watching) if task.done() and task.exception()), None)
    for task in (joining, *tasks):
        task.cancel()
    await _ended(worker.engine.app.stop(), failure is not None)
    await _ended(in_daemon_thread(worker.member.close), failure is not None)
    await worker.delivery.close()
    if failure is not None:
        explained = await in_daemon_thread(partial(_explained, failure, cluster, agent))
        if isinstance(explained, UsageError):
            raise WorkerFailedError(str(explained)) from explained
        raise explained


@contextmanager
def _joined(worker: _Worker) -> Iterator[None]:
    """While the group is joined: metrics tell the lag, `/readyz` answers, and the log says when it begins and ends."""
    agent = worker.agent
    worker_id = worker.cluster.settings.worker_id
    lags = metrics.LagCollector(agent.name, worker.member.lags)
    prometheus_client.REGISTRY.register(lags)
    worker.health.joined = True
    partitions = ", ".join(map(str, sorted(worker.member.held))) or "none yet"
    model = f", model {agent.model}" if agent.model else ""
    logger.info("%s: worker %s is up: partitions %s of %s%s", agent.name, worker_id, partitions, agent.source, model)
    begun_s = time.monotonic()
    try:
        yield
    finally:
        worker.health.joined = False
        prometheus_client.REGISTRY.unregister(lags)
        logger.info(
            "%s: worker %s stops after %.0f s, in which it processed %d records",
            agent.name, worker_id, time.monotonic() - begun_s, worker.engine.records,
        )  # fmt: skip


async def _while_member(member: Member, starting: "asyncio.Task[bool]", cluster: Cluster, agent: Agent) -> None:
    """Waits for `starting`, and takes part in the group all the while: it can't share its partitions without an answer.

    Raises what ends the worker.
    """
    try:
        while not (await asyncio.wait({starting}, timeout=GROUP_LOOK_S))[0]:
            member.stay()
    except KafkaException as failure:
        starting.cancel()
        raise await in_daemon_thread(partial(_explained, failure, cluster, agent)) from failure


async def _done(stop: asyncio.Event, step: Callable[[], None]) -> bool:
    """Whether `step`, called in a thread, has returned; False as soon as `stop` is set, whatever becomes of it."""

    def ended() -> bool:
        step()
        return True

    return bool(await _made(stop, ended)) and not stop.is_set()


async def _made(stop: asyncio.Event, make: Callable[[], T]) -> T | None:
    """What `make`, called in a thread, returns; None where `stop` is set before, whatever becomes of it."""
    doing, stopping = asyncio.create_task(in_daemon_thread(make)), asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not doing.done():
        doing.cancel()
        return None
    return await doing


async def _watch_brokers(cluster: Cluster, health: Health) -> None:
    """Looks now and then whether the brokers answer, and tells `health`.

    Raises ConnectionRefusedByBrokerError or TokenRefusedError once they no longer take this login. To the clients that
    is a broker that is away: they go on with the connections that they have, and then go on trying.
    """
    if not cluster.settings.metrics_port and cluster.settings.kafka_security_protocol == "PLAINTEXT":
        await asyncio.Event().wait()  # nobody is told, and there is no login
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await in_daemon_thread(partial(cluster.metadata, _LOOK_TIMEOUT_S))
        except (ConnectionRefusedByBrokerError, TokenRefusedError):
            raise
        except EdgewiseError:  # it may pass: no broker answers, or a certificate is being renewed
            health.brokers_answer = False
        else:
            health.brokers_answer = True


def _explained(failure: BaseException, cluster: Cluster, agent: Agent) -> BaseException:
    """A more precise error where a login, a right or a topic was taken away; otherwise `failure`.

    The clients know only of what sort it was; of records that were refused in a transaction not even that. What is
    produced to a topic that is gone waits for it, until the broker gives the transaction up.
    """
    refused = isinstance(failure, KafkaException) and failure.args[0].code() in AUTHORIZATION
    if isinstance(failure, AccessError | DeliveryError | FencedError | KafkaException):
        try:
            require_topics(cluster, agent)
        except (AccessError, UsageError) as precise:
            return precise
        except EdgewiseError:  # no broker answers now; it was there when `failure` came
            pass
    if not isinstance(failure, KafkaException):
        return failure
    error, identity = failure.args[0], client_identity(cluster.settings)
    if refused:
        return AccessError(f"{agent.name}: the broker refused {identity}: {failure}")
    return EdgewiseError(f"{agent.name}: Kafka failed and the worker must start again: {error.str()} ({error.name()})")


async def _ended(ending: Awaitable[None], failed: bool) -> None:
    try:
        await asyncio.wait_for(ending, STOP_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001  what matters is committed; the group drops a silent member by itself
        logger.log(logging.INFO if failed else logging.WARNING, "stopping was not clean: %r", error)


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for Faust, which wants one and leaves it empty, gone when the block ends. Raises EdgewiseError."""
    try:
        return tempfile.TemporaryDirectory(prefix="edgewise-")
    except OSError as error:
        raise EdgewiseError(
            f"no temporary folder can be made ({error.strerror}): is the disk full? Make room, or set TMPDIR to a "
            "folder that can be written to"
        ) from None
