"""The routing rules: what the edge keeps and what goes to the cloud, and why. docs/routing.md explains them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, Protocol

from schemas.errors import UsageError
from schemas.records import Reason, Route

Preset = Literal["default", "article"]

KEYWORDS: Final = (
    "frustrated",
    "angry",
    "unacceptable",
    "manager",
    "supervisor",
    "complaint",
    "terrible",
    "awful",
    "disgusted",
    "furious",
)

# A token that ends in one of these ends a sentence: Latin and CJK full stops, exclamation and question marks.
_TERMINATORS: Final = frozenset(".!?…。\uff01\uff1f")
_KEYWORD: Final = re.compile(rf"\b(?:{'|'.join(KEYWORDS)})\b")


class Complexity(NamedTuple):
    """How hard a text looks, 0 to 1, and the four parts it is weighed from, each 0 to 1."""

    total: float
    length: float
    syntax: float
    uncertainty: float
    emotion: float


class Scored(NamedTuple):
    """What a router goes by: an event's id and text, the edge's calibrated confidence, and what was redacted in it."""

    event_id: str
    text: str
    confidence: float  # 0 to 1
    kinds: tuple[str, ...] = ()


class Decision(NamedTuple):
    """Where an event goes, and why."""

    route: Route
    reason: Reason
    complexity: Complexity


class Router(Protocol):
    """Decides what the edge keeps."""

    @property
    def id(self) -> str:
        """`name@version`, as audit events carry it."""

    def decide(self, batch: Sequence[Scored]) -> Sequence[Decision]:
        """A decision for each event of `batch`, in their order. The same event gets the same one at every replay."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The article's rules: complexity first, then confidence, then the random sample."""

    name: str
    version: str
    confidence_threshold: float
    complexity_threshold: float
    random_cloud_rate: float

    @property
    def id(self) -> str:
        """`name@version`, as audit events carry it."""
        return f"{self.name}@{self.version}"

    def changed(
        self,
        *,
        confidence_threshold: float | None = None,
        complexity_threshold: float | None = None,
        random_cloud_rate: float | None = None,
    ) -> "Policy":
        """The policy with the numbers given here in place of its own.

        Its version says so ("1+confidence=0.8"), so that the audit trail tells the two apart.
        """
        numbers = {
            "confidence": confidence_threshold,
            "complexity": complexity_threshold,
            "random": random_cloud_rate,
        }
        given = [f"{key}={_exactly(value)}" for key, value in numbers.items() if value is not None]
        return Policy(
            self.name,
            "+".join([self.version, *given]),
            self.confidence_threshold if confidence_threshold is None else confidence_threshold,
            self.complexity_threshold if complexity_threshold is None else complexity_threshold,
            self.random_cloud_rate if random_cloud_rate is None else random_cloud_rate,
        )

    def decide(self, batch: Sequence[Scored]) -> list[Decision]:
        """A decision for each event of `batch`, in their order; each is taken by itself."""
        return [self._decide(event) for event in batch]

    def _decide(self, event: Scored) -> Decision:
        parts = complexity(event.text, event.confidence)
        if parts.total > self.complexity_threshold:
            return Decision("cloud", "high_complexity", parts)
        if event.confidence < self.confidence_threshold:
            return Decision("cloud", "low_confidence", parts)
        if random_draw(event.event_id) < self.random_cloud_rate:
            return Decision("cloud", "random_cloud", parts)
        return Decision("edge", "optimal_edge", parts)


def policy(
    name: Preset,
    *,
    calibrated_threshold: float | None,
    confidence_threshold: float | None = None,
    complexity_threshold: float | None = None,
    random_cloud_rate: float | None = None,
) -> Policy:
    """The preset called `name`, with the numbers given here in place of its own, see `Policy.changed`.

    `default` takes the edge model's calibrated threshold, 0.75 and a random rate of 0.02; `article` takes 0.90, 0.75
    and 0.05.

    Raises UsageError: `default` without a threshold, neither the model's own nor one given.
    """
    own_confidence, own_rate = (0.90, 0.05) if name == "article" else (calibrated_threshold, 0.02)
    confidence = own_confidence if confidence_threshold is None else confidence_threshold
    if confidence is None:
        raise UsageError(
            "the edge model's manifest has no confidence_threshold (it is a cloud model?): name an edge model, or set "
            "confidence_threshold to a number from 0 to 1"
        )
    return Policy(name, "1", confidence, 0.75, own_rate).changed(
        confidence_threshold=confidence_threshold,
        complexity_threshold=complexity_threshold,
        random_cloud_rate=random_cloud_rate,
    )


def _exactly(value: float) -> str:
    """`value` in six digits, or in as many as tell it from every other number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def complexity(text: str, confidence: float) -> Complexity:
    """0.3 length + 0.3 syntax + 0.2 uncertainty + 0.2 emotion, each capped at 1 (the article's formula).

    Length is characters / 200. Syntax is words per sentence / 15: a word is a run of characters without white space, a
    sentence ends with a word that ends in . ! ? … or their CJK forms, and what follows the last of these is one more,
    so that a text without punctuation is one sentence, and an empty one has no words and syntax 0. Uncertainty is
    1 - |2c - 1| of the edge's confidence c. Emotion is the number of different `KEYWORDS` among the words / 3, whole
    words in any case.
    """
    length = len(text) / 200
    if length > 1:
        length = 1.0
    words = text.split()
    if words:
        sentences = len([word for word in words if word[-1] in _TERMINATORS])
        if words[-1][-1] not in _TERMINATORS:
            sentences += 1
        syntax = len(words) / (15 * sentences)
        if syntax > 1:
            syntax = 1.0
    else:
        syntax = 0.0
    uncertainty = 1 - abs(2 * confidence - 1)
    lowered = text.lower()
    emotion = 0.0
    # Ten substring searches cost a twentieth of the expression, and few texts have any of the words.
    for keyword in KEYWORDS:
        if keyword in lowered:
            emotion = min(1.0, len(set(_KEYWORD.findall(lowered))) / 3)
            break
    total = 0.3 * length + 0.3 * syntax + 0.2 * uncertainty + 0.2 * emotion
    return Complexity(total, length, syntax, uncertainty, emotion)


def random_draw(event_id: str) -> float:
    """A number in [0, 1) that depends on the event's id alone.

    A replay or a retry draws the same; text and confidence have no part in it, so the events it picks are an unbiased
    sample of those that the other rules leave on the edge.
    """
    digest = blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"random_cloud").digest()
    # 53 bits are what a double holds: no draw is rounded up to 1.0, which a rate of 1 would let pass.
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53
