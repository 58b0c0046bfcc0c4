"""Fault 10, of a cloud that is a service: it is paid for, and it misbehaves as services do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.records import RoutingEvent, nanodollars
from schemas.topics import BUDGET, ROUTING_EVENTS
from streams.agents.budget_ledger import BudgetLedger
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.asked import MODEL, completion
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene
from tests.faults.waiting import PATIENCE_S, wait_until
from tests.http_server import Fault as Deed
from tests.http_server import Handler, Request, Server, answer, cut, drip, hang, raw, serve
from tests.kafka.certificates import Authority

CALL_USD = 0.01
BUDGET_USD = 10.0

# A worker is killed each time that so many more calls were made.
CALLS_A_KILL = 50
KILLS = 3

# Events that keep the edge's answer: enough that both workers have some.
DEGRADED = 60

# A busy machine does not come near to it with a service that is slow by a tenth of it.
DEADLINE_MS = 3_000


def budget_under_kills(scene: Scene) -> None:
    """Cloud workers that pay for each call are killed, one after another, until the budget of the day is spent.

    The service counts the calls that reach it, those of killed workers too, which their batch's next worker makes and
    pays for again. Together they never cost more than the budget, and most of it is spent, not lost with the killed.
    Then every event keeps the edge's answer, with the reason `budget_exhausted`, and no call is made.

    Seen to pay three times the budget, and to go on, with tries that reserve nothing.
    """
    with _service(scene, answer(completion())) as server:
        settings = _paying(scene, server)
        for number in scene.times(at_least=KILLS):
            _wait_for_calls(scene, server, len(server.requests) + CALLS_A_KILL)
            with scene.fault():
                slot = scene.rng.choice(SLOTS)
                scene.line.kill("cloud", slot)
                scene.must_go_on()
                _start(scene, slot, settings)
            if number + 1 == KILLS:
                break
        _wait_for_degraded(scene)
        scene.load.stop()
        scene.watch.wait_for_all(set(scene.load.sent), PATIENCE_S)
    calls = len(server.requests)
    scene.checks.append(lambda _: _within_budget(scene, calls))


def _wait_for_calls(scene: Scene, server: Server, goal: int) -> None:
    """Until so many calls were made, or the budget does not allow any more."""
    what = f"{CALLS_A_KILL} more calls"
    wait_until(lambda: len(server.requests) >= goal or len(scene.watch.degraded) >= DEGRADED, what)


def _within_budget(scene: Scene, calls: int) -> None:
    """What the service was paid, by its own count, is within the budget; the audit trail and the leases agree."""
    paid = calls * CALL_USD
    if not 0.4 * BUDGET_USD <= paid <= BUDGET_USD:
        raise RuntimeError(f"{calls:,} calls for {paid:.2f} dollars, of a budget of {BUDGET_USD:.2f}")
    cluster = Cluster(scene.settings)
    events = _completed(scene)
    told = sum(event.cost_usd for event in events)
    if told > paid + 1e-6:
        raise RuntimeError(f"the audit trail tells of {told:.2f} dollars, and {paid:.2f} were paid")
    reasons = {event.reason for event in events if event.degraded}
    if reasons != {"budget_exhausted"}:
        raise RuntimeError(f"events are degraded for {sorted(reasons)}")
    decode = codec(scene.settings, BUDGET).decode
    leases = [decode(message.value()) for message in read_topic(cluster, BUDGET)]
    latest = {lease.lease: lease for lease in leases}.values()
    # Whoever is killed after a claim, before the next batch is committed, leaves a lease that does not tell its grant.
    ledger = BudgetLedger({"day": nanodollars(BUDGET_USD)})
    ledger.take_in(leases)
    granted = sum(ledger.granted(lease) or 0 for lease in latest if lease.claimed)
    set_aside = (sum(max(lease.granted, lease.spent) for lease in latest) + granted) / 1e9
    if not paid - 1e-6 <= set_aside <= BUDGET_USD + 1e-6:
        raise RuntimeError(f"{set_aside:.2f} dollars are spent or set aside, {paid:.2f} were paid")


def service_misbehaves(scene: Scene) -> None:
    """A service behind HTTP answers garbage, hangs, drips, is slow, cuts connections, refuses by 429 and 500, has a
    wrong certificate: each in turn; garbage and a storm of 429 alone in the short form.

    While it lasts results go on coming, the edge's, degraded; a slow service is waited for. Afterwards it answers
    again, without anybody's doing. The audit trail tells why, and what the tries may have cost.

    Seen to fail with an answer that is no JSON ending the worker.
    """
    deeds: dict[str, Deed] = {
        "garbage": raw(b"<html>busy</html>"),
        "storm": answer({"error": {"code": "rate_limit_exceeded"}}, 429),
        "hang": hang,
        "cut": cut,
        "drip": drip,
        "failing": answer({"error": {"message": "secret words of a customer"}}, 500),
        "slow": _slow,
    }
    names = ["garbage", "storm"] if scene.short else list(deeds)
    good = answer(completion())
    mood = _Mood(good)
    with _service(scene, mood) as server:
        settings = _paying(scene, server)
        _wait_for_answers(scene)
        for number in scene.times(at_least=len(names)):
            name = names[number % len(names)]
            with scene.fault():
                mood.deed = deeds[name]
                if name == "slow":
                    _wait_for_answers(scene)
                else:
                    _wait_for_degraded(scene)
                mood.deed = good
            _wait_for_answers(scene)
        if not scene.short:
            _wrong_certificate(scene, settings)
        scene.load.stop()
        scene.watch.wait_for_all(set(scene.load.sent), PATIENCE_S)
    logs = "".join(scene.line.log("cloud", slot) for slot in SLOTS)
    if "secret words" in logs:
        raise RuntimeError("the log has what the service said")
    scene.checks.append(lambda _: _told_why(scene))


class _Mood:
    """Plays `deed`, whatever that is just now."""

    def __init__(self, deed: Deed) -> None:
        self.deed = deed

    def __call__(self, handler: Handler, request: Request) -> None:
        self.deed(handler, request)


def _slow(handler: Handler, request: Request) -> None:
    threading.Event().wait(DEADLINE_MS / 10_000)
    answer(completion())(handler, request)


def _wrong_certificate(scene: Scene, settings: Settings) -> None:
    certificate = Authority(scene.folder, "nobody's").issue("service", "127.0.0.1")
    with serve(answer(completion()), certificate=certificate) as server, scene.fault():
        _restart(scene, settings.model_copy(update={"cloud_url": f"{server.url}/v1"}))
        _wait_for_degraded(scene)
        if server.requests:
            raise RuntimeError("a text went to a service whose certificate is not accepted")
        _restart(scene, settings)
    _wait_for_answers(scene)


def _told_why(scene: Scene) -> None:
    degraded = [event for event in _completed(scene) if event.degraded]
    reasons = {event.reason for event in degraded}
    if not reasons or not reasons <= {"cloud_error", "cloud_unavailable"}:
        raise RuntimeError(f"events are degraded for {sorted(reasons)}")
    if not any(event.calls for event in degraded):
        raise RuntimeError("no degraded event tells of a call")


def _completed(scene: Scene) -> list[RoutingEvent]:
    """What the cloud's workers have completed, as the audit trail tells it."""
    decode = codec(scene.settings, ROUTING_EVENTS).decode
    records = read_topic(Cluster(scene.settings), ROUTING_EVENTS)
    events: list[RoutingEvent] = [decode(message.value()) for message in records]
    sent = {event.event_id for event in events if event.stage == "decided"}
    return [event for event in events if event.stage == "completed" and event.event_id in sent]


