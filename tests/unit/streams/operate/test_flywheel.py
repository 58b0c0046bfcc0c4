"""A training set of live traffic: what is collected, from whom its labels are, and that no personal data is in it."""

import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from schemas.records import Label, PersonLabel, RoutingEvent
from schemas.topics import LABELS, ROUTING_EVENTS, TRANSCRIPTS
from streams.cli import main as cli
from streams.config.settings import Settings
from streams.operate.consume import Start
from streams.operate.flywheel import Lesson, Lessons, Tally, collected_rows, lessons
from streams.operate.topics import create
from tests.decisions import EDGE_ANSWER, NOW, cloud_answer
from tests.events import TRANSCRIPT
from tests.produced import produce
from training.config.config import Config
from training.config.sources import Source
from training.data import corpus

CLOUD = Lesson("negative", "cloud", 0.8, "cloud@1", "low_confidence", "c1")
PERSON = Lesson("positive", "people", 1.0, "", "", "c1")


def answered(at: int, **changes: Any) -> RoutingEvent:
    fields = {"event_id": f"e{at}", "conversation_id": f"c{at}", "recorded_at": NOW + at, "cloud_confidence": 0.9}
    return cloud_answer(**fields | changes)


@pytest.fixture
def live(settings: Settings) -> Settings:
    """Ten events: five that the cloud has answered, two of one conversation; in one an address is told."""
    create(settings)
    produce(
        settings,
        ROUTING_EVENTS,
        *(replace(EDGE_ANSWER, event_id=f"e{at}", conversation_id=f"c{at}") for at in range(5)),
        answered(5),
        answered(6, reason="low_confidence", cloud_label="negative"),
        answered(7, conversation_id="c6", cloud_label="positive"),
        answered(8, reason="high_complexity", cloud_confidence=None),
        answered(9, recorded_at=NOW + 60_000),
        answered(10, reason="cloud_error", cloud_label=None, degraded=True, route="edge"),
        answered(11),  # its text is gone
    )
    produce(settings, LABELS, person(4, "positive"), person(5, "negative"), person(3, "neutral", answered_at=1))
    texts = {at: f"text {at}" for at in range(11)} | {6: "my address is jo.bloggs@example.com"}
    events = [
        replace(TRANSCRIPT, event_id=f"e{at}", conversation_id=f"c{6 if at == 7 else at}", turn=at, text=text,
                role="customer", source="files")
        for at, text in texts.items()
    ]  # fmt: skip
    produce(settings, TRANSCRIPTS, *events, b"no event")
    return settings


def person(at: int, label: Label, answered_at: int = NOW) -> PersonLabel:
    return PersonLabel(
        event_id=f"e{at}", conversation_id=f"c{at}", label=label, labelled_at=NOW, answered_at=answered_at + at
    )


def rows(settings: Settings, most: int = 100, until_ms: int | None = None) -> tuple[list[dict[str, Any]], Tally]:
    tally = Tally()
    found = lessons(settings, Start(), until_ms, most)
    return list(collected_rows(settings, Start(), found, tally)), tally


def test_what_was_asked_before_its_start_is_in_mind(settings: Settings) -> None:
    create(settings)
    start = datetime.fromtimestamp(NOW / 1000, UTC)
    for at, (said_at, text) in enumerate(
        ((start - timedelta(minutes=1), "What is your full name?"), (start, "Marja Kovac"))
    ):
        produce(settings, TRANSCRIPTS, replace(TRANSCRIPT, event_id=f"e{at}", text=text), at=said_at)
    produce(settings, ROUTING_EVENTS, *(answered(at, conversation_id="c1") for at in range(2)))

    found = lessons(settings, Start(), None, 100)
    tally = Tally()
    assert [row["text"] for row in collected_rows(settings, Start(since_ms=NOW), found, tally)] == ["[NAME_1]"]
    assert tally.without_text == 1


def test_what_the_cloud_has_answered_is_learned_from(live: Settings) -> None:
    found, tally = rows(live)
    said = {"text 7", "text 8", "text 9", "my address is [EMAIL_1]"}
    assert {row["text"] for row in found if row["by"] == "cloud"} == said
    by_text = {row["text"]: row for row in found}
    assert by_text["text 7"]["label"] == "positive"
    deferred = by_text["my address is [EMAIL_1]"]
    assert (deferred["label"], deferred["agreement"], deferred["by"]) == ("negative", 0.9, "cloud")
    assert (deferred["reason"], deferred["model"], deferred["speaker"]) == ("low_confidence", "cloud@1", "customer")
    assert by_text["text 8"]["agreement"] == 1.0
    assert deferred["id"] == by_text["text 7"]["id"] != by_text["text 8"]["id"], "turns of a conversation stay together"
    assert not {row["id"] for row in found} & {f"c{at}" for at in range(12)}
    assert not {row["event"] for row in found} & {f"e{at}" for at in range(12)}
    assert (tally.rows, tally.without_text, dict(tally.models)) == (7, 1, {"cloud@1": 4})


