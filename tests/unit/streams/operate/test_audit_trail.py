"""What is looked up in topics by time: all of it, in order, page by page, and never more than so much at once."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.codec import Codec
from schemas.records import RoutingEvent
from schemas.topics import ROUTING_EVENTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate import audit_trail
from streams.operate.audit_trail import Found, events_of, find_events, state_at, texts_of
from streams.operate.risk_index import Place
from streams.system.clock import now_ms
from tests.events import routing_event
from tests.traffic import WORDS, Said, fill, states

NOW = now_ms()  # else retention would remove what is looked for
DAY = 86_400_000


@pytest.fixture(scope="module", params=["embedded_broker", pytest.param("kafka", marks=pytest.mark.kafka)])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The embedded broker, which does not go by a record's time, and a Kafka, which does."""
    servers = request.getfixturevalue(request.param)
    return Cluster(Settings(bootstrap_servers=servers, topic_prefix=f"test-{uuid.uuid4().hex[:12]}."))


@pytest.fixture(scope="module")
def said(cluster: Cluster) -> list[Said]:
    return fill(cluster.settings, NOW, 60)


def audited(said: list[Said]) -> list[RoutingEvent]:
    return [event for each in said for event in each.audit]


def everything(_event: RoutingEvent) -> bool:
    return True


def test_all_of_a_time_is_found_and_added_up(cluster: Cluster, said: list[Said]) -> None:
    found = find_events(cluster, everything, NOW - 2 * DAY, NOW + DAY, 10)
    events = audited(said)
    assert found.is_whole
    assert (found.matched, found.cost_nanos) == (len(events), sum(round(event.cost_usd * 1e9) for event in events))
    latest = sorted((event.recorded_at for event in events), reverse=True)
    assert [each.recorded_at for each in found.events] == latest[:10]


def test_a_condition_and_a_time_leave_out_the_rest(cluster: Cluster, said: list[Said]) -> None:
    since, until = NOW - DAY // 2, NOW - DAY // 4
    found = find_events(cluster, lambda event: event.route == "cloud", since, until, 10_000)
    expected = [event for event in audited(said) if event.route == "cloud" and since <= event.recorded_at < until]
    assert 0 < len(expected) == found.matched == len(found.events)
    assert {each.event.event_id for each in found.events} == {event.event_id for event in expected}


def pages(cluster: Cluster, most: int) -> Iterator[Found]:
    """A list looked through to its end, as the page's links do."""
    until, skip = NOW + DAY, 0
    while True:
        found = find_events(cluster, everything, NOW - 2 * DAY, until, most, skip)
        yield found
        if len(found.events) < most:
            if found.is_whole:
                return
            until, skip = found.reached_ms, 0
            continue
        last = found.events[-1].recorded_at
        same = sum(each.recorded_at == last for each in found.events)
        until, skip = last + 1, same + (skip if last + 1 == until else 0)


@pytest.mark.parametrize(("most", "slice_", "at_most"), [(50, 20_000, 50_000), (7, 40, 60), (100, 10, 30)])
def test_page_by_page_every_event_comes_once_and_in_order(
    cluster: Cluster, said: list[Said], monkeypatch: pytest.MonkeyPatch, most: int, slice_: int, at_most: int
) -> None:
    """Seen to fail where an event that was written after its slice began was lost, or shown too early."""
    monkeypatch.setattr(audit_trail, "_SLICE", slice_)
    monkeypatch.setattr(audit_trail, "DECODED_AT_MOST", at_most)
    found = [(each.recorded_at, each.partition, each.offset) for page in pages(cluster, most) for each in page.events]
    assert len(found) == len(audited(said))
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)


