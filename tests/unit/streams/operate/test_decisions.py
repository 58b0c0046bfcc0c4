"""Recorded decisions read from a file and from the topic: alike, within the times asked for, errors with a line."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from recordings.fault import RecordingError
from schemas.errors import UsageError
from schemas.records import RoutingEvent
from schemas.topics import ROUTING_EVENTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.decisions import Decisions
from streams.operate.consume import Start, records
from streams.operate.decisions import recorded_decisions, topic_decisions
from streams.operate.topics import create
from tests.decisions import EDGE_ANSWER, NOW, as_object, cloud_answer

EVENTS = [
    *(replace(EDGE_ANSWER, event_id=f"e{at}", recorded_at=NOW + at) for at in range(5)),
    cloud_answer(event_id="e5", recorded_at=NOW + 5),
    cloud_answer(event_id="e6", recorded_at=NOW + 6, reason="low_confidence", cloud_label="negative"),
]


def written(path: Path, *lines: object) -> str:
    path.write_text("".join(each if isinstance(each, str) else f"{json.dumps(each)}\n" for each in lines), "utf-8")
    return str(path)


def told(decisions: Decisions) -> list[tuple[int, ...]]:
    columns = decisions.group, decisions.agrees, decisions.cost_nanos, decisions.recorded_ms
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_a_file_and_the_topic_that_it_was_made_of_are_read_alike(settings: Settings, tmp_path: Path) -> None:
    create(settings)
    producer, encode = Cluster(settings).producer(), codec(settings, ROUTING_EVENTS).encode
    for event in EVENTS:
        producer.produce(settings.topic("routing-events"), encode(event), event.conversation_id)
    producer.produce(settings.topic("routing-events"), b"no audit event")
    producer.produce(settings.topic("routing-events"), encode(replace(EDGE_ANSWER, edge_confidence=1e300)))
    assert producer.flush(30) == 0
    found = topic_decisions(settings, Start(), None)
    shown = [each for each in records(settings, "routing-events", Start()) if each.get("edge_confidence", 2) <= 1]
    assert told(found) == told(recorded_decisions(written(tmp_path / "d.jsonl", *shown), None, None))
    assert len(found) == 7
    assert len(topic_decisions(settings, Start(), NOW + 5)) == 5


def test_only_what_was_recorded_within_the_times_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "d.jsonl", *map(as_object, EVENTS), "\n")
    assert len(recorded_decisions(path, NOW + 2, NOW + 6)) == 4
    with pytest.raises(UsageError, match="holds no decision"):
        recorded_decisions(path, NOW + 60_000, None)
    packed = tmp_path / "d.jsonl.gz"
    packed.write_bytes(gzip.compress(Path(path).read_bytes()))
    assert len(recorded_decisions(str(packed), None, None)) == 7


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not JSON\n", "line 3: no routing event: it is no JSON object"),
        ({"text": "My card is 4111"}, "line 3: no routing event: it has no stage"),
        ([1], "line 3: no routing event: it is no JSON object"),
        (
            as_object(EDGE_ANSWER) | {"edge_confidence": "My card"},
            "line 3: no routing event: edge_confidence is no number",
        ),
        (as_object(EDGE_ANSWER) | {"edge_label": "My card"}, "line 3: no routing event: a label is none of negative"),
        (
            as_object(EDGE_ANSWER) | {"recorded_at": "2026"},
            "line 3: no routing event: recorded_at is no number",
        ),
        (
            as_object(EDGE_ANSWER) | {"cost_usd": float("nan")},
            "line 3: no routing event: cost_usd is not from 0 to 1,000,000",
        ),
        (as_object(EDGE_ANSWER) | {"cost_usd": 1e300}, "line 3: no routing event: cost_usd is not from 0 to 1,000,000"),
        (as_object(EDGE_ANSWER) | {"tokens_in": 2**70}, "line 3: no routing event: tokens_in is not from 0 to"),
        (
            as_object(EDGE_ANSWER) | {"text_chars": float("inf")},
            "line 3: no routing event: text_chars is not from 0 to",
        ),
    ],
)
@pytest.mark.parametrize("since", [None, NOW])
def test_what_is_no_decision_is_named_by_its_line_and_not_repeated(
    tmp_path: Path, line: object, says: str, since: int | None
) -> None:
    path = written(tmp_path / "d.jsonl", as_object(EVENTS[0]), as_object(EVENTS[1]), line, as_object(EVENTS[2]))
    with pytest.raises(RecordingError) as raised:
        recorded_decisions(path, since, None)
    assert "My card" not in str(raised.value)
    if since is None or "text" not in str(line):
        assert says in str(raised.value)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        recorded_decisions(str(tmp_path / "none.jsonl"), None, None)


def events(count: int) -> list[RoutingEvent]:
    return [replace(EDGE_ANSWER, event_id=str(at), recorded_at=NOW + at) for at in range(count)]


def test_the_line_is_right_in_a_long_file(tmp_path: Path) -> None:
    lines = [as_object(each) for each in events(20_010)]
    lines[20_004] = {"stage": 1}
    with pytest.raises(RecordingError, match="line 20005: "):
        recorded_decisions(written(tmp_path / "d.jsonl", *lines), None, None)
