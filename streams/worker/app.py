"""The Faust app of one agent: its own consumer group, one topic in, every batch through delivery."""

import asyncio
import logging
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import faust
import prometheus_client
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from confluent_kafka import KafkaException
from faust.types import StreamT
from mode.supervisors import CrashingSupervisor

from schemas.errors import EdgewiseError, UsageError
from streams.agents import metrics
from streams.agents.agent import Agent
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.oauth import TokenRefusedError
from streams.kafka.refusals import AUTHORIZATION, AccessError, ConnectionRefusedByBrokerError, client_identity
from streams.system.threads import in_daemon_thread
from streams.worker.access import require_topics
from streams.worker.aiokafka_security import credentials
from streams.worker.delivery import Delivery, DeliveryError, FencedError
from streams.worker.probes import Health, probes
from streams.worker.transport import STABLE_OFFSETS_TIMEOUT_S, Chunk, Consumer, Transport

logger = logging.getLogger(__name__)

# A dead worker's partitions stand still until its session ends. 6 s is Kafka's own lower bound
# (group.min.session.timeout.ms); three heartbeats fit into it. On the embedded broker it also brings the group's first
# join from 23 s down to 3 s.
SESSION_TIMEOUT_S = 6.0
HEARTBEAT_S = 2.0

# Chunks that wait in memory before fetching pauses. Each holds up to `chunk_records` events.
BUFFERED_CHUNKS = 8

# Longest wait for Faust to leave the group and stop its threads; 10 s is what container platforms grant at least.
STOP_TIMEOUT_S = 8.0

# Whether the brokers answer, and still take the login, is looked at so often. A look is one connection, some ms of a
# broker's time.
LOOK_S = 10.0
_LOOK_TIMEOUT_S = 2.0


class WorkerFailedError(EdgewiseError):
    """A worker that had joined its group met what is a wrong set-up at the start. Trying again may help.

    Its set-up was right when it started: a login, a file or a topic that was taken away may come back.
    """


def build_app(settings: Settings, agent: Agent, delivery: Delivery, datadir: Path) -> faust.App:
    """The app that feeds `agent` through `delivery`. Call it in the running event loop that the app shall use."""
    app = faust.App(
        settings.group(agent.name),
        broker=";".join(f"kafka://{server}" for server in settings.bootstrap_servers.split(",")),
        broker_credentials=credentials(settings),
        broker_client_id=f"edgewise-{agent.name}-{settings.worker_id}",
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        # To Faust this is how long setting positions back may take; were it too short, the worker would stand still.
        # The offsets, and then each partition's oldest record, are asked for again for so long, and a last try may last
        # as long again; partitions wait for the same brokers, so that a second one finds them there.
        broker_request_timeout=4 * STABLE_OFFSETS_TIMEOUT_S,
        broker_max_poll_records=BUFFERED_CHUNKS * agent.chunk_records,
        stream_buffer_maxsize=BUFFERED_CHUNKS,
        autodiscover=False,
        datadir=datadir,
        store="memory://",
        topic_disable_leader=True,
        web_enabled=False,
        loop=asyncio.get_running_loop(),
    )
    transport = Transport(app.conf.broker, app, app.loop, cluster=delivery.cluster, chunk_records=agent.chunk_records)
    transport.check_versions()
    app.transport = transport
    topic = app.topic(agent.source, key_type=bytes, key_serializer="raw", value_type=None, value_serializer="raw")

    @app.agent(topic, name=agent.name, supervisor_strategy=CrashingSupervisor)
    async def run(stream: StreamT[Chunk]) -> None:
        await delivery.run(stream, lambda: cast(Consumer, app.consumer))

    return app


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
                    delivery = Delivery(cluster, agent)
                    if await _done(stop, delivery.start):
                        app = build_app(settings, agent, delivery, Path(datadir))
                        health.batch_since_s = lambda: delivery.batch_since_s
                        await _run(_Worker(cluster, agent, app, delivery, health), stop, on_joined)
    finally:
        beating.cancel()


