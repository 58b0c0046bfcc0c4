"""Which alert comes when on a real line with planted trouble: `python -m benchmarks.planted`; it takes nine minutes.

An embedded broker, edge, cloud, monitor and health workers, the live page, all as processes; the cloud is the model
that ships, behind HTTP, and its calls cost what a price book says. The texts of samples/airline.csv come at 30 events a
second, over and over. A minute is a second: windows, and each rule's window and `for`, are a sixtieth of what ships,
and `min_events` a fourth. What stays: the agent looks every five seconds; a restart and a circuit breaker take theirs.
"""

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.figure import VoidError
from benchmarks.planted_parts import SERVED, Cloud, Traffic, bad_model, price_book
from benchmarks.traffic import loader, send
from benchmarks.workers import REPOSITORY, Process, environment, working
from schemas.records import Alert
from schemas.topics import ALERTS, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.kafka.reader import read_topic
from streams.monitoring.health_rules import load_health_rules
from streams.operate.topics import create
from streams.system.clock import iso, now_ms
from tests.browser.pages import page_at
from tests.http_server import serve

PER_SECOND = 30
STEP_S = 0.1
SCALE = 60
FEWER = 4  # than 120 a minute, which the rules' `min_events` go well with, are 30 a second
DOLLARS = 0.0136  # the article's price of a cloud query
READY_S = 240.0
QUIET_S = 40  # of which the reference for drift is made
CALM_S = 15  # in which health is watched before the first trouble

log = logging.getLogger("planted")


class Trouble(NamedTuple):
    """What is planted, for how many seconds, and for how many afterwards it is looked on."""

    what: str
    lasts_s: float
    rest_s: float
    begin: Callable[[], None]
    end: Callable[[], None]


class Found(NamedTuple):
    """A trouble that is over: when it was (UTC ms), what `edgewise health` said of it, what the page showed."""

    what: str
    begin: int
    end: int
    health: dict[str, Any]
    page: Sequence[str]


class Line:
    """The workers, one of each agent. Events come while one is replaced, and wait for it."""

    def __init__(self, stack: ExitStack, settings: Settings) -> None:
        self.settings = settings
        self._producer = loader(settings)
        self._encode = codec(settings, TRANSCRIPTS).encode
        self._topic = settings.topic(TRANSCRIPTS)
        self._stack = stack
        self._workers: dict[str, ExitStack] = {}
        self.traffic = Traffic()

    def start(self, agent: str, **changes: Any) -> None:
        """Starts the worker of `agent`, in the place of the one before, with `changes` to the settings."""
        if (old := self._workers.pop(agent, None)) is not None:
            old.close()
        new = self._workers[agent] = self._stack.enter_context(ExitStack())
        [process] = new.enter_context(working(self.settings.model_copy(update=changes), [agent])).values()
        self._wait(process)

    @contextmanager
    def customers(self) -> Iterator[None]:
        """While it is open, events come at an even pace, in a thread."""
        over = threading.Event()
        thread = threading.Thread(target=self._send, args=(over,), daemon=True)
        thread.start()
        yield
        over.set()
        thread.join()

    def _send(self, over: threading.Event) -> None:
        begun = time.monotonic()
        while not over.wait(STEP_S):
            while self.traffic.sent < (time.monotonic() - begun) * PER_SECOND:
                event = self.traffic.next()
                send(self._producer, self._topic, self._encode(event), event.conversation_id.encode())
            self._producer.poll(0)

    def _wait(self, process: Process) -> None:
        """Until the worker says which partitions it has. Raises VoidError: it ended, or did not in time."""
        deadline = time.monotonic() + READY_S
        while b" is up: partitions" not in os.pread(process.log.fileno(), 1 << 20, 0):
            process.check()
            if time.monotonic() > deadline:
                raise VoidError(f"{process.name} was not ready after {READY_S:g} s")
            time.sleep(0.2)


