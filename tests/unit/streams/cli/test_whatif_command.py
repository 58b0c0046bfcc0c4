"""`edgewise whatif`: its table and its JSON say what the outcomes are, and what is unknown."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from streams.cli import main as cli
from tests.decisions import EDGE_ANSWER, NOW, as_object, cloud_answer

HOUR_MS = 3_600_000


def whatif(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["whatif", *arguments])


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    """A day of 2,400 decisions of confidence 0.5 to 1; the cloud has 300 of them, and disagrees under 0.6."""
    events = []
    for at in range(2_400):
        confidence, when = 0.5 + at / 4_800, NOW + at * HOUR_MS // 100
        kept = replace(EDGE_ANSWER, event_id=str(at), edge_confidence=confidence, recorded_at=when)
        label = "negative" if confidence < 0.6 else "neutral"
        drawn = cloud_answer(event_id=str(at), edge_confidence=confidence, recorded_at=when, cloud_label=label)
        events.append(kept if at % 8 else drawn)
    events.append(replace(events[1], reason="cloud_error", degraded=True, recorded_at=NOW + 24 * HOUR_MS))
    path = tmp_path / "decisions.jsonl"
    path.write_text("".join(json.dumps(as_object(event)) + "\n" for event in events), "utf-8")
    return str(path)


def test_json_has_every_outcome_and_the_best(recorded: str) -> None:
    done = whatif(
        recorded, "--threshold", "0.75", "--random-rate", "0", "--at-least-agreement", "0.95", "--policy", "article",
        "--events-per-day", "1000", "--cloud-price", "0.01", "--edge-price", "0", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["recorded"]["decisions"] == 2_401
    assert (told["recorded"]["policy"], told["recorded"]["unanswered"]) == ("default@1", 1)
    by_policy = {each["policy"]: each for each in told["outcomes"]}
    assert set(by_policy) == {"article@1", "default@1+random=0", "default@1+random=0+confidence=0.75"}
    half = by_policy["default@1+random=0+confidence=0.75"]
    assert half["edge_share"] == pytest.approx(0.5, abs=0.001)
    assert half["usd_per_day"] == pytest.approx(5, abs=0.01)
    assert (half["kept_agreement"], half["known"]) == (1.0, 150)
    assert by_policy["article@1"]["random_cloud_rate"] == 0.05
    assert 0.55 < told["best"]["confidence_threshold"] < 0.6
    assert told["best"]["kept_agreement_interval"][0] > 0.94


def test_a_price_book_says_what_calls_cost(recorded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = tmp_path / "prices.toml"
    book.write_text(
        'dated = 2026-01-31\n[[price]]\nmodel = "m"\ninput = 2\noutput = 4\n[[price]]\nmodel = "c"\ncall = 0.5\n'
        '[[price]]\nmodel = "s"\nsecond = 1\n[[price]]\nmodel = "b"\ninput = 2\noutput = 4\ncall = 0.01\n', "utf-8"
    )  # fmt: skip
    monkeypatch.setenv("EDGEWISE_PRICES", str(book))
    assert json.loads(whatif(recorded, "--price-of", "c", "--json").output)["mean_cloud_usd"] == 0.5
    lines = [json.loads(line) for line in Path(recorded).read_text("utf-8").splitlines()]
    counted = [each | {"tokens_in": 100, "tokens_out": 5} for each in lines if each["route"] == "cloud"]
    Path(recorded).write_text("".join(json.dumps(each) + "\n" for each in [*lines, *counted]), "utf-8")
    assert json.loads(whatif(recorded, "--price-of", "m", "--json").output)["mean_cloud_usd"] == pytest.approx(220e-6)
    both = json.loads(whatif(recorded, "--price-of", "b", "--json").output)["mean_cloud_usd"]
    assert both == pytest.approx(0.01 + 220e-6)
    with pytest.raises(UsageError, match="paid by the second"):
        raise whatif(recorded, "--price-of", "s").exception or AssertionError


def test_the_table_says_what_is_unknown_and_how_far_the_budget_goes(recorded: str, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    done = whatif(recorded, "--budget-per-day", "1", "--at-most-usd-per-day", "30", "--plot", str(plot))
    assert done.exit_code == 0, done.output
    assert "a day: 2,401 events, as in the 1.0 days recorded" in done.output
    assert "budget spent for" in done.output
    assert "best: confidence_threshold" in done.output
    assert "known: of" in done.output
    assert "1 events that the cloud was asked about and did not answer" in done.output
    assert "default@1" in done.output
    assert plot.read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--input-price", "1"), "belong together"),
        (("--input-price", "1", "--output-price", "1", "--cloud-price", "1"), "a call has one price"),
        (("--cached-price", "1"), "--cached-price goes with --input-price"),
        (("--cached-price", "1", "--price-of", "gpt-4o-mini"), "--cached-price goes with --input-price"),
        (("--price-of", "gpt-4o-mini", "--cloud-price", "1"), "a call has one price"),
        (("--price-of", "gpt-4o-mini"), "no recorded answer says how many tokens"),
        (("--price-of", "nobodys"), "no price book has it"),
        (("--input-price", "1", "--output-price", "1"), "no recorded answer says how many tokens"),
        (("--at-most-usd-per-day", "0.01"), r"no threshold costs 0\.01 dollars a day"),
        (("--at-least-agreement", "0.999"), "at least are needed"),
        (("--policy", "defualt"), "the policy defualt can't be read: No such file"),
        (("--until", "2025-11-24T16:00:00.100Z"), "all decisions have the same time"),
    ],
)
def test_what_cannot_be_done_is_said(recorded: str, arguments: tuple[str, ...], says: str) -> None:
    done = whatif(recorded, *arguments)
    with pytest.raises(UsageError, match=says):
        raise done.exception or AssertionError(done.output)
