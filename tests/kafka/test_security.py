"""A broker with TLS, logins and ACLs: what each agent needs and no more, and what whoever is refused is told."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from pydantic import SecretStr

from schemas.codec import Codec
from schemas.errors import EdgewiseError, UsageError
from schemas.records import Alert
from schemas.topics import ALERTS, BUDGET, CLOUD_INFERENCE, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.agents.agent import Agent, KafkaRecord, Output
from streams.agents.topology import AGENT_NAMES, AGENTS
from streams.config.settings import Settings, variable
from streams.files.rows import Input
from streams.ingest.once import Item, OnceWriter, require_door
from streams.ingest.recording import Recording
from streams.ingest.remembered import digest
from streams.ingest.replay import replay
from streams.kafka import client
from streams.kafka.client import BrokerUnreachableError
from streams.kafka.lag import group_lag
from streams.kafka.oauth import TokenRefusedError
from streams.kafka.reader import read_topic, watermarks
from streams.kafka.refusals import AccessError, ConnectionRefusedByBrokerError
from streams.monitoring.window import Window
from streams.operate.dead_letter_box import survey
from streams.operate.redrive import drop, redrive
from streams.operate.topics import create
from streams.system.exit_codes import exit_code
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from streams.worker import app
from streams.worker.app import WorkerFailedError, serve
from streams.worker.build import build_agent
from tests.events import RESULT, TRANSCRIPT, consumer_record
from tests.kafka.certificates import Authority
from tests.kafka.kafka_server import REPOSITORY, KafkaServer, kafka_cluster
from tests.letters import bury
from tests.tiny_artifact import tiny_artifact

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

SECRET = "hush-hush-4711"  # of every user and client: it must not be seen anywhere
LISTENERS = {
    "LOGIN": "SASL_SSL",
    "BRIEF": "SASL_SSL",  # every 5 s clients must log in again
    "BARE": "SASL_PLAINTEXT",
    "MUTUAL": "SSL",
    "EXPIRED": "SSL",
    "MISNAMED": "SSL",
}
PARTITIONED = ("transcripts", "cloud_inference", "routing_events", "sentiment")


class Cluster(NamedTuple):
    """The broker, who issued its certificate, the tests' models, and an administrator on the plain listener."""

    server: KafkaServer
    folder: Path
    authority: Authority
    stranger: Authority
    token_url: str
    admin: AdminClient

    def settings(self, listener: str = "LOGIN", **changed: Any) -> Settings:
        """Settings for a listener; with a login the mechanism is SCRAM unless `changed` says otherwise."""
        protocol = LISTENERS[listener]
        values: dict[str, Any] = {
            "bootstrap_servers": self.server.listeners[listener],
            "kafka_security_protocol": protocol,
            "worker_id": "test",
        }
        if protocol.endswith("SSL"):
            values["kafka_ca_file"] = str(self.authority.file)
        if protocol.startswith("SASL") and changed.get("kafka_sasl_mechanism") != "OAUTHBEARER":
            values |= {"kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_username": "sam", "kafka_password": SECRET}
        return Settings(**values | changed)

    def add_user(self, name: str) -> None:
        """A user who may log in by SCRAM, and do nothing."""
        user = UserScramCredentialUpsertion(
            name, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), SECRET.encode()
        )
        for future in self.admin.alter_user_scram_credentials([user]).values():
            future.result()

    def remove_user(self, name: str) -> None:
        """Nobody can log in by that name from now on."""
        gone = UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512)
        for future in self.admin.alter_user_scram_credentials([gone]).values():
            future.result()