def main() -> None:
    """Prints the tables."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    log.setLevel(logging.INFO)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(EmbeddedBroker())
        cloud = Cloud()
        server = stack.enter_context(serve(cloud))
        settings = Settings(
            bootstrap_servers=broker.bootstrap_servers,
            window_s=1,
            health_rules=str(_rules(folder)),
            cloud_backend="v2",
            cloud_url=server.url,
            cloud_model_name=SERVED,
            cloud_call_texts=1,
            cloud_deadline_ms=10_000,  # a busy machine is no trouble that was planted
            prices=str(price_book(folder, DOLLARS)),
        )
        create(settings)
        line = Line(stack, settings)
        for agent in ("monitor", "cloud", "edge"):
            line.start(agent)
        stack.enter_context(line.customers())
        log.info("quiet traffic, %d s", QUIET_S)
        time.sleep(QUIET_S)
        line.settings = settings.model_copy(update={"drift_reference": str(_frozen(settings, folder))})
        line.start("health")
        address = stack.enter_context(page_at(line.settings)).address
        time.sleep(CALM_S)
        found = list(_played(line, _troubles(line, cloud, folder), address))
        alerts = [codec(settings, ALERTS).decode(message.value() or b"") for message in _all_alerts(line)]
    print(f"{line.traffic.sent:,} events\n")
    _print(("trouble", "from, to, s", "alert", "fires after, s", "resolves after its end, s"), _fired(found, alerts))
    _print(("at the end of", "`edgewise health`", "misses its bound", "the page's alerts"), _judged(found))


def _troubles(line: Line, cloud: Cloud, folder: Path) -> tuple[Trouble, ...]:
    def fail(fails: bool) -> Callable[[], None]:
        return lambda: setattr(cloud, "fails", fails)

    def speak(german: bool) -> Callable[[], None]:
        return lambda: setattr(line.traffic, "german", german)

    def restart(agent: str, **changes: Any) -> Callable[[], None]:
        return lambda: line.start(agent, **changes)

    return (
        Trouble("the cloud answers 503", 40, 45, fail(True), fail(False)),
        Trouble(
            "a call of the cloud costs eight times as much", 40, 30,
            restart("cloud", prices=str(price_book(folder, 8 * DOLLARS))), restart("cloud"),
        ),
        Trouble("three of five texts are German", 50, 65, speak(True), speak(False)),
        Trouble("the edge model's labels are mixed up", 100, 15,
                restart("edge", edge_model=str(bad_model(folder))), restart("edge")),
    )  # fmt: skip


def _played(line: Line, troubles: Sequence[Trouble], address: str) -> Iterator[Found]:
    for trouble in troubles:
        log.info("%s, %g s", trouble.what, trouble.lasts_s)
        trouble.begin()
        begin = now_ms()
        time.sleep(trouble.lasts_s)
        said = json.loads(_command(line.settings, "health", "--since", iso(begin), "--json"))
        yield Found(trouble.what, begin, now_ms(), said, _page_alerts(address))
        trouble.end()
        time.sleep(trouble.rest_s)


def _rules(folder: Path) -> Path:
    """The rules that ship, each with a sixtieth of its times."""
    tables = []
    for rule in load_health_rules():
        times = {"window": rule.window, "for": rule.for_}
        keys = [f'{key} = "{ms // 1000 // SCALE}s"' for key, ms in times.items() if ms]
        keys += [f"min_events = {rule.min_events // FEWER}"] if rule.min_events else []
        tables.append("\n".join([f"[{rule.name}]", *keys]))
    path = folder / "rules.toml"
    path.write_text("\n\n".join(tables))
    return path


def _frozen(settings: Settings, folder: Path) -> Path:
    path = folder / "reference.json"
    _command(settings, "drift", "freeze", "--since", "-1h", "-o", str(path))
    return path


def _command(settings: Settings, *arguments: str) -> str:
    """What `edgewise` with `arguments` prints; it may end with any code, which tells how well the line is."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        cwd=REPOSITORY, env=environment(settings), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode in {1, 2}:
        raise RuntimeError(f"edgewise {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def _page_alerts(address: str) -> list[str]:
    """The rules that the overview says are firing."""
    text = httpx.get(address, timeout=30).text
    table = text.partition("Alerts that fire</h2>")[2].partition("</section>")[0]
    return re.findall(r'<th scope="row" class="words"><a href="/health">(\w+)</a>', table)


def _all_alerts(line: Line) -> Iterator[Any]:
    return read_topic(Cluster(line.settings), ALERTS)


def _fired(found: Sequence[Found], alerts: Sequence[Alert]) -> Iterator[tuple[str, ...]]:
    """For each trouble each alert that fired from its beginning to the next one's."""
    first = found[0].begin
    untils = [each.begin for each in found[1:]] + [now_ms()]
    quiet = [alert for alert in alerts if alert.state == "firing" and alert.started_at < first]
    for alert in quiet:
        yield "none", "before", f"`{alert.rule}`", "", ""
    for each, until in zip(found, untils, strict=True):
        span = f"{(each.begin - first) / 1000:.0f}-{(each.end - first) / 1000:.0f}"
        fired = [alert for alert in alerts if alert.state == "firing" and each.begin <= alert.started_at < until]
        for alert in fired:
            ends = [of.resolved_at for of in alerts if of.alert_id == alert.alert_id and of.resolved_at is not None]
            after_s = round((ends[0] - each.end) / 1000) if ends else None
            over = "not by the end" if after_s is None else f"{-after_s} before it" if after_s < 0 else f"{after_s}"
            yield each.what, span, f"`{alert.rule}`", f"{(alert.started_at - each.begin) / 1000:.0f}", over
        if not fired:
            yield each.what, span, "none", "", ""


def _judged(found: Sequence[Found]) -> Iterator[tuple[str, ...]]:
    for each in found:
        missed = [f"`{name}`" for name, of in each.health["figures"].items() if of["standing"] == "missed"]
        said = f"{each.health['score']}, {each.health['word']}"
        yield each.what, said, ", ".join(missed) or "none", ", ".join(f"`{rule}`" for rule in each.page) or "none"


def _print(header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


if __name__ == "__main__":
    main()