@contextmanager
def _service(scene: Scene, deed: Deed) -> Iterator[Server]:
    with serve(deed) as server:
        yield server
        for slot in SLOTS:  # else they would go on without it
            scene.line.stop("cloud", slot)


def _paying(scene: Scene, server: Server) -> Settings:
    """The cloud's workers are started again, and ask `server`, each call of which costs `CALL_USD`."""
    prices = Path(scene.folder / "prices.toml")
    prices.write_text(f'dated = 2026-01-31\n[[price]]\nmodel = "{MODEL}"\ncall = {CALL_USD}\n')
    settings = scene.settings.model_copy(
        update={
            "cloud_backend": "openai",
            "cloud_url": f"{server.url}/v1",
            "cloud_model_name": MODEL,
            "prices": str(prices),
        }
    )
    _restart(scene, settings)
    return settings


def _restart(scene: Scene, settings: Settings) -> None:
    for slot in SLOTS:
        scene.line.stop("cloud", slot)
        _start(scene, slot, settings)


def _start(scene: Scene, slot: int, settings: Settings) -> None:
    ups = scene.line.ups("cloud", slot)
    scene.line.start("cloud", slot, settings=settings, environment={"NO_PROXY": "127.0.0.1"})
    scene.line.wait_until_up("cloud", slot, ups + 1)


def _wait_for_degraded(scene: Scene) -> None:
    goal = len(scene.watch.degraded) + DEGRADED
    wait_until(lambda: len(scene.watch.degraded) >= goal, f"{DEGRADED} degraded results")


def _wait_for_answers(scene: Scene) -> None:
    model = f"{MODEL}@fp_1"
    goal = scene.watch.models[model] + DEGRADED
    wait_until(lambda: scene.watch.models[model] >= goal, f"{DEGRADED} answers of the service")


# Until the service is asked, the model beside the worker answers, for nothing.
_SETTINGS = {"random_cloud_rate": 0.3, "cloud_deadline_ms": DEADLINE_MS, "cloud_price_usd": 0.0}

FAULTS = (
    Fault(10, "budget-under-kills", budget_under_kills, settings={**_SETTINGS, "budget_usd_per_day": BUDGET_USD}),
    Fault(10, "cloud-service-misbehaves", service_misbehaves, settings=_SETTINGS),
)
