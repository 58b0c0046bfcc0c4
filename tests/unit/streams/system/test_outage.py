"""Brokers that are away, as the log tells it: with values, a clock that stands and brokers that answer when told."""

import logging

import pytest

from schemas.errors import EdgewiseError
from streams.system.outage import OutageHandler, is_of_a_library

HERE = "127.0.0.1:9092"
REFUSED = (
    f"FAIL [edgewise#consumer-3] [thrd:{HERE}/bootstrap]: {HERE}/bootstrap: "
    f"Connect to ipv4#{HERE} failed: Connection refused (after 0ms in state CONNECT)"
)
DOWN = "ERROR [edgewise#producer-5] [thrd:app]: app: 1/1 brokers are down"
SESSION = (
    "SESSTMOUT [edgewise-edge-w#consumer-3] [thrd:main]: Consumer group session timed out: revoking assignment and "
    "rejoining group"
)
GONE = f"Kafka broker {HERE} does not answer (Connect to ipv4#{HERE} failed: Connection refused); "


class Lines(logging.Handler):
    """What was logged in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Scene:
    """A handler, its clock, and the brokers that do not answer."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.away: set[str | None] = set()
        self.shown = Lines()
        self.handler = OutageHandler(
            self.shown, lambda broker: broker not in self.away, clock_s=lambda: self.now_s, watched=False
        )

    @property
    def lines(self) -> list[str]:
        return self.shown.lines

    def log(
        self,
        message: str,
        name: str = "streams.kafka.client",
        level: int = logging.ERROR,
        error: BaseException | None = None,
    ) -> None:
        caught = None if error is None else (type(error), error, None)
        self.handler.handle(logging.LogRecord(name, level, "", 0, message, (), caught))

    def pass_s(self, seconds: int, message: str = "", name: str = "streams.kafka.client") -> bool:
        """So many seconds, each with two lines and a look; whether the outage lasts."""
        lasts = False
        for _ in range(seconds):
            for _ in range(2 if message else 0):
                self.log(message, name)
            self.now_s += 1
            lasts = self.handler.look()
        return lasts


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_outage_is_a_line_one_a_minute_and_one_at_the_end(scene: Scene) -> None:
    """Seen to fail with every line handed on, without reminders, and without the last line."""
    scene.away = {HERE}
    scene.pass_s(130, REFUSED)
    scene.away.clear()
    assert scene.pass_s(3)
    assert not scene.pass_s(10)
    assert [line.partition(";")[0] for line in scene.lines] == [
        GONE.partition(";")[0],
        f"Kafka broker {HERE} has been away for 61 s (Connect to ipv4#{HERE} failed: Connection refused)",
        f"Kafka broker {HERE} has been away for 121 s (Connect to ipv4#{HERE} failed: Connection refused)",
        f"Kafka broker {HERE} is back after 131 s",
    ]
    assert scene.lines[-1].endswith("; 260 lines of the clients were left out")


def test_brokers_that_cannot_be_asked_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    def ask(_broker: str | None) -> bool:
        raise UnicodeError

    monkeypatch.setattr(scene.handler, "_brokers_answer", ask)
    assert scene.pass_s(1, REFUSED)
    assert [line.startswith(GONE) for line in scene.lines] == [True]


def test_a_connection_that_is_made_again_at_once_is_no_line(scene: Scene) -> None:
    scene.log(REFUSED)
    assert not scene.pass_s(20)
    assert scene.lines == []


def test_the_next_outage_is_told_again(scene: Scene) -> None:
    for _ in range(2):
        scene.away = {HERE}
        scene.pass_s(3, REFUSED)
        scene.away.clear()
        scene.pass_s(10)
    assert len(scene.lines) == 4
    assert scene.lines[0] == scene.lines[2]


def test_it_is_not_over_while_clients_complain(scene: Scene) -> None:
    """A broker answers before its clients have settled. Seen to fail with an end at the first answer."""
    scene.away = {HERE}
    scene.pass_s(2, REFUSED)
    scene.away.clear()
    assert scene.pass_s(30, SESSION)
    assert len(scene.lines) == 1
    assert not scene.pass_s(5)
    assert len(scene.lines) == 2


def test_what_keeps_failing_though_brokers_answer_is_told(scene: Scene) -> None:
    """Seen to fail with a line only when no broker answers: all that the clients said was lost."""
    assert scene.pass_s(9, REFUSED)
    assert scene.lines == []
    assert scene.pass_s(20, REFUSED)
    assert len(scene.lines) == 1
    assert scene.lines[0].startswith(f"Kafka broker {HERE} answers, but connections keep failing (Connect to")


def test_one_broker_of_several_is_named_and_one_that_is_gone_for_good_is_let_go(scene: Scene) -> None:
    """Seen to fail without the latter: a reminder a minute, for ever."""
    scene.away = {HERE}
    scene.pass_s(3, REFUSED)
    scene.log(REFUSED.replace("9092", "9093"))
    assert scene.pass_s(59)
    assert not scene.pass_s(2)
    assert len(scene.lines) == 3
    assert scene.lines[-1].startswith(
        f"Kafka brokers {HERE}, 127.0.0.1:9093 is not asked for any more, and others answer"
    )


