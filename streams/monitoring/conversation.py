"""What the scored turns of one conversation say: by party, by quarter, and how likely it is to escalate."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, Self

from models.escalation import EscalationModel, ScoredTurn
from schemas.records import Channel, ConversationState, ConversationStatus, Label, Role, SentimentResult

# Each takes 15 bytes of the state, which is written anew with every batch that changes it: 500 are some 8 KB, and two
# hours of talk. What was said before them counts on in turns and mean_score alone.
DETAILED_TURNS = 500

OVERALL = "overall"
"""The name under which the figures of all turns together stand, beside the roles'."""


class Turn(NamedTuple):
    """A scored turn. Turns compare by their place; of two answers for one the later compares as the greater."""

    number: int
    role: Role
    scored_at: int
    label: Label
    score: int  # in thousandths: the probability of positive less that of negative


class Figures(NamedTuple):
    """What a party's turns say, see the schema of `conversations`."""

    turns: int
    mean_score: float
    quarters: tuple[float | None, ...]
    slope: float
    negative_run: int
    last_label: Label | None  # None: all its turns are earlier than the last `DETAILED_TURNS`


class Conversation:
    """The state of one conversation. It does not depend on the order in which the results of its turns are added.

    Of two results for the same turn of the same party the one scored later counts, whichever comes first. The last
    `DETAILED_TURNS` turns are known one by one. A result for a turn before those counts as a new turn, for whether it
    came before is no longer known.
    """

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.status: ConversationStatus = "open"
        self.escalated_at: int | None = None
        self.partition = 0  # of `sentiment`, that the last result added came from
        self.updated_at = 0  # when it was last written
        self.is_alarming = False  # it has escalated, and as it was last written the alert of that is firing
        self._channel: Channel = "unknown"
        self._source = ""
        self._started_at = self._last_turn_at = 0
        self._turns: list[Turn] = []  # in order
        self._earlier_turns: Counter[str] = Counter()
        self._earlier_scores: Counter[str] = Counter()

    def add(self, result: SentimentResult, partition: int) -> None:
        """Count `result`, which came from `partition` of `sentiment`."""
        turn = Turn(result.turn, result.role, result.scored_at, result.label, score_of(result))
        empty = not self._turns
        self._started_at = result.occurred_at if empty else min(self._started_at, result.occurred_at)
        self._last_turn_at = result.occurred_at if empty else max(self._last_turn_at, result.occurred_at)
        self.partition = partition
        self._put(turn)
        if self._turns[-1] == turn:  # the latest turn says where the conversation is, and whether it is over
            self._channel, self._source = result.channel, result.source
            self.status = "ended" if result.last else "open"

    def _put(self, turn: Turn) -> None:
        place = bisect_left(self._turns, turn[:2], key=lambda held: held[:2])
        if place < len(self._turns) and self._turns[place][:2] == turn[:2]:
            self._turns[place] = max(self._turns[place], turn)
            return
        insort(self._turns, turn)
        if len(self._turns) > DETAILED_TURNS:
            first = self._turns.pop(0)
            self._earlier_turns[first.role] += 1
            self._earlier_scores[first.role] += first.score

    def figures(self) -> dict[str, Figures]:
        """The figures of each party by its role, and those of all turns under `OVERALL`."""
        quarter = {turn[:2]: place * 4 // len(self._turns) for place, turn in enumerate(self._turns)}
        roles = sorted({turn.role for turn in self._turns} | self._earlier_turns.keys())
        found = {}
        for name in (*roles, OVERALL):
            turns = [turn for turn in self._turns if name in (turn.role, OVERALL)]
            earlier = self._earlier_turns.total() if name == OVERALL else self._earlier_turns[name]
            earlier_score = self._earlier_scores.total() if name == OVERALL else self._earlier_scores[name]
            scores = [turn.score for turn in turns]
            count = earlier + len(turns)
            found[name] = Figures(
                turns=count,
                mean_score=(earlier_score + sum(scores)) / count / 1000,
                quarters=_quarters(scores, [quarter[turn[:2]] for turn in turns]),
                slope=_slope(scores),
                negative_run=_negative_run([turn.label for turn in turns]),
                last_label=turns[-1].label if turns else None,
            )
        return found

    def to_record(self, model: EscalationModel, threshold: float, updated_at: int) -> ConversationState:
        """The record for `conversations`, written at `updated_at` (UTC milliseconds).

        The first time that the risk by `model` is `threshold` or more is kept in `escalated_at`. From then on it is
        alarming, until it is over; where that was its last turn, until it is written for the next time.
        """
        risk = model.assess([ScoredTurn(turn.role, turn.score) for turn in self._turns])
        escalates = self.escalated_at is None and risk.value >= threshold
        if escalates:
            self.escalated_at = updated_at
        self.is_alarming = escalates or (self.is_alarming and self.status == "open")
        self.updated_at = updated_at
        figures = self.figures()
        return ConversationState(
            conversation_id=self.conversation_id,
            status=self.status,
            channel=self._channel,
            source=self._source,
            started_at=self._started_at,
            last_turn_at=self._last_turn_at,
            updated_at=updated_at,
            turns={name: of.turns for name, of in figures.items()},
            mean_score={name: of.mean_score for name, of in figures.items()},
            quarters={name: of.quarters for name, of in figures.items()},
            slope={name: of.slope for name, of in figures.items()},
            negative_run={name: of.negative_run for name, of in figures.items()},
            last_label={name: of.last_label for name, of in figures.items() if of.last_label is not None},
            risk=risk.value,
            risk_reasons=risk.reasons,
            risk_model=model.id,
            escalated_at=self.escalated_at,
            partition=self.partition,
            turn_numbers=tuple(turn.number for turn in self._turns),
            turn_roles=tuple(turn.role for turn in self._turns),
            turn_labels=tuple(turn.label for turn in self._turns),
            turn_scores=tuple(turn.score for turn in self._turns),
            turn_times=tuple(turn.scored_at for turn in self._turns),
            earlier_turns=dict(sorted(self._earlier_turns.items())),
            earlier_scores=dict(sorted(self._earlier_scores.items())),
        )

    @classmethod
    def from_record(cls, record: ConversationState) -> Self:
        """The conversation that `record` was made from. Raises `ValueError` when its turns do not fit together."""
        found = cls(record.conversation_id)
        found.status, found.escalated_at = record.status, record.escalated_at
        found._channel, found._source = record.channel, record.source
        found._started_at, found._last_turn_at = record.started_at, record.last_turn_at
        found.partition, found.updated_at = record.partition, record.updated_at
        columns = record.turn_numbers, record.turn_roles, record.turn_times, record.turn_labels, record.turn_scores
        found._turns = [Turn(*values) for values in zip(*columns, strict=True)]
        if not found._turns:
            raise ValueError("it has no turns")
        is_new = record.escalated_at == record.updated_at
        found.is_alarming = record.escalated_at is not None and (record.status == "open" or is_new)
        found._earlier_turns.update(record.earlier_turns)
        found._earlier_scores.update(record.earlier_scores)
        return found


def score_of(result: SentimentResult) -> int:
    """A turn's score in thousandths: the probability of positive less that of negative."""
    return round((result.positive - result.negative) * 1000)


def _quarters(scores: Sequence[int], quarters: Sequence[int]) -> tuple[float | None, ...]:
    """The mean of the scores in each quarter, on Contact Lens's scale of -5 to 5; None for a quarter without any."""
    found: list[float | None] = []
    for quarter in range(4):
        within = [score for score, place in zip(scores, quarters, strict=True) if place == quarter]
        found.append(5 * sum(within) / len(within) / 1000 if within else None)
    return tuple(found)


def _slope(scores: Sequence[int]) -> float:
    """The slope of the least-squares line through the scores by their place, per place; 0 for a single one."""
    n = len(scores)
    if n < 2:
        return 0.0
    places = n * (n - 1) // 2
    squares = (n - 1) * n * (2 * n - 1) // 6
    products = sum(place * score for place, score in enumerate(scores))
    return (n * products - places * sum(scores)) / (n * squares - places * places) / 1000


def _negative_run(labels: Sequence[Label]) -> int:
    return max((sum(1 for _ in run) for label, run in groupby(labels) if label == "negative"), default=0)
