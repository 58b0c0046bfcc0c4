"""Labelled contact-centre texts made from the grammar: the kinds of turns that tweets lack, for training.

Their labels follow `docs/labels.md`. The behaviour suite measures what is learned from them: a test holds that no
generated text is one of its items and that they share next to no wording.
"""

import math
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from schemas.records import Channel, Role
from training.data.grammar import Grammar, GrammarError, Start, load
from training.data.suite import Expected
from training.data.surface import as_speech, swap_letters

_KINDS_TRIED: Final = 50
"""Kinds drawn for each text that is wanted before the grammar is called too small."""

_TEXTS_TRIED: Final = 50
"""Texts drawn of a kind before another one has its turn."""


@dataclass(frozen=True, slots=True)
class Made:
    """A generated text, and what it was made as."""

    id: str
    turn: str
    """The text before it was written or spoken in some way."""
    text: str
    label: Expected
    kind: str
    role: Role
    channel: Channel


def generate(count: int, seed: int, grammar: Grammar | None = None) -> list[Made]:
    """`count` different texts, the same for a `seed`: of each kind about as many, and more of a start that has more.

    A start counts by the root of its number of texts: turns that were written one by one are a thousand where templates
    are ten, and each of the thousand is to be drawn, but templates draw on lists and have more than one text each.

    Raises GrammarError: the grammar has not so many.
    """
    grammar = grammar or load()
    rng = random.Random(seed)
    kinds = [(starts, [math.sqrt(len(start.texts)) for start in starts]) for starts in grammar.kinds.values()]
    made: list[Made] = []
    seen: set[str] = set()
    for _ in range(_KINDS_TRIED * count):
        if len(made) == count:
            break
        starts, weights = rng.choice(kinds)
        for _ in range(_TEXTS_TRIED):
            (start,) = rng.choices(starts, weights)
            turn = _sentence(grammar, start, rng)
            channel, text = _surface(start, turn, grammar, rng)
            if (key := " ".join(text.casefold().split())) not in seen:
                seen.add(key)
                made.append(Made(f"made-{seed}-{len(made)}", turn, text, start.label, start.kind, start.role, channel))
                break
    if len(made) < count:
        raise GrammarError(f"the grammar makes about {len(made):,} different texts, not {count:,}: ask for fewer")
    return made


Style = Callable[[str, Grammar, random.Random], str]


def _plain(text: str, _: Grammar, __: random.Random) -> str:
    return _capitals(text)


def _chat(text: str, _: Grammar, rng: random.Random) -> str:
    text = text.lower().rstrip(".")
    if rng.random() < 0.4:
        text = text.replace("'", "")
    if rng.random() < 0.2:
        text = swap_letters(text, rng) or text
    return text


def _speech(text: str, _: Grammar, rng: random.Random) -> str:
    return as_speech(text, rng if rng.random() < 0.6 else None) or text


def _mail(text: str, grammar: Grammar, rng: random.Random) -> str:
    parts = ["{mail_hello}", _capitals(text), "{mail_end}\n{name}"]
    if rng.random() < 0.3:
        parts.append("{mail_foot}")
    if rng.random() < 0.3:
        # What is quoted is somebody else's, of any label: it must not decide.
        quoted = _sentence(grammar, rng.choice(grammar.starts), rng)
        parts.append("{mail_quote}\n" + "\n".join(f"> {line}" for line in _capitals(quoted).split("\n")))
    return "\n\n".join(grammar.expand(part, rng) for part in parts)


def _post(text: str, grammar: Grammar, rng: random.Random) -> str:
    return grammar.expand("{handle} ", rng) + text + (grammar.expand(" {hashtag}", rng) if rng.random() < 0.3 else "")


def _caption(text: str, _: Grammar, rng: random.Random) -> str:
    second = rng.randrange(3600)
    at = f"{second // 60:02}:{second % 60:02}"
    form = rng.choice(
        (
            "[{at}] {text}",
            "{at} - {text}",
            "<v Speaker {n}>{text}</v>",
            "{n}\n00:{at},000 --> 00:{at},900\n{text}",
            "SPK{n}: {text}",
        )
    )
    return form.format(at=at, n=rng.randint(1, 9), text=_capitals(text))


def _letters(text: str, _: Grammar, rng: random.Random) -> str:
    way = rng.randrange(5)
    if way == 0:
        return text.upper()
    if way == 1:
        return f"<p>{_capitals(text)}</p>"
    if way == 2:
        return _capitals(text).replace("&", "&amp;").replace("'", "&#39;")
    if way == 3:
        return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
    bold = {
        char: unicodedata.lookup(f"MATHEMATICAL BOLD SMALL {char.upper()}") for char in "abcdefghijklmnopqrstuvwxyz"
    }
    return "".join(bold.get(char, char) for char in text.lower())


STYLES: Final[tuple[tuple[Channel, Style, int], ...]] = (
    ("chat", _plain, 30),
    ("chat", _chat, 25),
    ("voice", _speech, 18),
    ("email", _mail, 12),
    ("social", _post, 6),
    ("voice", _caption, 6),
    ("chat", _letters, 3),
)
"""The channels and ways in which a text is written or spoken, and of a hundred texts how many are."""


def _surface(start: Start, text: str, grammar: Grammar, rng: random.Random) -> tuple[Channel, str]:
    if start.style == "none":
        return "chat", text
    ((channel, style, _),) = rng.choices(STYLES, [share for *_, share in STYLES])
    if (channel == "social" and start.role != "customer") or (channel == "email" and start.role in ("bot", "system")):
        channel, style = "chat", _plain
    return channel, style(text, grammar, rng)


def _sentence(grammar: Grammar, start: Start, rng: random.Random) -> str:
    text = grammar.expand(rng.choice(start.texts), rng)
    # "a office chair": the lists do not know what stands before them.
    text = re.sub(r"\b([Aa]) (?=[aeio](?!ne\b|nce\b|u))", r"\1n ", text)
    return re.sub(r"(?<=[.!?])[.](?!\.)(?<!\.\.)", "", text).strip()


def _capitals(text: str) -> str:
    return re.sub(r"(?:^|(?<=[.!?] )|(?<=\n))[a-z]", lambda match: match[0].upper(), text)
