"""The Faust app of one agent: its own consumer group, one topic in, every batch through delivery."""

import asyncio
import logging
import signal
import tempfile
from pathlib import Path
from typing import cast

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
from streams.worker.access import require_topics
from streams.worker.aiokafka_security import credentials
from streams.worker.delivery import Delivery, DeliveryError, FencedError
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

# A login that is withdrawn ends the worker within this time. A look is one connection, some ms of a broker's time; it
# is given up soon, for a worker that is to stop waits for it.
LOGIN_CHECK_S = 10.0
_LOGIN_CHECK_TIMEOUT_S = 2.0


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
    transport = Transport(app.conf.broker, app, app.loop)
    transport.check_versions()
    transport.cluster, transport.chunk_records = delivery.cluster, agent.chunk_records
    app.transport = transport
    topic = app.topic(agent.source, key_type=bytes, key_serializer="raw", value_type=None, value_serializer="raw")

    @app.agent(topic, name=agent.name, supervisor_strategy=CrashingSupervisor)
    async def run(stream: StreamT[Chunk]) -> None:
        await delivery.run(stream, lambda: cast(Consumer, app.consumer))

    return app


async def serve(settings: Settings, agent: Agent) -> None:
    """Runs `agent` until SIGTERM or SIGINT; then finishes the batch under way and leaves the group.

    Raises EdgewiseError: a topic is missing, no broker answers or it refuses this user, a transaction failed for good;
    what the agent raises.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster = Cluster(settings)
    await asyncio.to_thread(require_topics, cluster, agent)
    with _temporary_folder() as datadir:
        delivery = Delivery(cluster, agent)
        await asyncio.to_thread(delivery.start)
        app = build_app(settings, agent, delivery, Path(datadir))
        if settings.metrics_port:
            _serve_metrics(settings, agent, app)
        # Starting waits for the group's first assignment, and a signal must not wait for that.
        starting = asyncio.create_task(app.start())
        stopping = asyncio.create_task(stop.wait())
        crashing = asyncio.create_task(app.wait_until_stopped())
        watching = asyncio.create_task(_watch_login(cluster))
        await asyncio.wait({starting, stopping, crashing, watching}, return_when=asyncio.FIRST_COMPLETED)
        running = {stopping, crashing, watching}
        if starting.done() and starting.exception() is None:
            logger.info("%s: worker %s is up", agent.name, settings.worker_id)
            running.add(asyncio.create_task(delivery.tick(lambda: cast(Consumer, app.consumer))))
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        failures = [app.crash_reason, *(task.exception() for task in (*running, starting) if task.done())]
        failure = next(filter(None, failures), None)
        for task in (*running, starting):
            task.cancel()
        await _stop(app, failure is not None)
        await delivery.close()
    if failure is not None:
        raise await asyncio.to_thread(_explained, failure, cluster, agent)


async def _watch_login(cluster: Cluster) -> None:
    """Raises ConnectionRefusedByBrokerError or TokenRefusedError once the brokers no longer take this login.

    To the clients that is a broker that is away: they go on with the connections that they have, and then go on trying.
    """
    while True:
        await asyncio.sleep(LOGIN_CHECK_S)
        if cluster.settings.kafka_security_protocol != "PLAINTEXT":
            try:
                await asyncio.to_thread(cluster.metadata, _LOGIN_CHECK_TIMEOUT_S)
            except (ConnectionRefusedByBrokerError, TokenRefusedError):
                raise
            except EdgewiseError:  # it may pass: no broker answers, or a certificate is being renewed
                continue


def _explained(failure: BaseException, cluster: Cluster, agent: Agent) -> BaseException:
    """`failure`, or where a login, a right or a topic was taken away meanwhile, which one.

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


def _serve_metrics(settings: Settings, agent: Agent, app: faust.App) -> None:
    def lags() -> dict[tuple[str, int], int]:
        consumer = cast(Consumer, app.consumer)
        return {tp: consumer.lag(tp) for tp in list(consumer.committed)}

    try:
        prometheus_client.start_http_server(settings.metrics_port)
    except OSError as error:
        raise EdgewiseError(
            f"metrics port {settings.metrics_port} can't be opened ({error.strerror}): "
            "set EDGEWISE_METRICS_PORT to a free port, or to 0 for no metrics"
        ) from None
    prometheus_client.REGISTRY.register(metrics.LagCollector(agent.name, lags))
