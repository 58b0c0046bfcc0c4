"""What the pages quote of a command has the words and columns that the command prints; the numbers are their own."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.artifact import load_artifact
from streams.cli import main as cli
from streams.demo.report import Accuracy, Report, report_lines
from streams.monitoring.window import Window
from streams.verify.verdict import Verdict
from tests.asked import completion
from tests.decisions import EDGE_ANSWER, NOW, as_object, cloud_answer
from tests.docs.pages import read
from tests.events import routing_event
from tests.http_server import Fault, Handler, Request, answer, serve

CLOUD, ROUTING = "docs/cloud.md", "docs/routing.md"
SMALL = "SmolLM2-135M-Instruct.Q4_1.gguf"
_NUMBER = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:]+Z)?|\d[\d,.]*")
_POLICY = re.compile(r"(default|agreement)[-@][\w.@+=-]*")


def shape(line: str) -> str:
    """`line` with each number as 0, and one space where there are many."""
    return " ".join(_NUMBER.sub("0", _POLICY.sub(r"\1", line)).split())


def quoted(page: str, first: str) -> list[str]:
    """The lines of each indented block of `page` that begins with `first`."""
    lines = read(page).splitlines()
    found: list[str] = []
    for at, line in enumerate(lines):
        if line.startswith(f"    {first}") and not lines[at - 1].strip():
            end = next(
                stop for stop in range(at, len(lines)) if lines[stop].strip() and not lines[stop].startswith(" ")
            )
            found += lines[at:end]
    assert found, f"{page} quotes nothing that begins with {first!r}"
    return [line for line in found if line.strip()]


def missing(page: str, first: str, printed: str) -> list[str]:
    """The quoted lines like none that is `printed`; one that ends with … is like any that begins so."""
    shapes = {shape(line) for line in printed.splitlines()}

    def is_printed(line: str) -> bool:
        wanted = shape(line.removesuffix("…"))
        return any(each.startswith(wanted) if line.endswith("…") else each == wanted for each in shapes)

    return [line for line in quoted(page, first) if not is_printed(line)]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def small_model(name: str, **headers: str) -> Fault:
    """What the model of 135 million parameters answers, by `name`."""
    usage = {"prompt_tokens": 396, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 359}}
    return answer(completion(model=name, usage=usage, system_fingerprint="b0-unknown"), 200, **headers)


def classifier(handler: Handler, request: Request) -> None:
    """The project's own cloud model behind MLServer, as far as its protocol goes."""
    if request.method == "GET":
        answer({"name": "sentiment", "inputs": []})(handler, request)
        return
    data = [0.7, 0.2, 0.1] * len(request.body["inputs"][0]["data"])
    output = {"name": "probabilities", "datatype": "FP32", "shape": [len(data) // 3, 3], "data": data}
    answer({"model_name": "sentiment", "outputs": [output]})(handler, request)


def checked(monkeypatch: pytest.MonkeyPatch, fault: Fault, **settings: str) -> str:
    """What `edgewise cloud check` prints before a server of `fault`."""
    with serve(fault) as server, monkeypatch.context() as patch:
        for name, value in ({"cloud_url": server.url} | settings).items():
            patch.setenv(f"EDGEWISE_{name.upper()}", value)
        return run("cloud", "check")


def prices(page: str) -> str:
    """The price book that the page has a newcomer write."""
    lines = read(page).splitlines()
    first = lines.index("    dated = 2026-11-29")
    return "\n".join(line.strip() for line in lines[first : first + 7])


def test_what_cloud_check_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = tmp_path / "prices.toml"
    book.write_text(prices(CLOUD), "utf-8")
    openai = {"cloud_backend": "openai", "cloud_model_name": SMALL}
    proxy = {"cloud_backend": "openai", "cloud_model_name": "sentiment-small"}
    v2 = {"cloud_backend": "v2", "cloud_model_name": "sentiment"}
    printed = [
        checked(monkeypatch, small_model(f"/models/{SMALL}"), **openai, prices=str(book)),
        checked(monkeypatch, small_model("sentiment-small", x_litellm_response_cost="0.000003"), **proxy),
        checked(monkeypatch, classifier, **v2),
    ]
    assert missing(CLOUD, "backend   ", "\n".join(printed)) == []
    unpriced = checked(monkeypatch, small_model(f"/models/{SMALL}"), **openai)
    assert missing(CLOUD, "dollars   ", unpriced) == []


def test_what_the_demo_says_of_the_bill() -> None:
    total = Window(0, 60_000, 0)
    paid: dict[str, Any] = {
        "cost_usd": 0.000042,
        "cost_basis": "measured",
        "tokens_in": 400,
        "tokens_out": 1,
        "tokens_cached": 256,
    }
    total.add([routing_event(route="cloud", cloud_label="neutral", **paid)])
    printed = report_lines(Report(Verdict(events=1, results=1), total, Accuracy(0, None, None, None), 0, 12.5))
    assert missing(CLOUD, "answered on the edge ", "\n".join(printed)) == []


@pytest.fixture
def decisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with `decisions.jsonl`: 4,000 in four seconds, of confidence 0.4 to 1; the cloud has a tenth of them."""
    edge = load_artifact("edge").id
    events = []
    for at in range(4_000):
        confidence = 0.4 + (at * 7 % 4_000) * 0.6 / 4_000
        about: dict[str, Any] = {"event_id": str(at), "edge_confidence": confidence, "recorded_at": NOW + at}
        label = "negative" if at % 300 == 0 else "neutral"
        kept, drawn = replace(EDGE_ANSWER, **about, model=edge), cloud_answer(**about, cloud_label=label)
        events.append(kept if at % 10 else drawn)
    lines = [json.dumps(as_object(event)) + "\n" for event in events]
    (tmp_path / "decisions.jsonl").write_text("".join(lines), "utf-8")
    monkeypatch.chdir(tmp_path)


def commands(page: str, name: str) -> Sequence[str]:
    """The last command of the page's blocks that begins with `name`, as the arguments of `edgewise`."""
    found = [line.split()[1:] for line in read(page).splitlines() if line.startswith(f"    edgewise {name} ")]
    return found[-1]


@pytest.mark.usefixtures("decisions")
def test_what_route_calibrate_and_whatif_print() -> None:
    calibrated = run(*commands(ROUTING, "route calibrate"))
    tried = run(*commands(ROUTING, "whatif"), "--threshold", "0.8", "--policy", "policy.toml")
    no_plot = [line for line in missing(ROUTING, "threshold  to", calibrated) if not re.search(r"\||\+--|^ +0%", line)]
    assert no_plot == []
    assert missing(ROUTING, "2,879 decisions by", tried) == []


def test_a_quote_that_the_command_does_not_print_is_found() -> None:
    printed = "\n".join(quoted(CLOUD, "backend   "))
    assert missing(CLOUD, "backend   ", printed) == []
    assert missing(CLOUD, "backend   ", printed.replace("ms median", "ms in the median")) != []
