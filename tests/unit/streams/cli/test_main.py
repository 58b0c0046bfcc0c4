import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import typer

from streams.cli import main as cli
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.embedded_broker import EmbeddedBroker, _free_port
from streams.operate.topics import specs
from tests.tiny_artifact import tiny_artifact

LONG = "x" * 300  # no file has such a name
COMMAND = (sys.executable, "-m", "streams.cli")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "EDGEWISE_EDGE_MODEL": str(tiny_artifact(folder, "edge")),
        "EDGEWISE_CLOUD_MODEL": str(tiny_artifact(folder, "cloud")),
    }


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    return {
        "EDGEWISE_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "EDGEWISE_TOPIC_PREFIX": settings.topic_prefix,
    }


def edgewise(
    *arguments: str, environ: dict[str, str] | None = None, stdin: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        env=os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[2])} | (environ or {}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def commands(group: object, path: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """The groups and commands of `group`, by the words that one types."""
    for name, command in getattr(group, "commands", {}).items():
        yield (*path, name)
        yield from commands(command, (*path, name))


ALL = sorted(commands(typer.main.get_command(cli.app)))


def test_the_commands_of_the_issue_are_there() -> None:
    assert set(ALL) >= {
        ("worker",), ("broker",), ("topics", "create"), ("topics", "describe"), ("replay",), ("consume",), ("score",),
        ("verify",), ("config",),
    }  # fmt: skip


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_every_command_s_help_has_an_example(command: tuple[str, ...]) -> None:
    from typer.testing import CliRunner

    shown = CliRunner().invoke(cli.app, [*command, "--help"])
    assert shown.exit_code == 0
    assert f"edgewise {' '.join(command)}" in shown.output.partition("Example:")[2]


def test_the_help_itself_has_an_example() -> None:
    from typer.testing import CliRunner

    assert "edgewise " in CliRunner().invoke(cli.app, ["--help"]).output.partition("Example:")[2]


def test_help_and_score_import_no_kafka(models: dict[str, str]) -> None:
    program = (
        "import sys; from streams.cli.main import app; app({}, standalone_mode=False); "
        "print(sorted({{'faust', 'confluent_kafka', 'onnxruntime', 'numpy'}} & set(sys.modules)))"
    )
    for arguments, expected in ((["--help"], []), (["score", "-", "--model", "edge"], ["numpy", "onnxruntime"])):
        done = subprocess.run(
            [sys.executable, "-c", program.format(arguments)],
            env=os.environ | models | {"PYTHONPATH": str(Path(cli.__file__).parents[2])},
            input="hello\n", capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == str(expected)


def test_version() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        expected = version("edgewise")
    except PackageNotFoundError:
        pytest.skip("edgewise is not installed here")
    assert edgewise("--version").stdout == f"edgewise {expected}\n"


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (("config",), {"EDGEWISE_WINDOW_S": "0"}, "edgewise: setting window_s (EDGEWISE_WINDOW_S) is '0': allowed is"),
        (("config",), {"EDGEWISE_WINDOWS": "1"}, "edgewise: unknown environment variable: EDGEWISE_WINDOWS; the near"),
        (("--config", "none.toml", "config"), {}, "edgewise: settings file "),
        (("worker", "egde"), {}, "edgewise: there is no agent 'egde'"),
        (("worker", "edge"), {"EDGEWISE_EDGE_MODEL": "/none"}, "edgewise: "),
        (("worker", "edge"), {"EDGEWISE_EDGE_MODEL": LONG}, f"edgewise: {LONG}/current.json can't be read: File name"),
        (("samples", "-o", f"{LONG}.csv"), {}, f"edgewise: {LONG}.csv can't be written: File name too long"),
        (("models", "promote", "edge", "--into", LONG), {}, f"edgewise: {LONG}/edge@"),
        (("score", "none.csv"), {}, "edgewise: none.csv: No such file or directory"),
        (("score", "-"), {"EDGEWISE_CLOUD_MODEL": "/none"}, "edgewise: "),
        (("consume", "nothing"), {}, "edgewise: topic 'nothing' is not one of Edgewise's"),
        (
            ("consume", "sentiment", "--where", "lable=x"),
            {},
            "edgewise: sentiment has no field 'lable': did you mean lab",
        ),
        (
            ("consume", "sentiment", "--fields", "lable"),
            {},
            "edgewise: sentiment has no field 'lable': did you mean lab",
        ),
        (
            ("consume", "sentiment", "--from", "²"),
            {},
            "edgewise: --from ",
        ),
        (
            ("consume", "sentiment", "-o", "x.jsonl", "--format", "table"),
            {},
            "edgewise: --output x.jsonl: a table is for the terminal",
        ),
        (("consume", "sentiment", "-f", "--format", "table"), {}, "edgewise: --format table with --follow has no end"),
        (("score", "a.csv", "-o", "a.xlsx"), {}, "edgewise: a.xlsx: its ending is none of those that can be written"),
        (("score", "a.csv", "--column", "txt=a"), {}, "edgewise: --column txt=a: give FIELD=COLUMN"),
        (("samples", "-o", "a.xlsx"), {}, "edgewise: a.xlsx: its ending is none of those that can be written"),
        (("samples", "-o", "none/a.csv"), {}, "edgewise: none/a.csv can't be written: No such file"),
        (("demo", "--json", "none/a.json"), {}, "edgewise: none/a.json can't be written: No such file"),
        (("dead-letters", "list", "--since", "soon"), {}, "edgewise: --since soon: give a time such as 2026-01-31T12"),
        (("replay", "a.csv", "--pace", "soon"), {}, "edgewise: pace 'soon': give max"),
        (("replay", "a.csv", "--column", "x"), {}, "edgewise: --column x: give FIELD=COLUMN"),
        (("replay", "-"), {}, "edgewise: replay reads a file to its end before it sends anything"),
    ],
)
def test_wrong_usage_is_a_line_on_standard_error_and_exit_code_2(
    arguments: tuple[str, ...], environ: dict[str, str], message: str, models: dict[str, str], tmp_path: Path
) -> None:
    done = edgewise(*arguments, environ=models | environ, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_an_option_that_there_is_not() -> None:
    done = edgewise("score", "--colour")
    assert done.returncode == 2
    assert "No such option" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("topics", "create"), ("topics", "describe"), ("consume", "sentiment"), ("verify",), ("replay", "a.csv")],
)
def test_an_unreachable_broker_is_a_line_and_exit_code_1(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(Cluster.metadata, "__defaults__", (0.5,))  # 10 s are much for a test
    monkeypatch.setattr(sys, "argv", ["edgewise", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    shown = capfd.readouterr()
    assert shown.err.startswith("edgewise: no Kafka broker answers at 127.0.0.1:1")
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_config_tells_values_and_sources_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('router = "article"\nschema_registry_password = "hunter2"')
    environ = {
        "EDGEWISE_SCHEMA_REGISTRY_URL": "https://registry",
        "EDGEWISE_SCHEMA_REGISTRY_USER": "me",
        "EDGEWISE_INGEST_PUBLIC_URL": "https://me:hunter2@here",
        "EDGEWISE_WINDOW_S": "30",
    }
    table, plain = (
        edgewise("--config", "my.toml", *arguments, environ=environ, cwd=tmp_path)
        for arguments in (("config",), ("config", "--json"))
    )
    assert table.returncode == plain.returncode == 0
    assert "hunter2" not in table.stdout + table.stderr + plain.stdout + plain.stderr
    found = json.loads(plain.stdout)
    assert found["router"] == {"value": "article", "source": str(tmp_path / "my.toml")}
    assert found["window_s"] == {"value": 30, "source": "EDGEWISE_WINDOW_S"}
    assert found["token_budget"] == {"value": 256, "source": "default"}
    assert found["schema_registry_password"]["value"] == "********"
    assert found["ingest_public_url"]["value"] == "https://********@here"
    assert set(found) == set(Settings.model_fields)


def test_topics_replay_consume_on_one_broker(environ: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("call,body,label\nc1,Grüße 😡,negative\nc2,fine,positive\n", encoding="utf-8")
    replay = ("replay", "a.csv", "--column", "text=body", "--column", "conversation_id=call")
    early = edgewise(*replay, environ=environ, cwd=tmp_path)
    assert (early.returncode, early.stderr.count("\n")) == (2, 1)
    assert "edgewise topics create" in early.stderr
    created = edgewise("topics", "create", environ=environ)
    assert created.stdout.count(": created\n") == len(specs(settings))
    again = edgewise("topics", "create", environ=environ | {"EDGEWISE_SENTIMENT_PARTITIONS": "9"})
    assert "sentiment: exists; differs\n  partitions: is 4, should be 9\n" in again.stdout
    done = edgewise(*replay, environ=environ, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"2 of 2 events are in {settings.topic('transcripts')}\n"
    shown = edgewise("consume", "transcripts", "--where", "attributes.label=negative", environ=environ)
    [record] = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (record["text"], record["conversation_id"], record["_key"]) == ("Grüße 😡", "c1", "c1")
    assert edgewise("consume", "transcripts", "--max", "1", environ=environ).stdout.count("\n") == 1
    described = json.loads(edgewise("topics", "describe", "--json", environ=environ).stdout)
    assert described[0]["topic"] == settings.topic("transcripts")
    assert (described[0]["offsets"], described[0]["records"], described[0]["lag"]) == (2, None, 2)
    table = edgewise("topics", "describe", environ=environ).stdout.splitlines()
    assert table[0].split() == ["topic", "parts", "replicas", "kept", "offsets", "agent", "lag"]
    assert table[1].split() == [settings.topic("transcripts"), "4", "1", "7", "d", "2", "edge", "2"]
    counted = edgewise("topics", "describe", "--count", environ=environ).stdout.splitlines()
    assert counted[0].split()[4:6] == ["records", "markers"]
    assert counted[1].split()[5:7] == ["2", "0"]
    as_csv = edgewise("consume", "transcripts", "--fields", "text,attributes.label", "--format", "csv", environ=environ)
    assert sorted(as_csv.stdout.splitlines()) == ["Grüße 😡,negative", "fine,positive", "text,attributes.label"]
    as_table = edgewise(
        "consume", "transcripts", "--fields", "text,language", "--where", "attributes.label=positive",
        "--from", "-10m", "--format", "table", environ=environ,
    )  # fmt: skip
    assert as_table.stdout == "text\nfine\n"
    beyond = edgewise("consume", "transcripts", "--from", "9", "--follow", environ=environ)
    assert (beyond.returncode, beyond.stdout) == (2, "")
    assert "transcripts ends at offset " in beyond.stderr


def test_score_from_a_pipe_and_to_csv(models: dict[str, str], tmp_path: Path) -> None:
    lines = edgewise("score", "-", environ=models, stdin="awful awful\nperfect perfect\n")
    assert [json.loads(line)["sentiment"] for line in lines.stdout.splitlines()] == ["negative", "positive"]
    (tmp_path / "in.csv").write_text("id,body\n1,awful awful\n2,perfect perfect\n")
    wrong = edgewise("score", "in.csv", environ=models, cwd=tmp_path)
    assert wrong.returncode == 2
    assert "2 columns, none of them 'text'; no header?" in wrong.stderr
    assert wrong.stderr.endswith("with --column text=NAME; is it 'body'?\n")
    options = ("--column", "text=body", "--model", "edge")
    done = edgewise("score", "in.csv", *options, "-o", "out.csv", environ=models, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    header, first, _ = (tmp_path / "out.csv").read_text().splitlines()
    assert header == "id,body,sentiment,confidence,negative,neutral,positive,route,reason,cost_usd,cloud_only_cost_usd"
    assert first.startswith("1,awful awful,negative,")
    assert done.stderr.startswith("2 of 2 rows scored\n")
    assert "cost $0.0020; with the cloud alone $0.0272" in done.stderr
    one = edgewise("score", "-", "--limit", "1", "--output-format", "csv", environ=models, stdin='{"text": "a"}\n' * 3)
    assert one.stdout.count("\n") == 2
    same = edgewise("score", "in.csv", *options, "-o", "in.csv", environ=models, cwd=tmp_path)
    assert same.returncode == 2
    assert (tmp_path / "in.csv").read_text().startswith("id,body\n1,")


def test_a_reader_that_has_enough_ends_a_command_silently(models: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("perfect\n" * 20_000)
    with subprocess.Popen(
        [*COMMAND, "score", str(tmp_path / "many.txt"), "--model", "edge"],
        env=os.environ | models | {"PYTHONPATH": str(Path(cli.__file__).parents[2])},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_an_output_file_changes_when_it_is_whole(models: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "awful"}\n' * 1_001 + '{"text": "perfect", "late": 1}\n')
    out = tmp_path / "out.csv"
    out.write_text("the results of last week\n")
    done = edgewise("score", "in.jsonl", "--model", "edge", "-o", "out.csv", environ=models, cwd=tmp_path)
    assert done.returncode == 2
    assert out.read_text() == "the results of last week\n"
    partial = tmp_path / "out.csv.partial"
    assert f"edgewise: out.csv stays as it was; what was done before the failure is in {partial}\n" in done.stderr
    assert "row 1002 has the field 'late'" in done.stderr
    assert len(partial.read_text().splitlines()) == 1_002
    (tmp_path / "in.jsonl").write_text('{"text": "awful"}\n{')
    done = edgewise("score", "in.jsonl", "--model", "edge", "-o", "out.csv", environ=models, cwd=tmp_path)
    assert done.returncode == 2
    assert out.read_text() == "the results of last week\n"
    (tmp_path / "in.jsonl").write_text('{"text": "awful"}\n')
    done = edgewise("score", "in.jsonl", "--model", "edge", "-o", "out.csv", environ=models, cwd=tmp_path)
    assert done.returncode == 0
    assert out.read_text().startswith("text,")
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out.csv", "out.csv.partial"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_broker_command_ends_in_good_order(number: signal.Signals, repository: Path) -> None:
    port = _free_port()
    with subprocess.Popen(
        [*COMMAND, "broker", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=repository,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Broker at 127.0.0.1:{port}, in memory. Ctrl-C stops it.\n"
        taken = edgewise("broker", "--port", str(port))
        assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
        process.send_signal(number)
        assert process.communicate() == ("Stopped.\n", "")
        assert process.returncode == 0


def test_ctrl_c_ends_a_command_whose_broker_is_gone(repository: Path) -> None:
    with EmbeddedBroker() as broker:
        environ = {"EDGEWISE_BOOTSTRAP_SERVERS": broker.bootstrap_servers}
        edgewise("topics", "create", environ=environ)
        following = subprocess.Popen(
            [*COMMAND, "consume", "transcripts", "--follow", "--from", "beginning"],
            env=os.environ | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=repository,
        )  # fmt: skip
        edgewise("replay", "samples/care.jsonl", "--limit", "1", environ=environ, cwd=repository)
        assert following.stdout is not None
        assert following.stderr is not None
        following.stdout.readline()
    assert following.stderr.readline() == "edgewise: waiting for records of transcripts; Ctrl-C ends it\n"
    following.stderr.readline()  # librdkafka complains that it is gone
    following.send_signal(signal.SIGINT)
    _, rest = following.communicate(timeout=60)
    assert following.returncode == 130
    assert "Traceback" not in rest


def test_an_interrupted_replay_tells_how_to_go_on(environ: dict[str, str], tmp_path: Path, repository: Path) -> None:
    edgewise("topics", "create", environ=environ)
    (tmp_path / "a.txt").write_text("hello\n" * 1_000)
    with subprocess.Popen(
        [*COMMAND, "replay", str(tmp_path / "a.txt"), "--pace", "2/s"],
        env=os.environ | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=repository,
    ) as process:  # fmt: skip
        edgewise("consume", "transcripts", "--follow", "--from", "beginning", "--max", "1", environ=environ)
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate()
    assert process.returncode == 130
    assert " of 1,000 events are in " in shown
    assert shown.endswith(f"go on with: edgewise replay {tmp_path}/a.txt --pace 2/s --resume\n")
    done = edgewise("replay", str(tmp_path / "a.txt"), "--resume", environ=environ)
    assert done.stdout.startswith("1,000 of 1,000 events are in ")
    assert "of them from before" in done.stdout
