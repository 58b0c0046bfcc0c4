"""What the documents tell a reader to type: each command exists, and what can be run is run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.main import get_command

from streams.cli.main import app as edgewise_app
from streams.kafka.embedded_broker import _free_port
from tests.docs.pages import PAGES, PROGRAMS, REPOSITORY, Call, Line, blocks, inline, read
from training.cli import app as train_app

MAKE_TARGETS = frozenset(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))

# Run on every page, on a line that has carried events; the others would not end, or take long, or change this machine.
RUN = frozenset((
    "score", "redact", "consume", "config", "models", "samples", "verify", "replay", "topics", "dead-letters", "whatif",
    "report",
))  # fmt: skip

BASH = shutil.which("bash") or "/bin/bash"
BROKER = "edgewise broker &"
LETTERS = 20  # the last ten of an unknown schema
MODES = pytest.mark.parametrize("mode", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
UNFINISHED = ("MissingParameter", "NoArgsIsHelpError", "BadParameter")  # a command that is only named


def neutral(command: Any) -> Any:
    """The command line without what its commands do: it only parses."""
    if getattr(command, "callback", None) is not None:
        command.callback = lambda *_, **__: None
    for each in getattr(command, "commands", {}).values():
        neutral(each)
    return command


EDGEWISE, TRAIN = neutral(get_command(edgewise_app)), neutral(get_command(train_app))


def parse(arguments: tuple[str, ...]) -> None:
    """Raises an error of the parser's where `edgewise` would refuse `arguments`."""
    EDGEWISE.main(list(arguments), prog_name="edgewise", standalone_mode=False)
    if arguments[:1] == ("train",):
        TRAIN.main(list(arguments[1:]), prog_name="edgewise train", standalone_mode=False)


def fault(call: Call, *, whole: bool) -> str | None:
    """What is wrong with a command; one that is not `whole`, in the text, may lack what it needs."""
    arguments = call.arguments
    if call.program == "edgewise":
        return _refused(call, whole=whole)
    if call.program == "make":
        targets = [each for each in arguments if not re.match(r"-|\w+=", each)]
        return next((f"the Makefile has no {each}" for each in targets if each not in MAKE_TARGETS), None)
    if call.program == "python":
        return _no_program(arguments)
    if call.program == "pip" and any(each.partition("[")[0] == "edgewise" for each in arguments):
        return "edgewise is installed from a checkout: pip install '.[…]'"
    known = call.program in PROGRAMS | {"jq"}
    return None if known else f"{call.program} is no program that the documents may use"


def _refused(call: Call, *, whole: bool) -> str | None:
    if call.arguments[:1] == ("COMMAND",):
        return None
    try:
        parse(call.arguments)
    except Exception as error:  # noqa: BLE001 - the parser's errors have no public class
        kind = type(error).__name__
        if kind in UNFINISHED and (not whole or (kind == "BadParameter" and call.placeholders)):
            return None
        return str(error) or kind
    return None


def _no_program(arguments: tuple[str, ...]) -> str | None:
    if arguments[:1] == ("-m",):
        place = REPOSITORY.joinpath(*arguments[1].split("."))
        found = arguments[1] in {"pytest", "venv", "pip"} or place.with_suffix(".py").is_file()
        return None if found or (place / "__main__.py").is_file() else f"there is no module {arguments[1]}"
    return None if arguments and (REPOSITORY / arguments[0]).is_file() else f"there is no file {' '.join(arguments)}"


