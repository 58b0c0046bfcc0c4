"""A real Kafka for tests and benchmarks: brokers of this machine, on free ports, gone when the block ends.

with kafka_cluster(folder, brokers=3) as servers:
    bootstrap = bootstrap_servers(servers)
    servers[0].kill()
    servers[0].start()
"""

import base64
import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

REPOSITORY = Path(__file__).resolve().parents[2]
JAVA_MINIMUM = 17

# One broker is up in 3 to 5 s, three in 15 s on two idle cores; the rest is for a machine that is busy.
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 20.0

_PORTS = (15_000, 32_768)

_LOG4J = """\
appenders = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = WARN
rootLogger.appenderRefs = console
rootLogger.appenderRef.console.ref = console
"""


class KafkaError(RuntimeError):
    """A broker could not be started; the message ends with what it printed."""


class Node(NamedTuple):
    """Where one broker of a cluster is to be found; `listeners` are ports besides the plain one, by their names.

    `advertised` has those whose port clients are told another of.
    """

    id: int
    port: int
    controller_port: int
    directory_id: str
    listeners: Mapping[str, int]
    advertised: Mapping[str, int]

    @property
    def controller(self) -> str:
        """The controller's address, host:port."""
        return f"127.0.0.1:{self.controller_port}"


class KafkaServer:
    """One broker and controller of a cluster, as a process. `start` returns once it answers."""

    def __init__(
        self,
        folder: Path,
        node: Node,
        cluster: Sequence[Node],
        cluster_id: str,
        properties: Mapping[str, str],
        heap: str,
    ) -> None:
        self.node = node
        self.bootstrap_servers = f"127.0.0.1:{node.port}"
        self.listeners = {name: f"127.0.0.1:{port}" for name, port in node.listeners.items()}
        self._log = folder / "server.log"
        self._properties = folder / "server.properties"
        log4j = folder / "log4j2.properties"
        self._java = [
            *_die_with_parent(),
            str(_java()),
            f"-Xmx{heap}",
            f"-Dlog4j2.configurationFile={log4j}",
            "-cp",
            str(libs() / "*"),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        log4j.write_text(_LOG4J)
        self._properties.write_text(
            "".join(f"{key}={value}\n" for key, value in {**_defaults(folder, node, cluster), **properties}.items())
        )
        voters = ",".join(f"{each.id}@{each.controller}:{each.directory_id}" for each in cluster)
        arguments = ["format", "-t", cluster_id, "-c", str(self._properties), "--initial-controllers", voters]
        done = subprocess.run(
            [*self._java, "kafka.tools.StorageTool", *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise KafkaError(f"the storage of broker {node.id} could not be formatted: {done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the broker, again after `kill` or `stop`, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start the process and return at once: a cluster's brokers answer only once most of them run."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Wait until this broker is one of those that a client is told of."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self._process is None or self._process.poll() is not None:
                raise KafkaError(f"broker {self.node.id} ended while it was starting: {self._tail()}")
            with contextlib.suppress(KafkaException):
                if self.node.id in admin.list_topics(timeout=1).brokers:
                    return
            if time.monotonic() > deadline:
                raise KafkaError(f"broker {self.node.id} does not answer after {START_TIMEOUT_S:g} s: {self._tail()}")

    def active_controller(self) -> int:
        """The id of the node that leads the quorum of controllers, as this broker knows; a client is told a random one.

        Raises KafkaError when it does not answer.
        """
        command = ["org.apache.kafka.tools.MetadataQuorumCommand", "--bootstrap-server", self.bootstrap_servers]
        done = subprocess.run(
            [*self._java, *command, "describe", "--status"], capture_output=True, text=True, check=False
        )
        found = re.search(r"LeaderId:\s+(\d+)", done.stdout)
        if found is None:
            raise KafkaError(f"broker {self.node.id} does not know the controller: {done.stdout}{done.stderr}")
        return int(found[1])

    @property
    def pid(self) -> int:
        """The process, which must be there."""
        if self._process is None:
            raise KafkaError(f"broker {self.node.id} is not running")
        return self._process.pid

    def running(self) -> bool:
        """Whether the process is there; a frozen one is."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal: `SIGSTOP` freezes it, `SIGCONT` lets it go on."""
        if self._process is None:
            raise KafkaError(f"broker {self.node.id} is not running")
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the broker at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the broker in good order, or at once when that takes too long."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S)
        self.kill()

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def kafka_cluster(
    folder: Path,
    brokers: int = 1,
    *,
    properties: Mapping[str, str] | None = None,
    listeners: Sequence[str] = (),
    advertised: Mapping[str, Sequence[int]] | None = None,
    heap: str = "1G",
) -> Iterator[list[KafkaServer]]:
    """A running cluster of so many brokers with its data under `folder`; `properties` are added to each broker's.

    `listeners` are names of more listeners beside the plain one, which the brokers use among themselves; what they are
    is for `properties` to say (`listener.security.protocol.map`, which then replaces the whole map, and so on).
    `advertised` has, for some of them, the port for each broker that clients are told in its place: a proxy's.

    Raises:
        KafkaError: a broker does not start.
    """
    ports = iter(_free_ports((2 + len(listeners)) * brokers))
    nodes = [
        Node(
            number + 1,
            next(ports),
            next(ports),
            _random_id(),
            {name: next(ports) for name in listeners},
            {name: told[number] for name, told in (advertised or {}).items()},
        )
        for number in range(brokers)
    ]
    cluster_id = _random_id()
    servers: list[KafkaServer] = []
    try:
        for node in nodes:
            place = folder / f"broker-{node.id}"
            servers.append(KafkaServer(place, node, nodes, cluster_id, properties or {}, heap))
        for server in servers:
            server.launch()
        for server in servers:
            server.wait()
        yield servers
    finally:
        # The data is not wanted again, and brokers told to stop in good order would wait for each other.
        for server in servers:
            server.kill()


def bootstrap_servers(servers: Sequence[KafkaServer]) -> str:
    """What clients are given to find the cluster."""
    return ",".join(server.bootstrap_servers for server in servers)


def missing() -> str | None:
    """Why no Kafka can be started here, or None when one can."""
    try:
        libs()
        version = subprocess.run([_java(), "-version"], capture_output=True, text=True, check=True).stderr
    except (KafkaError, OSError, subprocess.CalledProcessError) as error:
        return str(error)
    found = re.search(r'version "(\d+)', version)
    if found is None or int(found[1]) < JAVA_MINIMUM:
        return f"Kafka needs Java {JAVA_MINIMUM} or later; here is {version.splitlines()[0] if version else 'none'}"
    return None


def libs() -> Path:
    """The jars of Kafka: in `KAFKA_HOME`, else in the folder `shared/kafka` beside the repository."""
    home = os.environ.get("KAFKA_HOME")
    libs = (Path(home) if home else REPOSITORY.parent / "shared" / "kafka") / "libs"
    if not any(libs.glob("kafka_*.jar")):
        named = f"KAFKA_HOME ({home})" if home else "KAFKA_HOME, which is not set,"
        raise KafkaError(f"no Kafka: {named} must be an unpacked Kafka 4, a folder with kafka_*.jar in libs/")
    return libs


def _java() -> Path:
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise KafkaError(f"no Java: Kafka needs Java {JAVA_MINIMUM} or later on the PATH or in JAVA_HOME")
    return Path(java)


def _die_with_parent() -> list[str]:
    """A command that has the broker end with the test run, even when that is killed (Linux; elsewhere none)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _defaults(folder: Path, node: Node, cluster: Sequence[Node]) -> dict[str, str]:
    replicas = str(min(3, len(cluster)))
    in_sync = str(min(2, len(cluster)))
    more = "".join(f",{name}://127.0.0.1:{port}" for name, port in node.listeners.items())
    told = "".join(f",{name}://127.0.0.1:{port}" for name, port in {**node.listeners, **node.advertised}.items())
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://{node.controller}{more}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://{node.controller}{told}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": ",".join(each.controller for each in cluster),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(folder / "data"),
        # Topics are created on purpose: a misspelt name is to fail, not to become a topic.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        # The default of 50 partitions each makes the first group and the first transaction wait for seconds.
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "8",
        "group.initial.rebalance.delay.ms": "0",
        # Records with a time of long ago would be gone at the next look, which comes every five minutes.
        "log.retention.ms": "-1",
    }


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, of those that the system gives to no connection by itself (Linux: from 32768 on).

    A broker that is killed must find its own free when it comes back.
    """
    free: list[int] = []
    with contextlib.ExitStack() as held:
        while len(free) < count:
            port = random.randrange(*_PORTS)
            with contextlib.suppress(OSError):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                free.append(port)
    return free


def _random_id() -> str:
    """A random UUID as Kafka writes it: 22 characters of URL-safe base64, the first no dash, which begins an option."""
    while (drawn := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return drawn
