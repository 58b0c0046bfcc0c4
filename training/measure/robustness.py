"""Behavioural tests of a classifier, in the sense of CheckList (Ribeiro et al. 2020, ACL).

*Invariance*: a change that no reader minds must not change the label. *Directional*: a clear sentence appended must not
move the text the other way. *Minimum functionality*: simple sentences, written by hand in `robustness_cases.toml`, must
be right. The first two take the texts of dev; the right label of a text does not matter to them.
"""

import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from schemas.records import LABELS
from training.data.surface import as_speech, swap_letters
from training.measure.figures import Scores

CASES = Path(__file__).with_name("robustness_cases.toml")

TOLERANCE = 0.1
"""How far P(positive) - P(negative) may move the wrong way: CheckList's own allowance."""

NEGATIVE = (
    "This is the worst service I have ever had.",
    "I am really angry about this.",
    "What a terrible experience.",
)
POSITIVE = (
    "This is the best service I have ever had.",
    "I am really happy about this.",
    "What a wonderful experience.",
)
FITTING = {"negative": ("😡", "👎"), "neutral": ("📞", "🗓️"), "positive": ("😊", "👍")}
NEUTRAL = ("📞", "✈️", "🗓️")

Change = Callable[[str, random.Random], str | None]
"""Changes a text; the generator gives the chance in it. None: the change does not fit that text."""

Score = Callable[[Sequence[str]], Scores]
Result = dict[str, object]


@dataclass(frozen=True, slots=True)
class Group:
    """Hand-written texts and the answers that pass."""

    what: str
    expect: tuple[str, ...]
    texts: tuple[str, ...]


def read_cases(path: Path = CASES) -> list[Group]:
    """The groups of the cases file."""
    return [
        Group(group["what"], tuple(group["expect"]), tuple(group["texts"]))
        for group in tomllib.loads(path.read_text("utf-8"))["group"]
    ]


CHANGES: Mapping[str, Change] = {
    "upper case": lambda text, _: text.upper(),
    "two adjacent letters swapped in one word": swap_letters,
    "two adjacent letters swapped in three words": lambda text, rng: swap_letters(text, rng, 3),
    "an emoji without sentiment appended": lambda text, rng: f"{text} {rng.choice(NEUTRAL)}",
    "a handle in front": lambda text, rng: f"@{rng.choice(('support', 'JoanaP', 'care_team'))} {text}",
    "a link appended": lambda text, rng: f"{text} https://example.com/{rng.randrange(10**6)}",
    "as speech recognition writes it (lower case, no punctuation)": lambda text, _: as_speech(text),
    "the same with filler words": as_speech,
}


def run(score: Score, texts: Sequence[str]) -> list[Result]:
    """`test`, `what`, `cases`, `passed` and `pass_rate` of every test on a classifier's `score`.

    `texts` are those that invariance and direction are tried on: dev's, never the test set's.
    """
    base = score(texts)
    return [*_invariance(score, texts, base), *_direction(score, texts, base), *_function(score)]


def _invariance(score: Score, texts: Sequence[str], base: Scores) -> Iterator[Result]:
    answers = base.argmax(axis=1)
    for what, change in CHANGES.items():
        changed = {at: new for at, text in enumerate(texts) if (new := change(text, _random(what, text))) is not None}
        same = score(list(changed.values())).argmax(axis=1) == answers[list(changed)]
        yield _result("invariance", what, same)
    fitting = [
        f"{text} {_random('fitting', text).choice(FITTING[LABELS[answer]])}"
        for text, answer in zip(texts, answers, strict=True)
    ]
    yield _result("invariance", "an emoji that fits the answer appended", score(fitting).argmax(axis=1) == answers)


def _direction(score: Score, texts: Sequence[str], base: Scores) -> Iterator[Result]:
    for what, sentences, sign in (
        ("a clearly negative sentence appended", NEGATIVE, -1),
        ("a clearly positive sentence appended", POSITIVE, 1),
    ):
        changed = score([f"{text} {_random(what, text).choice(sentences)}" for text in texts])
        yield _result("directional", what, sign * (_valence(changed) - _valence(base)) >= -TOLERANCE)


def _function(score: Score) -> Iterator[Result]:
    for group in read_cases():
        allowed = [LABELS.index(label) for label in group.expect]
        yield _result("minimum functionality", group.what, np.isin(score(group.texts).argmax(axis=1), allowed))


def _valence(probabilities: Scores) -> Scores:
    return np.asarray(probabilities[:, LABELS.index("positive")] - probabilities[:, LABELS.index("negative")])


def _random(what: str, text: str) -> random.Random:
    # Seeded by the text, so that a text is changed in the same way whatever other texts there are.
    return random.Random(sha256(f"{what}\n{text}".encode("utf-8", "replace")).digest())


def _result(test: str, what: str, passed: np.ndarray) -> Result:
    count = int(passed.sum())
    return {
        "test": test,
        "what": what,
        "cases": len(passed),
        "passed": count,
        "pass_rate": count / len(passed) if len(passed) else None,
    }