class TokenEndpoint(BaseHTTPRequestHandler):
    """Client credentials for unsigned tokens, which a Kafka in development mode accepts."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        login = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        client, _, secret = login.partition(":")
        asked = {"grant_type": ["client_credentials"], "scope": ["kafka"]}
        if secret != SECRET or form != asked:
            self.send_response(401)
            self.end_headers()
            return
        now = int(time.time())
        parts = ({"alg": "none"}, {"sub": client, "iat": now, "exp": now + 600, "scope": "kafka"})
        encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": ".".join(encoded) + ".", "expires_in": 600}).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def token_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, token_url: str) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("security")
    for name in ("edge", "cloud"):
        tiny_artifact(folder, name)
    authority, stranger = Authority(folder, "authority"), Authority(folder, "stranger")
    good = authority.issue("broker", "127.0.0.1")
    stores = {
        "LOGIN": good,
        "BRIEF": good,
        "MUTUAL": good,
        "EXPIRED": authority.issue("expired", "127.0.0.1", expired=True),
        "MISNAMED": authority.issue("misnamed", "kafka.example"),
    }
    properties = {
        "listener.security.protocol.map": ",".join(
            f"{name}:{protocol}"
            for name, protocol in {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **LISTENERS}.items()
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # who comes by the plain listener: the broker itself, and the administrator
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.brief.scram-sha-512.connections.max.reauth.ms": "5000",
    }
    for name, file in stores.items():
        properties[f"listener.name.{name.lower()}.ssl.keystore.type"] = "PEM"
        properties[f"listener.name.{name.lower()}.ssl.keystore.location"] = str(file)
    common = "org.apache.kafka.common.security"
    for name in ("login", "brief", "bare"):
        properties |= {
            f"listener.name.{name}.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN,OAUTHBEARER",
            f"listener.name.{name}.scram-sha-512.sasl.jaas.config": f"{common}.scram.ScramLoginModule required;",
            f"listener.name.{name}.plain.sasl.jaas.config": f"{common}.plain.PlainLoginModule required "
            f'user_sam="{SECRET}" user_line-edge="{SECRET}";',
            f"listener.name.{name}.oauthbearer.sasl.jaas.config": f"{common}.oauthbearer.OAuthBearerLoginModule "
            'required unsecuredLoginStringClaim_sub="broker";',
        }
    with kafka_cluster(folder / "kafka", properties=properties, listeners=list(LISTENERS), heap="512M") as [server]:
        admin = AdminClient({"bootstrap.servers": server.bootstrap_servers, "log_level": 0})
        made = Cluster(server, folder, authority, stranger, token_url, admin)
        made.add_user("sam")
        yield made


class Right(NamedTuple):
    """What an ACL allows: an operation on a topic or group by its name, or on transactional ids that begin with it."""

    operation: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind} {self.name}"

    def binding(self, user: str) -> AclBinding:
        pattern = ResourcePatternType.PREFIXED if self.kind == "transactional id" else ResourcePatternType.LITERAL
        return AclBinding(
            ResourceType[self.kind.replace(" ", "_").upper()],
            self.name,
            pattern,
            f"User:{user}",
            "*",
            AclOperation[self.operation],
            AclPermissionType.ALLOW,
        )


_ROW = rf"\| `({'|'.join(AGENTS)}|replay|ingest|verify|dead-letters \w+)`"


def rights(settings: Settings, who: str) -> list[Right]:
    """What the table in docs/security.md says that `who` needs, with the prefix of `settings`."""
    table = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in (REPOSITORY / "docs" / "security.md").read_text().splitlines()
        if line.startswith("| who |") or re.match(_ROW, line)
    ]
    heads = [re.fullmatch(r"(\w+) on (topic|group|transactional id)", head) for head in table[0]]
    [row] = [row for row in table if row[0].partition(",")[0] == f"`{who}`"]
    return [
        Right(head[1], head[2], settings.topic_prefix + name)
        for head, cell in zip(heads, row, strict=True)
        if head is not None
        for name in re.findall(r"`([^`]+)`", cell)
    ]


def allow(cluster: Cluster, user: str, allowed: Sequence[Right]) -> None:
    """Gives the rights; the broker, which is also the controller, goes by them on return."""
    if allowed:
        for future in cluster.admin.create_acls([right.binding(user) for right in allowed]).values():
            future.result()
    for right in allowed:
        while not cluster.admin.describe_acls(acl_filter(user, right)).result():
            time.sleep(0.01)


def revoke(cluster: Cluster, user: str, right: Right) -> None:
    """Takes `right` away; the broker, which is also the controller, no longer knows it on return."""
    taken = acl_filter(user, right)
    [future] = cluster.admin.delete_acls([taken]).values()
    assert len(future.result()) == 1
    while cluster.admin.describe_acls(taken).result():
        time.sleep(0.01)


def acl_filter(user: str, right: Right) -> AclBindingFilter:
    binding = right.binding(user)
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        "*",
        binding.operation,
        AclPermissionType.ALLOW,
    )


def installation(cluster: Cluster) -> Settings:
    """The administrator's settings for topics of a prefix of their own, which are made."""
    models: dict[str, Any] = {f"{name}_model": str(cluster.folder / name) for name in ("edge", "cloud")}
    servers = cluster.server.bootstrap_servers
    settings = Settings(bootstrap_servers=servers, topic_prefix=f"{uuid.uuid4().hex[:8]}.", worker_id="test", **models)
    create(settings.model_copy(update={f"{name}_partitions": 1 for name in PARTITIONED}))
    return settings