def test_people_are_right_where_the_cloud_has_answered_too(live: Settings) -> None:
    found, tally = rows(live)
    by_people = {row["text"]: (row["label"], row["agreement"]) for row in found if row["by"] == "people"}
    assert by_people == {"text 3": ("neutral", 1.0), "text 4": ("positive", 1.0), "text 5": ("negative", 1.0)}
    assert dict(tally.by) == {"people": 3, "cloud": 4}


def test_labels_of_events_of_another_time_are_left_out(live: Settings) -> None:
    found = lessons(live, Start(since_ms=NOW), None, 100).of_events()
    assert {event_id for event_id, lesson in found.items() if lesson.by == "people"} == {"e4", "e5"}
    found = lessons(live, Start(), NOW + 5, 100).of_events()
    assert {event_id for event_id, lesson in found.items() if lesson.by == "people"} == {"e3", "e4"}


def test_only_answers_of_the_time_asked_for(live: Settings) -> None:
    found, _ = rows(live, until_ms=NOW + 60_000)
    assert "text 9" not in {row["text"] for row in found}
    assert len(found) == 6


def test_of_more_than_is_asked_for_ids_choose(live: Settings) -> None:
    some, tally = rows(live, most=5)
    again, _ = rows(live, most=5)
    assert (len(some) + tally.without_text, tally.beyond, tally.by["people"]) == (5, 3, 3)
    assert some == again


def test_people_come_first_and_are_given_up_last() -> None:
    found = Lessons(2)
    for event_id in ("a", "b", "c"):
        found.add(event_id, CLOUD)
    found.add("d", PERSON)
    found.add("d", CLOUD)
    found.add("e", PERSON)
    found.add("f", CLOUD)
    assert {event_id: lesson.by for event_id, lesson in found.of_events().items()} == {"d": "people", "e": "people"}
    assert found.beyond == 4


def test_the_last_of_two_answers_counts() -> None:
    found = Lessons(2)
    found.add("a", CLOUD)
    found.add("a", CLOUD._replace(label="neutral"))
    assert found.of_events()["a"].label == "neutral"


def collect(live: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", live.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", live.topic_prefix)
    return CliRunner().invoke(cli.app, ["flywheel", "collect", *arguments])


def test_the_set_is_one_that_training_reads(live: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "live"
    done = collect(live, monkeypatch, "--out", str(folder), "--licence", "ours alone")
    assert done.exit_code == 0, done.output
    assert "7 texts" in done.output
    assert "3 labelled by people" in done.output
    assert "4 labelled by the cloud" in done.output
    assert "1 whose text transcripts no longer holds" in done.output
    provenance = json.loads((folder / "provenance.json").read_text())
    assert (provenance["rows"], provenance["licence"]) == (7, "ours alone")
    assert provenance["reasons"] == {"random_cloud": 2, "low_confidence": 1, "high_complexity": 1}
    assert "EMAIL" in provenance["redaction"]["kinds"]
    (source,) = tomllib.loads((folder / "source.toml").read_text())["sources"]
    assert source["origin"].endswith("labels: 3 by people, 4 by cloud@1")
    (folder / "ours.csv").write_text(
        "id,text,label\n" + "".join(f"{number},row {number},neutral\n" for number in range(60))
    )
    ours = Source(name="ours", role="domain", train=("ours.csv",))
    loaded = corpus.load(Config(data=folder, sources=(ours, Source.model_validate(source))))
    learned = {example.text: example for example in loaded.extra_train}
    assert learned["my address is [EMAIL_1]"].target == pytest.approx((0.9, 0.05, 0.05))


def test_the_address_is_in_no_file_of_the_set(live: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collect(live, monkeypatch, "--out", str(tmp_path / "live"))
    files = list((tmp_path / "live").iterdir())
    assert len(files) == 3
    assert all(b"jo.bloggs" not in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--out", "{}/Live Set"], "small letters"),
        (["--out", "{}/live", "--from", "2100-01-01"], "nothing to learn from"),
    ],
)
def test_what_cannot_be_made_is_said(
    live: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    done = collect(live, monkeypatch, *(each.format(tmp_path) for each in arguments))
    assert isinstance(done.exception, UsageError)
    assert why in str(done.exception)