def test_no_more_than_so_many_are_looked_at(
    cluster: Cluster, said: list[Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "_SLICE", 20)
    monkeypatch.setattr(audit_trail, "DECODED_AT_MOST", 40)
    found = find_events(
        cluster, lambda event: event.reason == "cloud_error" and event.turn > 99, NOW - 2 * DAY, NOW + DAY, 10
    )
    assert not found.is_whole
    assert found.events == []
    whole = find_events(cluster, everything, found.reached_ms, NOW + DAY, 10)
    assert whole.matched < len(audited(said)) // 2


def test_a_conversation_is_found_with_its_texts_and_its_state(cluster: Cluster, said: list[Said]) -> None:
    mine = [each for each in said if each.transcript.conversation_id == "call-7"]
    times = [event.recorded_at for each in mine for event in each.audit]
    found = events_of(cluster, "call-7", min(times), max(times) + 1)
    assert found.is_whole
    assert sorted(each.recorded_at for each in found.events) == sorted(times)
    texts = texts_of(cluster, "call-7", min(times) - 60_000, NOW + DAY)  # Kafka stamps them as it takes them: now
    assert {event.event_id for event in texts.values()} == {each.transcript.event_id for each in mine}
    assert all(WORDS in event.text for event in texts.values())
    [state] = [each for each in states(said) if each.conversation_id == "call-7"]
    partition = 7 % 4
    place = [each.conversation_id for each in states(said) if int(each.conversation_id[5:]) % 4 == partition]
    assert state_at(cluster, Place(partition, place.index("call-7"))) == state
    assert state_at(cluster, Place(partition, 10_000)) is None


def test_a_conversation_among_too_many_others_is_cut_and_that_is_said(
    cluster: Cluster, said: list[Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said
    monkeypatch.setattr(audit_trail, "PASSED_AT_MOST", 40)
    assert not events_of(cluster, "call-59", NOW - 2 * DAY, NOW + DAY).is_whole


class Held:
    """`routing-events` in memory: each event written as it was recorded."""

    was_cut = False
    goes_by_time = True

    def __init__(self, events: Sequence[RoutingEvent]) -> None:
        encode = Codec(ROUTING_EVENTS).encode
        self.records = [(event.recorded_at, encode(event)) for event in events]
        self.read = 0

    def count(self, since_ms: int, until_ms: int) -> int:
        return sum(since_ms <= at < until_ms for at, _ in self.records)

    def between(self, since_ms: int, until_ms: int, _key: bytes | None = None) -> Iterator[Any]:
        for offset, (at, value) in enumerate(self.records):
            if since_ms <= at < until_ms:
                self.read += 1
                yield SimpleNamespace(value=lambda value=value: value, offset=lambda at=offset: at, partition=lambda: 0)


def looks_into(held: Held, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster that needs no broker: what is looked into is `held`."""

    @contextmanager
    def reading(_cluster: Cluster, _topic: str) -> Iterator[Held]:
        yield held

    monkeypatch.setattr(audit_trail, "_reading", reading)
    return Cluster(Settings())


def test_a_past_hour_is_looked_through_though_much_was_written_right_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail where what comes after the hour counted as looked at: "older events" led to the same list."""
    monkeypatch.setattr(audit_trail, "_SLICE", 20)
    monkeypatch.setattr(audit_trail, "DECODED_AT_MOST", 50)
    second = [routing_event(recorded_at=NOW - DAY + at * 1_000) for at in range(800)]
    held = Held(second)
    cluster = looks_into(held, monkeypatch)
    after = audit_trail._slack_ms(cluster) // 1_000
    assert after > 50
    since, until, found = NOW - DAY, NOW - DAY + 600_000, []
    for _ in range(600 // 50 + 1):
        held.read = 0
        page = find_events(cluster, everything, since, until, 1_000)
        found += page.events
        assert held.read <= after + 50 + 2 * 20
        if page.is_whole:
            break
        until = page.reached_ms
    assert [each.event for each in found] == second[599::-1]


def test_of_a_burst_no_more_is_looked_at_than_of_an_even_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to look at all of a replay, which was written within minutes, where a slice is a length of time alone."""
    monkeypatch.setattr(audit_trail, "_SLICE", 20)
    monkeypatch.setattr(audit_trail, "DECODED_AT_MOST", 50)
    burst = [routing_event(recorded_at=NOW - 600_000 + at * 1_000) for at in range(500)]
    held = Held(burst)
    page = find_events(looks_into(held, monkeypatch), everything, NOW - DAY, NOW, 1_000)
    assert held.read <= 50 + 2 * 20
    assert not page.is_whole
    assert [each.event for each in page.events] == burst[: -len(page.events) - 1 : -1] != []


@pytest.mark.parametrize(
    "absurd", [{"cost_usd": float("nan")}, {"cost_usd": float("inf")}, {"edge_confidence": 1e300}, {"tokens_in": -1}]
)
def test_what_the_monitor_rejects_is_not_found(monkeypatch: pytest.MonkeyPatch, absurd: dict[str, Any]) -> None:
    """Seen to fail with an error in the place of the list."""
    good = routing_event(recorded_at=NOW - 5_000)
    cluster = looks_into(Held([good, routing_event(recorded_at=NOW - 4_000, **absurd)]), monkeypatch)
    for found in (find_events(cluster, everything, NOW - 9_000, NOW, 10), events_of(cluster, "c1", NOW - 9_000, NOW)):
        assert [each.event for each in found.events] == [good]
        assert found.cost_nanos == 1_000_000
