"""Made-up contact-centre messages in the format of a recording, for load tests and for trying redaction.

They come from a few dozen templates, so a model's accuracy on them says nothing about real customers.
"""

import csv
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final, TextIO

from schemas.records import Label
from streams.system.clock import iso

SHARES: Final[Mapping[Label, float]] = {"negative": 0.3, "positive": 0.4, "neutral": 0.3}
ACCOUNT_SHARE: Final = 0.2
"""Share of the messages with a number or address that a redaction should find."""

START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
# Conversations under way at once: enough that their turns interleave, as they do on a real topic.
_OPEN = 12
_LONGEST = 6

_OPENINGS: Final[Mapping[Label, tuple[str, ...]]] = {
    "negative": (
        "I have been waiting {time} and my {thing} is still {fault}.",
        "This is unacceptable, the {thing} was {fault} again.",
        "Your agent hung up on me while I was asking about my {thing}.",
        "I am really frustrated, nobody can tell me why my {thing} is {fault}.",
        "Third call this week about the same {thing}, and it is still {fault}.",
        "You charged me twice for the {thing} and nobody answers my messages.",
        "I want to cancel, I have had enough of a {thing} that is always {fault}.",
    ),
    "positive": (
        "Thank you so much, {name} sorted out my {thing} in {time}.",
        "Great service, the {thing} works perfectly now.",
        "I just wanted to say that {name} was wonderful about my {thing}.",
        "The new {thing} arrived early and I love it.",
        "That was quick, my {thing} is fixed, I really appreciate your help.",
        "Best support I have had in years, thanks for the {thing}.",
        "Perfect, everything about the {thing} is exactly as promised.",
    ),
    "neutral": (
        "Hi, I would like to know when my {thing} will be renewed.",
        "Can you tell me how to change the address for my {thing}?",
        "What are your opening hours on {day}?",
        "I am calling about the {thing} that I ordered on {day}.",
        "Please send me the documents for the {thing}.",
        "Is it possible to move my {thing} to another contract?",
        "I need the terms of the {thing} before {day}.",
    ),
}
_ENDINGS: Final[Mapping[Label, tuple[str, ...]]] = {
    "negative": ("", " It is a disgrace.", " I am very disappointed.", " Sort it out today.", " What a waste of time."),
    "positive": ("", " Keep it up!", " You made my day.", " I will recommend you.", " Thanks again."),
    "neutral": (
        "",
        " I can call back on {day}.",
        " Please let me know.",
        " That is all for now.",
        " It is not urgent.",
    ),
}
_SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "thing": ("router", "invoice", "credit card", "parcel", "subscription", "booking", "phone", "refund", "insurance"),
    "fault": ("broken", "missing", "wrong", "delayed", "blocked"),
    "time": ("ten minutes", "half an hour", "two hours", "three days", "a week"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "name": ("Anna", "Ben", "Chloe", "David", "Elena", "Farid", "Grace"),
}
_SURNAMES: Final = ("baker", "cooper", "fisher", "miller", "parker", "turner")
_COMPANIES: Final = ("Northwind Bank", "Contoso Mobile", "Fabrikam Energy")
_CHANNELS: Final = ("voice", "chat", "email", "social")


@dataclass(frozen=True, slots=True)
class Message:
    """One customer's turn; the columns of the CSV and the fields of the JSON lines, in this order."""

    id: str
    conversation_id: str
    turn: int
    role: str
    channel: str
    language: str
    text: str
    occurred_at: str
    company: str
    label: Label


@dataclass(slots=True)
class _Conversation:
    id: str
    channel: str
    company: str
    turns: int
    turns_taken: int = 0


def messages(count: int, seed: int) -> Iterator[Message]:
    """`count` messages, oldest first; the same for the same `seed`, one taken at a time in constant memory.

    Each message's label is drawn by itself, by `SHARES`; so is whether it holds a number, by `ACCOUNT_SHARE`.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing secret, and it must be repeatable
    started, at = 0, START
    under_way: list[_Conversation] = []
    for number in range(1, count + 1):
        while len(under_way) < _OPEN:
            started += 1
            under_way.append(
                _Conversation(
                    f"synthetic-{seed}-{started}",
                    rng.choice(_CHANNELS),
                    rng.choice(_COMPANIES),
                    rng.randint(1, _LONGEST),
                )
            )
        talk = rng.choice(under_way)
        talk.turns_taken += 1
        if talk.turns_taken == talk.turns:
            under_way.remove(talk)
        at += timedelta(seconds=rng.randint(0, 3))
        label = rng.choices(list(SHARES), list(SHARES.values()))[0]
        yield Message(
            id=f"synthetic-{seed}-message-{number}",
            conversation_id=talk.id,
            turn=talk.turns_taken,
            role="customer",
            channel=talk.channel,
            language="en",
            text=_text(label, rng),
            occurred_at=iso(round(at.timestamp() * 1000)),
            company=talk.company,
            label=label,
        )


def write_csv(rows: Iterable[Message], out: TextIO) -> None:
    """Writes `rows` with a header."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(Message)])
    writer.writerows(asdict(row).values() for row in rows)


def write_jsonl(rows: Iterable[Message], out: TextIO) -> None:
    """Writes `rows` as one JSON object a line."""
    out.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)


def passes_luhn(digits: str) -> bool:
    """Whether a number's last digit checks the others, as every payment card's does (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _text(label: Label, rng: random.Random) -> str:
    text = rng.choice(_OPENINGS[label]) + rng.choice(_ENDINGS[label])
    text = text.format(**{slot: rng.choice(words) for slot, words in _SLOTS.items()})
    return f"{text} {_number(rng)}" if rng.random() < ACCOUNT_SHARE else text


def _number(rng: random.Random) -> str:
    """A sentence with what looks like personal data and can be nobody's."""
    kind = rng.choice(("account", "card", "phone", "email"))
    if kind == "account":
        return f"My account number is {_digits(rng, 4)}-{_digits(rng, 4)}-{_digits(rng, 2)}."
    if kind == "card":
        card = f"4{_digits(rng, 15)}"
        if passes_luhn(card):  # another last digit fails the check: no bank can have issued this number
            card = card[:-1] + str((int(card[-1]) + 1) % 10)
        return f"The card is {card[:4]} {card[4:8]} {card[8:12]} {card[12:]}."
    if kind == "phone":
        # 555-0100 to 555-0199 are kept for fiction in North America.
        return f"Call me on ({rng.choice((206, 212, 305, 415))}) 555-01{_digits(rng, 2)}."
    # example.com is kept for documentation (RFC 2606).
    return f"Write to {rng.choice(_SLOTS['name']).lower()}.{rng.choice(_SURNAMES)}{_digits(rng, 2)}@example.com."


def _digits(rng: random.Random, count: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(count))