def as_user(cluster: Cluster, of: Settings, user: str, **changed: Any) -> Settings:
    """Settings for the installation of `of`, as `user` by SCRAM over TLS unless `changed` says otherwise."""
    own = {name: getattr(of, name) for name in ("topic_prefix", "edge_model", "cloud_model", "worker_id")}
    if "kafka_sasl_mechanism" not in changed:
        cluster.add_user(user)
        changed = {"kafka_username": user, **changed}
    return cluster.settings(**own, **changed)


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    """Variables that say the same as `settings`; secrets are in files."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWISE_")}
    for name, value in settings.model_dump(exclude_defaults=True).items():
        if isinstance(value, SecretStr):
            file = folder / f"{uuid.uuid4().hex}.secret"
            file.write_text(value.get_secret_value() + "\n")
            variables[variable(name) + "_FILE"] = str(file)
        else:
            variables[variable(name)] = str(value)
    return variables


def edgewise(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams.cli", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


# The line with least rights


def test_the_least_rights_suffice_with_each_mechanism(cluster: Cluster, tmp_path: Path) -> None:
    """All agents, with logins of three kinds, a replay and a verify: with what the table names alone."""
    admin = installation(cluster)
    logins: dict[str, dict[str, Any]] = {
        "edge": {"kafka_sasl_mechanism": "PLAIN", "kafka_username": "line-edge"},
        "cloud": {},
        "monitor": {
            "kafka_sasl_mechanism": "OAUTHBEARER",
            "kafka_oauth_token_url": cluster.token_url,
            "kafka_oauth_client_id": "line-monitor",
            "kafka_oauth_client_secret": SECRET,
            "kafka_oauth_scope": "kafka",
        },
        "conversation": {},
        "health": {},
        "replay": {},
        "verify": {},
    }
    users = {who: as_user(cluster, admin, f"line-{who}", **login) for who, login in logins.items()}
    for who, settings in users.items():
        # No budget is set: nobody needs a right to its topic.
        allow(cluster, f"line-{who}", [each for each in rights(settings, who) if not each.name.endswith(BUDGET)])
    logs = {who: tmp_path / f"{who}.log" for who in AGENT_NAMES}
    workers = []
    try:
        for who, log in logs.items():
            with log.open("wb") as out:
                environ = environment(users[who], tmp_path) | {"EDGEWISE_LOG_LEVEL": "debug"}
                command = [sys.executable, "-m", "streams.cli", "worker", who]
                workers.append(subprocess.Popen(command, cwd=REPOSITORY, env=environ, stdout=out, stderr=out))
        poison = client.Cluster(users["replay"]).producer()
        poison.produce(users["replay"].topic(TRANSCRIPTS), b"poison")
        assert poison.flush(30) == 0
        replay(users["replay"], [Recording(REPOSITORY / "samples" / "airline.csv", Input(limit=200))])
        wait_until_drained(users["verify"], 120)
        verdict = verify(users["verify"])
        assert all(worker.poll() is None for worker in workers)
    finally:
        for worker in workers:
            worker.terminate()
        codes = [worker.wait(60) for worker in workers]
    assert codes == [0] * len(AGENT_NAMES)
    assert verdict.holds, {kind: fault.first for kind, fault in verdict.faults.items() if fault.count}
    assert (verdict.results, verdict.dead_letters) == (200, 1)
    for log in logs.values():
        text = log.read_text()
        assert "DEBUG" in text
        assert SECRET not in text


class Asks(Agent):
    """An agent that has a name and a source, for a start that is refused."""

    chunk_records = 1

    def __init__(self, settings: Settings, name: str) -> None:
        self.name = name
        self.source = settings.topic(AGENTS[name].reads)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        raise AssertionError(f"{len(records)} records came to an agent that was to be refused")


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Settings:
    return installation(cluster)


@pytest.mark.parametrize("who", AGENTS)
def test_one_right_less_and_the_worker_does_not_start(cluster: Cluster, installed: Settings, who: str) -> None:
    needed = rights(installed, who)
    assert len(needed) >= 4
    user = f"less-{who}"
    settings = as_user(cluster, installed, user)
    allow(cluster, user, needed)
    for right in needed:
        revoke(cluster, user, right)
        with pytest.raises(AccessError) as refused:
            asyncio.run(serve(settings, Asks(settings, who)))
        needs = f"'{user}', who needs {right.operation} on {right.kind}s? .*{re.escape(right.name)}"
        assert re.fullmatch(rf"{who}: the broker refuse[sd] user {needs}.*", str(refused.value))
        allow(cluster, user, [right])


FIRING = Alert(
    rule="gone", alert_id="i", state="firing", severity="info", summary="s", metric="m",
    window_ms=0, started_at=1, updated_at=1,
)  # fmt: skip


class Revoking(Agent):
    """`agent`, which loses a right once its first batch is committed."""

    def __init__(self, agent: Agent, take: Callable[[], None]) -> None:
        self.name, self.source, self.chunk_records, self.gather_s = agent.name, agent.source, 10, 0.0
        self.tick_s = agent.tick_s
        self._agent = agent
        self._take = take
        self._batches = 0

    async def prepare(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        return await self._agent.prepare(records)

    async def process(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        self._batches += 1
        if self._batches == 2:
            await asyncio.to_thread(self._take)
            self._agent.positions_set_back(range(10))  # the monitor reads its windows again
        if self._batches > 100:
            raise RuntimeError("it still works")
        return await self._agent.process(records)

    async def tick(self, now_ms: int, partitions: Mapping[int, int]) -> Sequence[Output]:
        return await self._agent.tick(now_ms, partitions) if self._batches >= 2 else ()

    def positions_set_back(self, partitions: Collection[int]) -> None:
        self._agent.positions_set_back(partitions)

    async def close(self) -> None:
        await self._agent.close()


@contextlib.contextmanager
def fed(settings: Settings, topic: str, values: Callable[[int], Sequence[bytes]]) -> Iterator[None]:
    """Puts `values`, of a number that counts up, into `topic` again and again as long as the block runs."""
    ended = threading.Event()
    producer = client.Cluster(settings).producer()

    def feed() -> None:
        for number in count():
            if ended.wait(0.2):
                return
            for value in values(number):
                producer.produce(settings.topic(topic), value, b"c1")
            producer.flush(10)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


CASES = [(who, right) for who in AGENT_NAMES for right in rights(Settings(), who)]


@pytest.mark.parametrize(("who", "right"), CASES, ids=[f"{who}-{right}".replace(" ", "-") for who, right in CASES])
def test_a_right_that_is_taken_away_stops_the_worker_with_a_word(
    cluster: Cluster, installed: Settings, inputs: dict[str, list[bytes]], who: str, right: Right
) -> None:
    """So the broker does ask for each of the rights: none in the table is one too many."""
    user = f"loses-{uuid.uuid4().hex[:8]}"
    # A budget that is not used up: with one, the cloud agent claims its part of it now and then.
    settings = as_user(cluster, installed, user, budget_usd_per_hour=1e5, escalation_risk=1e-6)
    settings = settings.model_copy(update={"worker_id": user})
    mine = right._replace(name=settings.topic_prefix + right.name)
    allow(cluster, user, rights(settings, who))
    if who == "health":  # an alert without a rule, which it reads, and resolves
        producer = client.Cluster(installed).producer()
        producer.produce(installed.topic(ALERTS), Codec(ALERTS).encode(FIRING), b"gone")
        assert producer.flush(30) == 0

    async def work() -> None:
        agent = Revoking(await build_agent(settings, who), lambda: revoke(cluster, user, mine))
        try:
            await serve(settings, agent)
        finally:
            await agent.close()

    def values(number: int) -> list[bytes]:
        if who != "conversation":
            return inputs[who]
        # An alert is written once a conversation.
        return [*inputs[who], Codec(SENTIMENT).encode(dataclasses.replace(RESULT, conversation_id=f"c{number}"))]

    with fed(installed, AGENTS[who].reads, values), pytest.raises(EdgewiseError) as refused:
        asyncio.run(work())
    needs = f"'{user}', who needs {mine.operation} on {mine.kind}s? .*{re.escape(mine.name)}"
    assert re.search(f"the broker refuse[sd] user {needs}", str(refused.value))
    assert "\n" not in str(refused.value)


class Working(Asks):
    """An agent that works for so many seconds, then has `leave` called once, and works on."""

    def __init__(self, settings: Settings, seconds: float, leave: Callable[[], None]) -> None:
        super().__init__(settings, "edge")
        self._seconds, self._leave = seconds, leave
        self._begun: float | None = None
        self.left = False

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        assert records
        now = time.monotonic()
        self._begun = self._begun or now
        if not self.left and now - self._begun >= self._seconds:
            self.left = True
            await asyncio.to_thread(self._leave)
        return []


@pytest.mark.parametrize(("listener", "seconds"), [("LOGIN", 0), ("BRIEF", 12)])
def test_a_login_that_is_withdrawn_stops_the_worker_with_a_word(
    cluster: Cluster, installed: Settings, monkeypatch: pytest.MonkeyPatch, listener: str, seconds: float
) -> None:
    """Connections that exist live on, or, on `BRIEF`, must log in again every 5 s, which a worker outlives.

    Seen to fail without the look at the login: the worker works on, or idles.
    """
    monkeypatch.setattr(app, "LOOK_S", 1.0)
    user = f"leaves-{uuid.uuid4().hex[:8]}"
    settings = as_user(cluster, installed, user, listener=listener).model_copy(update={"worker_id": user})
    allow(cluster, user, rights(settings, "edge"))
    agent = Working(settings, seconds, lambda: cluster.remove_user(user))

    async def work() -> None:
        async with asyncio.timeout(120):
            await serve(settings, agent)

    with fed(installed, TRANSCRIPTS, lambda _: [b"something"]), pytest.raises(WorkerFailedError) as refused:
        asyncio.run(work())
    assert agent.left
    assert exit_code(refused.value) == 1, "it had joined its group, and the login may come back"
    assert f"refused user '{user}' (SCRAM-SHA-512): " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def inputs(installed: Settings) -> dict[str, list[bytes]]:
    """For each agent, records that make it write to every topic that it may write to."""
    codec = Codec(TRANSCRIPTS)
    texts = ("awful", "a bit late but the rest was as planned", "great", "it works and it is late")
    events = [dataclasses.replace(TRANSCRIPT, event_id=text, text=text) for text in texts]
    transcripts = [codec.encode(event) for event in events]

    async def outputs() -> Sequence[Output]:
        edge = await build_agent(installed, "edge")
        return await edge.process([consumer_record(value, topic=edge.source) for value in transcripts])

    made = asyncio.run(outputs())
    found = {
        name: [output.value for output in made if output.topic == installed.topic(name) and output.value]
        for name in (CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT)
    }
    assert all(found.values())
    sources = {
        "edge": transcripts,
        "cloud": found[CLOUD_INFERENCE],
        "monitor": found[ROUTING_EVENTS],
        "conversation": found[SENTIMENT],
        "health": [Codec(MONITORING).encode(Window(0, 60_000, 0).to_record(0))],
    }
    return {who: [*values, b"poison"] for who, values in sources.items()}


# Connections that are refused


def other_token(cluster: Cluster, secret: str) -> dict[str, Any]:
    return {
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_oauth_token_url": cluster.token_url,
        "kafka_oauth_client_id": "olga",
        "kafka_oauth_client_secret": secret,
        "kafka_oauth_scope": "kafka",
    }


def certificate(file: Path) -> dict[str, Any]:
    return {"kafka_certificate_file": str(file), "kafka_key_file": str(file)}


@pytest.mark.parametrize(
    ("listener", "changed", "kind", "words"),
    [
        (
            "LOGIN",
            lambda _: {"kafka_password": "wrong"},
            ConnectionRefusedByBrokerError,
            "refused user 'sam' (SCRAM-SHA-512)",
        ),
        ("LOGIN", lambda _: {"kafka_username": "nobody"}, ConnectionRefusedByBrokerError, "refused user 'nobody'"),
        (
            "BARE",
            lambda _: {"kafka_sasl_mechanism": "PLAIN", "kafka_password": "wrong"},
            ConnectionRefusedByBrokerError,
            "(PLAIN): SASL authentication error: Authentication failed: Invalid username or password",
        ),
        (
            "LOGIN",
            lambda _: {"kafka_sasl_mechanism": "SCRAM-SHA-256"},
            ConnectionRefusedByBrokerError,
            "supported mechanisms: SCRAM-SHA-512,PLAIN,OAUTHBEARER",
        ),
        ("LOGIN", lambda c: other_token(c, "wrong"), TokenRefusedError, "refused client 'olga' (HTTP 401)"),
        (
            "LOGIN",
            lambda c: {"kafka_ca_file": str(c.stranger.file)},
            ConnectionRefusedByBrokerError,
            "is not accepted: unable to get local issuer certificate; check",
        ),
        ("EXPIRED", lambda _: {}, ConnectionRefusedByBrokerError, "is not accepted: certificate has expired; check"),
        ("MISNAMED", lambda _: {}, ConnectionRefusedByBrokerError, "certificate is not valid for '127.0.0.1'; check"),
        ("MUTUAL", lambda _: {}, ConnectionRefusedByBrokerError, "did not accept a client without a certificate"),
        (
            "MUTUAL",
            lambda c: certificate(c.stranger.issue("foreign")),
            ConnectionRefusedByBrokerError,
            "foreign.pem (ssl/tls alert",
        ),
    ],
)
def test_a_refused_connection_is_told_at_once_and_on_one_line(
    cluster: Cluster, listener: str, changed: Callable[[Cluster], dict[str, Any]], kind: type[UsageError], words: str
) -> None:
    with pytest.raises(kind) as refused:
        client.Cluster(cluster.settings(listener, **changed(cluster))).metadata(60.0)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("listener", ["EXPIRED", "BARE"])
def test_a_listener_that_speaks_another_protocol(cluster: Cluster, listener: str) -> None:
    plain = Settings(bootstrap_servers=cluster.server.listeners[listener])
    with pytest.raises(BrokerUnreachableError, match=r"does it speak EDGEWISE_KAFKA_SECURITY_PROTOCOL PLAINTEXT\?"):
        client.Cluster(plain).metadata(1.0)


# Both clients over what the line above did not use


class Once(Asks):
    """An agent that stops the worker when the first record has come."""

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        assert records
        os.kill(os.getpid(), signal.SIGTERM)
        return []


def locked_certificate(cluster: Cluster) -> dict[str, Any]:
    return certificate(cluster.authority.issue("client", password=SECRET)) | {"kafka_key_password": SECRET}


@pytest.mark.parametrize(
    ("listener", "principal", "login"),
    [
        ("MUTUAL", "CN=client", locked_certificate),
        ("BARE", "olga", lambda c: other_token(c, SECRET)),
        ("LOGIN", "olga", lambda c: other_token(c, SECRET)),
    ],
)
def test_a_worker_reads_over_it(
    cluster: Cluster, listener: str, principal: str, login: Callable[[Cluster], dict[str, Any]]
) -> None:
    admin = installation(cluster)
    settings = cluster.settings(listener, topic_prefix=admin.topic_prefix, **login(cluster))
    allow(cluster, principal, rights(settings, "edge"))
    with fed(admin, TRANSCRIPTS, lambda _: [b"something"]):
        asyncio.run(serve(settings, Once(settings, "edge")))


# Commands


def test_a_command_that_is_refused_names_the_right(cluster: Cluster, installed: Settings) -> None:
    settings = as_user(cluster, installed, "carl")
    topic = settings.topic(SENTIMENT)
    recording = Recording(REPOSITORY / "samples" / "airline.csv", Input(limit=1))
    refused = "the broker refused user 'carl', who needs"
    with pytest.raises(AccessError, match=f"{refused} a right to it"):
        watermarks(client.Cluster(settings), SENTIMENT)
    refuses = refused.replace("refused", "refuses")
    with pytest.raises(AccessError, match=f"replay: {refuses} WRITE on topic {settings.topic(TRANSCRIPTS)}"):
        replay(settings, [recording])
    with pytest.raises(EdgewiseError, match=f"{refused} CREATE on topic"):
        create(settings)
    allow(cluster, "carl", [Right("DESCRIBE", "topic", settings.topic(name)) for name in (SENTIMENT, TRANSCRIPTS)])
    producer = client.Cluster(installed).producer()
    producer.produce(topic, b"something")
    assert producer.flush(30) == 0
    with pytest.raises(EdgewiseError, match=f"{refused} READ on topic {topic}"):
        list(read_topic(client.Cluster(settings), SENTIMENT))
    with pytest.raises(AccessError, match=f"replay: {refuses} WRITE on topic {settings.topic(TRANSCRIPTS)}"):
        replay(settings, [recording])
    allow(cluster, "carl", [Right("READ", "topic", settings.topic(TRANSCRIPTS))])
    with pytest.raises(EdgewiseError, match=f"lag: {refuses} DESCRIBE on group {settings.group('edge')}"):
        group_lag(client.Cluster(settings), "edge", TRANSCRIPTS)


@pytest.mark.parametrize("missing", [None, *range(len(rights(Settings(), "ingest")))])
def test_the_http_door_takes_the_rights_in_the_table_and_no_less(
    cluster: Cluster, installed: Settings, missing: int | None
) -> None:
    user = f"door-{uuid.uuid4().hex[:8]}"
    settings = as_user(cluster, installed, user)
    needed = rights(settings, "ingest")
    allow(cluster, user, [right for place, right in enumerate(needed) if place != missing])
    item = Item(digest("c", user), b"c", Codec(TRANSCRIPTS).encode(TRANSCRIPT))

    def write() -> list[bool]:
        own = client.Cluster(settings)
        require_door(own)
        writer = OnceWriter(own)
        writer.open()
        return writer.write([item])

    if missing is None:
        assert write() == [True]
    else:
        with pytest.raises(EdgewiseError) as refused:
            write()
        assert needed[missing].name in str(refused.value)
        assert f"user {user!r}, who needs" in str(refused.value)


@pytest.mark.parametrize("command", ["list", "redrive", "drop"])
def test_dead_letters_take_the_rights_in_the_table_and_no_less(cluster: Cluster, command: str) -> None:
    """Seen to fail with a right left out of the table, and with one too many in it."""
    admin = installation(cluster)
    sources = {spec.reads for spec in AGENTS.values()}
    for topic in sources:
        bury(admin, 1, topic)
    producer = client.Cluster(admin).producer()
    for topic in (MONITORING, ALERTS):  # of whose records a redrive looks for later ones of a letter's key
        producer.produce(admin.topic(topic), b"something", b"another", partition=0)
    assert producer.flush(30) == 0
    user = f"letters-{command}"
    settings = as_user(cluster, admin, user)

    def do() -> None:
        letters = survey(client.Cluster(settings))
        assert len(letters) == len(sources)
        if command == "redrive":
            assert len(redrive(client.Cluster(settings), letters, by="ann").done) == len(sources)
        if command == "drop":
            assert len(drop(client.Cluster(settings), letters, by="ann", why="a test").done) == len(sources)

    needed = rights(settings, f"dead-letters {command}")
    allow(cluster, user, needed)
    for right in needed:
        revoke(cluster, user, right)
        with pytest.raises(AccessError) as refused:
            do()
        assert re.search(f"the broker refuse[sd] user '{user}', who needs {right}", str(refused.value))
        assert "\n" not in str(refused.value)
        allow(cluster, user, [right])
    assert [letter.state for letter in survey(client.Cluster(admin))] == ["open"] * len(sources)
    do()


def test_the_command_line_shows_one_line_and_no_secret(cluster: Cluster, installed: Settings, tmp_path: Path) -> None:
    settings = as_user(cluster, installed, "clara")
    environ = environment(settings, tmp_path)
    shown = edgewise("config", "--json", environ=environ)
    found = json.loads(shown.stdout)["kafka_password"]
    assert found == {"value": "********", "source": "EDGEWISE_KAFKA_PASSWORD_FILE"}
    denied = edgewise("worker", "monitor", environ=environ)
    assert denied.returncode == 1, "the broker's set-up may change while ours does not"
    assert denied.stderr.startswith("edgewise: monitor: the broker refuses user 'clara', who needs READ on topic")
    wrong = environ | {"EDGEWISE_KAFKA_USERNAME": "nobody"}
    refused = edgewise("worker", "edge", environ=wrong)
    assert refused.returncode == 2, "a wrong login is not tried again"
    assert "refused user 'nobody'" in refused.stderr
    for done in (shown, denied, refused):
        assert SECRET not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert (denied.stderr.count("\n"), refused.stderr.count("\n")) == (1, 1)