def faults(lines: Iterable[Line], *, whole: bool) -> list[str]:
    """Each with its page and line."""
    return [
        f"{line.where}: {line.text}: {why}"
        for line in lines
        for call in line.calls()
        if (why := fault(call, whole=whole))
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists_with_its_options(page: str) -> None:
    text = read(page)
    assert faults((line for block in blocks(page, text) for line in block), whole=True) == []
    assert faults(inline(page, text), whole=False) == []


class Shell:
    """A folder with the samples, and a PATH on which `edgewise` is this checkout's."""

    def __init__(self, folder: Path, bootstrap: str, *, broker_port: int | None) -> None:
        (folder / "bin").mkdir()
        self.folder = folder / "work"
        self.folder.mkdir()
        (self.folder / "samples").symlink_to(REPOSITORY / "samples")
        (self.folder / "calls.csv").write_text("id,body\n1,My bag is lost and nobody answers\n2,Thanks!\n", "utf-8")
        # The page's broker is on the port that is free here; where a Kafka stands already, it has nothing to do.
        broker = "exit 0" if broker_port is None else f'set -- broker --port {broker_port} "${{@:2}}"'
        program = folder / "bin" / "edgewise"
        program.write_text(
            f'#!/bin/bash\nif [[ "$1" == broker ]]; then {broker}; fi\nexec {sys.executable} -P -m streams.cli "$@"\n'
        )
        program.chmod(0o755)
        own = {"EDGEWISE_BOOTSTRAP_SERVERS": bootstrap, "PYTHONPATH": str(REPOSITORY), "HOME": str(folder)}
        self.environ: Mapping[str, str] = os.environ | own | {"PATH": f"{program.parent}:{os.environ['PATH']}"}

    @contextmanager
    def started(self, script: str) -> Iterator[subprocess.Popen[str]]:
        """Bash with `script`; in the end nothing that it left in the background is there any more."""
        with (self.folder.parent / "log").open("a+", encoding="utf-8") as log:
            process = subprocess.Popen(
                [BASH, "-e", "-o", "pipefail", "-c", script],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.close()
                with process.stdout as output:
                    output.read()  # until the last one has closed it
                process.wait()

    @property
    def log(self) -> str:
        """What was said on standard error."""
        return (self.folder.parent / "log").read_text("utf-8")

    def pasted(self, script: str) -> tuple[int, str]:
        """Exit code and output of `script`; a question is answered with yes."""
        end = "the end, with exit code "
        with self.started(f"trap 'code=$?; echo; echo {end}$code' EXIT\n{script}") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("y\n")
            process.stdin.close()
            lines: list[str] = []
            for line in process.stdout:  # not up to its end: what runs in the background keeps the pipe open
                if line.startswith(end):
                    return int(line.removeprefix(end)), "".join(lines).removesuffix("\n")
                lines.append(line)
            return process.wait(), "".join(lines)


def shell(tmp_path: Path, bootstrap: str | None) -> Shell:
    port = _free_port()
    return Shell(tmp_path, bootstrap or f"127.0.0.1:{port}", broker_port=port if bootstrap is None else None)


@MODES
@pytest.mark.timeout(300)
def test_the_first_steps_end_in_verified(mode: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    page = read("README.md")
    [steps] = [block for block in blocks("README.md", page) if any(line.text == BROKER for line in block)]
    place = shell(tmp_path, request.getfixturevalue("kafka") if mode == "kafka" else None)
    code, output = place.pasted("\n".join(line.text for line in steps))
    assert code == 0, place.log
    assert output.splitlines()[-1].startswith("verified"), output


@pytest.fixture(scope="module")
def line_at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A line on an embedded broker that goes on working, with events and dead letters in its topics."""
    place = shell(tmp_path_factory.mktemp("docs"), None)
    with place.started("edgewise broker &\nedgewise topics create\nedgewise worker &\necho ready\nwait") as process:
        assert process.stdout is not None
        assert "ready\n" in iter(process.stdout.readline, ""), place.log
        assert place.pasted("edgewise replay samples/care.jsonl\nedgewise verify --wait 60")[0] == 0, place.log
        send_bad_records(place.environ["EDGEWISE_BOOTSTRAP_SERVERS"])
        assert place.pasted("edgewise verify --wait 60")[0] == 0, place.log
        yield place


def send_bad_records(bootstrap: str) -> None:
    """Send them at once, as one batch: a page names letters by offsets, of which the end of each batch takes one."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(LETTERS):
        damaged = number < LETTERS / 2
        producer.produce("transcripts", b"no Avro" if damaged else b"\xc3\x01" + bytes(8), f"c{number}", 0)
    assert producer.flush(30) == 0


def runnable(line: Line, place: Shell) -> bool:
    """Whether a line can be run here: it ends, harms nothing, and names no file of the reader's own."""
    calls = line.calls()
    return all(
        call.program in {"edgewise", "echo", "jq"}
        and shutil.which(call.program, path=place.environ["PATH"]) is not None
        and not call.placeholders
        and (call.program != "edgewise" or (call.arguments[0] in RUN and "--follow" not in call.arguments))
        and all((place.folder / word).exists() for word in _inputs(call))
        for call in calls
    ) and "&" not in line.text.replace("&&", "")


def _inputs(call: Call) -> list[str]:
    """The words that name a file to be read."""
    before = (None, *call.arguments)
    return [
        word
        for word, option in zip(call.arguments, before, strict=False)
        if option not in {"-o", "--output"} and re.fullmatch(r"[\w./:-]+\.(csv|jsonl?|txt|vtt|srt|toml)", word)
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_prints_can_be_done(page: str, line_at_work: Shell) -> None:
    done = 0
    for block in blocks(page, read(page)):
        if any(line.text == BROKER for line in block):
            continue  # the first steps, which have a test of their own
        for line in block:
            if runnable(line, line_at_work):
                code, output = line_at_work.pasted(line.text)
                assert code == 0, f"{line.where}: {line.text}: exit code {code}\n{output}{line_at_work.log[-2000:]}"
                done += 1
    if page in {"README.md", "docs/replay.md", "docs/dead-letters.md", "docs/verify.md"}:
        assert done >= 2, f"{page} has commands, of which only {done} could be run"


def test_the_commands_of_a_page_are_found() -> None:
    page = (
        "Text\n\n    edgewise broker &\n    # why\n\n    a diagram --> b\n\n"
        "more `edgewise verfy` text\n\n```sh\nX=1 edgewise x > f\n```\n"
    )
    found = [[(line.number, line.text) for line in block] for block in blocks("p.md", page)]
    assert found == [[(3, "edgewise broker &"), (6, "a diagram --> b")], [(11, "X=1 edgewise x > f")]]
    assert [(line.where, line.text) for line in inline("p.md", page)] == [("p.md:8", "edgewise verfy")]
    assert Line("p.md", 1, "A=b edgewise score a.csv | jq .x > f  # why").calls() == [
        Call(("A=b",), "edgewise", ("score", "a.csv")),
        Call((), "jq", (".x",)),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("edgewise verfy", "verfy"),
        ("edgewise verify --wiat 3", "--wiat"),
        ("edgewise score", "Missing parameter: file"),
        ("edgewise train all --konfig x", "--konfig"),
        ("make demmo", "demmo"),
        ("python -m benchmarks.nothing", "benchmarks.nothing"),
        ("pip install 'edgewise[training]'", "checkout"),
        ("edgwise verify", "edgwise"),
    ],
)
def test_a_command_that_is_not_there_is_named(text: str, says: str) -> None:
    [call] = Line("p.md", 1, text).calls()
    assert says in (fault(call, whole=True) or "")