class _Worker(NamedTuple):
    """An agent that is ready to join its group, and what belongs to it."""

    cluster: Cluster
    agent: Agent
    app: faust.App
    delivery: Delivery
    health: Health


async def _run(worker: _Worker, stop: asyncio.Event, on_joined: Callable[[], None]) -> None:
    """Joins the group and runs until `stop` is set. Raises what ends it before."""
    cluster, agent, app = worker.cluster, worker.agent, worker.app
    # Starting waits for the group's first assignment, and a signal must not wait for that.
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    crashing = asyncio.create_task(app.wait_until_stopped())
    watching = asyncio.create_task(_watch_brokers(cluster, worker.health))
    await asyncio.wait({starting, stopping, crashing, watching}, return_when=asyncio.FIRST_COMPLETED)
    running = {stopping, crashing, watching}
    if starting.done() and starting.exception() is None:
        on_joined()
        running.add(asyncio.create_task(worker.delivery.tick(lambda: cast(Consumer, app.consumer))))
        with _joined(worker):
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    failures = [app.crash_reason, *(task.exception() for task in (*running, starting) if task.done())]
    failure = next(filter(None, failures), None)
    for task in (*running, starting):
        task.cancel()
    await _stop(app, failure is not None)
    await worker.delivery.close()
    if failure is not None:
        explained = await in_daemon_thread(partial(_explained, failure, cluster, agent))
        if isinstance(explained, UsageError):
            raise WorkerFailedError(str(explained)) from explained
        raise explained


@contextmanager
def _joined(worker: _Worker) -> Iterator[None]:
    """While the group is joined: metrics tell the lag, `/readyz` answers, and the log says when it begins and ends."""
    agent, consumer = worker.agent, cast(Consumer, worker.app.consumer)
    worker_id = worker.cluster.settings.worker_id
    # Faust makes its consumer while it starts, or when it is first asked for: a scrape before would make a second one.
    lags = metrics.LagCollector(agent.name, lambda: {tp: consumer.lag(tp) for tp in list(consumer.committed)})
    prometheus_client.REGISTRY.register(lags)
    worker.health.joined = True
    partitions = ", ".join(str(tp.partition) for tp in sorted(consumer.assignment())) or "none yet"
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
            agent.name, worker_id, time.monotonic() - begun_s, worker.delivery.records,
        )  # fmt: skip


async def _done(stop: asyncio.Event, step: Callable[[], None]) -> bool:
    """Whether `step`, called in a thread, has returned; False as soon as `stop` is set, whatever becomes of it."""
    doing, stopping = asyncio.create_task(in_daemon_thread(step)), asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not doing.done():
        doing.cancel()
        return False
    await doing
    return not stop.is_set()


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
    refused = isinstance(failure, TopicAuthorizationFailedError | GroupAuthorizationFailedError)
    if isinstance(failure, KafkaException):
        refused = failure.args[0].code() in AUTHORIZATION
    if refused or isinstance(failure, AccessError | DeliveryError | FencedError | KafkaException):
        try:
            require_topics(cluster, agent)
        except (AccessError, UsageError) as precise:
            return precise
        except EdgewiseError:  # no broker answers now; it was there when `failure` came
            pass
    identity = client_identity(cluster.settings)
    return AccessError(f"{agent.name}: the broker refused {identity}: {failure}") if refused else failure


async def _stop(app: faust.App, crashed: bool) -> None:
    try:
        # Faust fetches no more, waits for the batch under way, and leaves the group.
        await asyncio.wait_for(app.stop(), STOP_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001  what matters is committed; the group drops a silent member by itself
        logger.log(logging.INFO if crashed else logging.WARNING, "stopping was not clean: %r", error)


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for Faust, which wants one and leaves it empty, gone when the block ends. Raises EdgewiseError."""
    try:
        return tempfile.TemporaryDirectory(prefix="edgewise-")
    except OSError as error:
        raise EdgewiseError(
            f"no temporary folder can be made ({error.strerror}): is the disk full? Make room, or set TMPDIR to a "
            "folder that can be written to"
        ) from None
