"""`edgewise dead-letters`, as its users call it, on the embedded broker."""

import dataclasses
import json
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner, Result

from schemas.dead_letter import LetterId
from schemas.errors import UsageError
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, TRANSCRIPTS
from streams.agents.dead_letter import dead_letter
from streams.cli.commands.dead_letters import dead_letters
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.dead_letter_box import survey
from streams.operate.redrive import AlreadySettledError, Outcome
from streams.operate.topics import create
from tests.events import TRANSCRIPT, consumer_record
from tests.letters import bury, in_topic, redriven_ids


@pytest.fixture
def box(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Three letters: two undecodable transcripts and a request to the cloud of an unknown schema."""
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("LOGNAME", "ann")
    create(settings)
    bury(settings, 2)
    bury(settings, 1, CLOUD_INFERENCE, "unknown_schema")
    return settings


def run(*arguments: str, answer: str | None = None, refused: type[Exception] | None = None) -> Result:
    done = CliRunner().invoke(dead_letters, arguments, input=answer)
    if refused is None:
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    else:
        assert isinstance(done.exception, refused)
    return done


def states(settings: Settings) -> Sequence[str]:
    return [letter.state for letter in survey(Cluster(settings))]


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ((), ["0:0", "0:1", "0:2"]),
        (("--reason", "undecodable"), ["0:0", "0:1"]),
        (("--topic", "cloud-inference"), ["0:2"]),
        (("--since", "2026-01-31", "--until", "9999-01-01"), ["0:0", "0:1", "0:2"]),
        (("--until", "2020-01-01T00:00:00Z"), []),
        (("0:1", "cloud-inference[0]@0"), ["0:1", "0:2"]),
        (("--state", "redriven"), []),
    ],
)
def test_list_shows_those_that_fit(options: Sequence[str], ids: Sequence[str]) -> None:
    found = [json.loads(line) for line in run("list", "--json", *options).stdout.splitlines()]
    assert [letter["id"] for letter in found] == ids
    table = run("list", *options).stdout.splitlines()
    assert [row.split()[0] for row in table] == ["id", *ids]


@pytest.mark.usefixtures("box")
def test_list_tells_where_from_and_why_and_what_was_done() -> None:
    run("drop", "0:2", "--why", "an old client", "--yes")
    *_, letter = map(json.loads, run("list", "--json", "--state", "all").stdout.splitlines())
    [mark] = letter.pop("marks")
    assert (mark["action"], mark["by"], mark["why"]) == ("dropped", "ann", "an old client")
    assert letter.pop("at_ms") <= mark["at_ms"]
    assert letter == {
        "id": "0:2",
        "before": None,
        "reason": "unknown_schema",
        "detail": "damaged",
        "topic": "cloud-inference",
        "partition": 0,
        "offset": 0,
        "timestamp_ms": 1_700_000_000_000,
        "agent": "edge",
        "attempts": 1,
        "size": 11,
        "state": "dropped",
    }


def test_what_customers_wrote_is_shown_only_if_asked_for(box: Settings) -> None:
    value = buried_text(box, "my card is 4111")
    for command in (("list", "--state", "all"), ("list", "--json"), ("show", "0:3")):
        assert "card" not in run(*command).stdout
    shown = run("show", "0:3", "--payload").stdout
    assert '"text": "my card is 4111"' in shown, "decoded"
    rows = [line[10:57] for line in shown.splitlines() if line.startswith("000000")]
    assert bytes.fromhex("".join(rows)) == value


def buried_text(settings: Settings, text: str) -> bytes:
    """Puts a letter into `dead-letters` that can be read all the same; its value."""
    value = codec(settings, TRANSCRIPTS).encode(dataclasses.replace(TRANSCRIPT, text=text))
    record = consumer_record(value, topic=settings.topic(TRANSCRIPTS), offset=99)
    letter = dead_letter(settings, "edge", record, "text_too_long", "too long")
    producer = Cluster(settings).producer()
    producer.produce(letter.topic, letter.value, letter.key, headers=[*letter.headers])
    assert producer.flush(30) == 0
    return value


@pytest.mark.usefixtures("box")
def test_show_prints_headers_and_marks_and_bytes_that_are_no_record() -> None:
    run("redrive", "0:0", "--yes")
    shown = run("show", "transcripts[0]@0", "--payload").stdout
    assert "reason     undecodable: damaged\n" in shown
    assert "key        c1\n" in shown
    assert "header     trace: 0xff01\n" in shown, "what is no text cannot steer the terminal"
    assert "header     null: none\n" in shown
    assert " by ann\n" in shown
    assert "00000000  ff 00 20 6e 6f 74 20 61 76 72 6f                 .. not avro\n" in shown
    assert shown.endswith("Not readable: a value on transcripts that does not begin like Avro\n")


def test_redrive_asks_first(box: Settings) -> None:
    done = run("redrive", "--all", answer="n\n")
    assert done.exit_code == 1
    assert "Redrive 3 dead letters (1 of cloud-inference, 2 of transcripts)?" in done.stdout
    assert states(box) == ["open"] * 3
    assert run("redrive", "--all", answer="").exit_code == 1, "nobody there to answer"
    done = run("redrive", "--all", answer="y\n")
    assert done.exit_code == 0
    assert done.stdout.endswith("3 dead letters were redriven.\n")
    assert (redriven_ids(box), redriven_ids(box, CLOUD_INFERENCE)) == (["0:0", "0:1"], ["0:2"])
    assert run("redrive", "--all", "--yes").stdout == "No open dead letter fits.\n"


@pytest.mark.parametrize("command", [("redrive",), ("drop", "--why", "a test")])
def test_a_dry_run_does_nothing(box: Settings, command: Sequence[str]) -> None:
    done = run(*command, "--reason", "undecodable", "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.endswith(f"Dry run: 2 dead letters to {command[0]}; nothing was done.\n")
    assert len(in_topic(box, DEAD_LETTERS)) == 3


def test_one_by_its_id_is_refused_the_second_time(box: Settings) -> None:
    run("redrive", "0:1", "--yes")
    done = run("redrive", "0:1", "--yes", refused=AlreadySettledError)
    assert "dead letter 0:1 was redriven already, by ann at " in str(done.exception)
    assert redriven_ids(box) == ["0:1"]
    assert run("redrive", "0:1", "--yes", "--again").exit_code == 0
    assert redriven_ids(box) == ["0:1", "0:1"]


@pytest.mark.usefixtures("box")
def test_what_is_left_as_it_was_is_told_with_its_own_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "monitoring[0]@0: a later record of its key counts: drop it"
    monkeypatch.setattr("streams.operate.redrive.redrive", lambda *_, **__: Outcome([], [], {LetterId(0, 0): why}))
    done = run("redrive", "--all", "--yes")
    assert done.exit_code == 1
    assert f"edgewise: dead letter 0:0 was left as it was: {why}\n" in done.output


def test_dropped_ones_are_out_of_the_way(box: Settings) -> None:
    done = run("drop", "--reason", "undecodable", "--why", "a client's fault", "--yes")
    assert done.stdout == "2 dead letters were dropped.\n"
    assert [row.split()[0] for row in run("list").stdout.splitlines()] == ["id", "0:2"]
    run("redrive", "--all", "--yes")
    assert states(box) == ["dropped", "dropped", "redriven"]


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("redrive",), "say which dead letters"),
        (("redrive", "--all", "--reason", "undecodable"), "say which dead letters"),
        (("redrive", "0:77"), "there is no dead letter 0:77"),
        (("redrive", "0:0", "--topic", "cloud-inference"), "does not fit the other options"),
        (("list", "--reason", "damaged"), "--reason damaged: it is one of null_value, undecodable"),
        (("list", "--topic", "invoices"), "--topic invoices: it is one of transcripts"),
        (("list", "--since", "yesterday"), "--since yesterday: give a time such as 2026"),
        (("show", "17"), "'17' names no dead letter"),
        (("show", "0:77"), "there is no dead letter 0:77"),
    ],
)
def test_what_is_meant_must_be_clear(arguments: Sequence[str], said: str) -> None:
    assert said in str(run(*arguments, refused=UsageError).exception)
