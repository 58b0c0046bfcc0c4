import io
import itertools
import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli.commands.samples import samples
from streams.files.recorded_event import recorded_events
from streams.files.recording import digest, read_recording
from streams.files.synthetic import ACCOUNT_SHARE, SHARES, Message, messages, passes_luhn, write_csv, write_jsonl

COUNT = 20_000
MADE = list(messages(COUNT, seed=7))

ACCOUNT = r"\b\d{4}-\d{4}-\d{2}\b"
CARD = r"\b\d{4} \d{4} \d{4} \d{4}\b"
PHONE = r"\(\d{3}\) 555-01\d{2}\b"
EMAIL = r"\b[a-z]+\.[a-z]+\d{2}@example\.com\b"


def within(seen: int, share: float) -> bool:
    """Whether `seen` of COUNT is within four standard deviations of the binomial: one draw in 16,000 is not."""
    return abs(seen - COUNT * share) <= 4 * math.sqrt(COUNT * share * (1 - share))


def csv_of(rows: list[Message]) -> str:
    out = io.StringIO()
    write_csv(rows, out)
    return out.getvalue()


def test_labels_have_the_shares_that_are_promised() -> None:
    assert SHARES == {"negative": 0.3, "positive": 0.4, "neutral": 0.3}
    counts = Counter(message.label for message in MADE)
    assert set(counts) == set(SHARES)
    assert all(within(counts[label], share) for label, share in SHARES.items())


def test_a_fifth_hold_a_number_of_one_of_the_kinds() -> None:
    assert ACCOUNT_SHARE == 0.2
    kinds = [sum(bool(re.search(kind, message.text)) for message in MADE) for kind in (ACCOUNT, CARD, PHONE, EMAIL)]
    assert all(within(kind, 0.05) for kind in kinds)
    assert sum(kinds) == sum(bool(re.search(r"\d", message.text)) for message in MADE)
    assert within(sum(kinds), 0.2)


def test_no_card_number_can_be_real() -> None:
    cards = [found.replace(" ", "") for message in MADE for found in re.findall(CARD, message.text)]
    assert len(cards) > 100
    assert not any(passes_luhn(card) for card in cards)


@pytest.mark.parametrize(
    ("number", "valid"), [("4111111111111111", True), ("79927398713", True), ("79927398710", False)]
)
def test_the_check_digit_is_that_of_payment_cards(number: str, valid: bool) -> None:
    assert passes_luhn(number) is valid


def test_the_same_seed_gives_the_same_bytes_and_a_longer_run_begins_alike() -> None:
    assert csv_of(list(messages(COUNT, seed=7))) == csv_of(MADE)
    assert csv_of(list(messages(COUNT, seed=8))) != csv_of(MADE)
    assert list(messages(50, seed=7)) == MADE[:50]


def test_conversations_have_turns_in_order_and_interleave() -> None:
    assert len({message.id for message in MADE}) == COUNT
    assert [message.occurred_at for message in MADE] == sorted(message.occurred_at for message in MADE)
    turns: dict[str, list[Message]] = defaultdict(list)
    for message in MADE:
        turns[message.conversation_id].append(message)
    for said in turns.values():
        assert [message.turn for message in said] == list(range(1, len(said) + 1))
        assert len({(message.channel, message.company) for message in said}) == 1
    assert max(map(len, turns.values())) > 3
    assert any(
        one.conversation_id != other.conversation_id and other.turn > 1 for one, other in itertools.pairwise(MADE)
    )


def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(samples)
    return made


@pytest.mark.parametrize("name", ["made.csv", "made.jsonl"])
def test_what_the_command_writes_can_be_replayed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert CliRunner().invoke(app(), ["--count", "40", "--seed", "7", "--output", str(path)]).exit_code == 0
    events = [event for _, event in recorded_events(read_recording(path), path, digest(path), {}, lambda: 0)]
    assert [event.event_id for event in events] == [message.id for message in MADE[:40]]
    for event, message in zip(events, MADE, strict=False):
        assert (event.conversation_id, event.turn) == (message.conversation_id, message.turn)
        assert (event.role, event.channel, event.language) == ("customer", message.channel, "en")
        assert event.text == message.text
        assert event.occurred_at > 0
        assert event.attributes == {"company": message.company, "label": message.label}


def test_the_format_can_be_asked_for() -> None:
    done = CliRunner().invoke(app(), ["--count", "3", "--format", "jsonl"])
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [
        f"synthetic-1-message-{n}" for n in (1, 2, 3)
    ]
    assert CliRunner().invoke(app(), ["--count", "0"]).exit_code == 2


def test_the_help_says_what_it_is_not_for() -> None:
    words = " ".join(CliRunner().invoke(app(), ["--help"]).stdout.replace("│", " ").split())
    assert "never for claims about accuracy" in words


def test_json_lines_have_the_columns_of_the_csv() -> None:
    out = io.StringIO()
    write_jsonl(MADE[:1], out)
    assert list(json.loads(out.getvalue())) == csv_of(MADE[:1]).splitlines()[0].split(",")