def test_where_no_broker_is_named_any_of_them_is_asked(scene: Scene) -> None:
    scene.away = {None}
    scene.pass_s(2, DOWN)
    assert scene.lines[0].startswith("the Kafka cluster does not answer (app: 1/1 brokers are down); ")
    scene.away.clear()
    assert not scene.pass_s(10)
    assert scene.lines[1].startswith("the Kafka cluster is back after 3 s; 4 lines")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (REFUSED, "streams.kafka.client"),
        (REFUSED, "what the client module will be called"),
        (
            f"FAIL [edgewise#producer-5] [thrd:TxnCoordinator]: TxnCoordinator: {HERE}: Disconnected: connection reset",
            "streams.kafka.client",
        ),
        (
            f"REQTMOUT [edgewise#producer-5] [thrd:{HERE}/1]: {HERE}/1: Timed out 1 in-flight, 0 retry-queued",
            "streams.kafka.client",
        ),
        (DOWN, "streams.kafka.client"),
        (
            "METADATAUPDATE [edgewise#producer-3] [thrd:main]: Partition t(TV/uQ)[1]: new leader-1 not found in cache",
            "streams.kafka.client",
        ),
        (
            "GETPID [edgewise#producer-3] [thrd:main]: Failed to acquire PID from broker a:1/1: Broker: retrying",
            "streams.kafka.client",
        ),
    ],
)
def test_what_clients_say_of_a_broker_that_is_away_begins_an_outage(message: str, name: str, scene: Scene) -> None:
    scene.away = {HERE, None}
    scene.log(message, name, logging.WARNING)
    assert scene.lines == []
    assert scene.pass_s(1)
    assert len(scene.lines) == 1
    assert "does not answer" in scene.lines[0]


OTHERS = [
    (
        "TXNERR [edgewise#producer-5] [thrd:main]: Current transaction failed in state InTransaction",
        "streams.kafka.client",
    ),
    (SESSION, "streams.kafka.client"),
    ("[^---Agent*: streams.worker.app]: Crashed reason=DeliveryError('…')", "faust.agents.actor"),
    ("Task was destroyed but it is pending!", "asyncio"),
]


@pytest.mark.parametrize(("message", "name"), OTHERS)
def test_what_follows_from_an_outage_is_left_out_in_one_and_shown_otherwise(
    message: str, name: str, scene: Scene
) -> None:
    scene.log(message, name)
    assert scene.lines == [message]
    scene.log(REFUSED)
    scene.log(message, name)
    assert scene.lines == [message]


@pytest.mark.parametrize(
    ("message", "name", "error"),
    [
        (
            "transcripts[0]: retention deleted records 5 to 9 before group edge read them",
            "streams.worker.member",
            None,
        ),
        ("the cloud did not answer, 3 events keep the edge's answer", "streams.agents.cloud", None),
        ("edge: transaction aborted, its input is read again: Unknown member", "streams.worker.delivery", None),
        ("[^---Agent*: run]: Crashed reason=ZeroDivisionError()", "faust.agents.actor", ZeroDivisionError()),
        ("Task exception was never retrieved", "asyncio", ZeroDivisionError()),
        ("Executing a task took 3.000 seconds", "asyncio", None),
    ],
)
def test_nothing_else_is_left_out_in_an_outage(
    message: str, name: str, error: BaseException | None, scene: Scene
) -> None:
    """Seen to fail with all lines of an outage left out."""
    scene.log(REFUSED)
    scene.log(message, name, error=error)
    assert scene.lines == [message]


def test_an_error_of_ours_that_faust_logs_is_left_out_for_the_command_ends_with_it(scene: Scene) -> None:
    scene.log(REFUSED)
    scene.log("[^---Agent*: run]: Crashed", "faust.agents.actor", error=EdgewiseError("a transaction failed"))
    scene.log("Future exception was never retrieved", "asyncio", error=EdgewiseError("a transaction failed"))
    assert scene.lines == []


def test_below_its_level_an_outage_is_not_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "streams.system.outage")
    scene.away = {HERE}
    scene.pass_s(2, REFUSED)
    scene.away.clear()
    scene.pass_s(10)
    assert len(scene.lines) == 1  # that it is away; that it is back is a warning


@pytest.mark.parametrize(
    ("message", "name", "library"),
    [
        ("edge: worker w is up", "streams.worker.app", False),
        ("[^--ConsumerThread]: Starting...", "streams.worker.member", True),
        (REFUSED, "streams.kafka.client", True),
        ("something", "edgewise", False),
        ("something", "streamsome", True),
    ],
)
def test_a_librarys_line_is_told_from_ours(message: str, name: str, library: bool) -> None:
    assert is_of_a_library(logging.LogRecord(name, logging.INFO, "", 0, message, (), None)) is library
