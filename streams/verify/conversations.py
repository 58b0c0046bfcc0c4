"""The recount of conversations: what `conversations` says of each must be what the results of its turns say.

By the words of the schema and not by the agent's code.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from schemas.records import LABELS, ConversationState, Label, Role, SentimentResult

# Turns that two parties number alike stand in the order of the roles' names.
_ROLES: Final = tuple(sorted(get_args(Role)))
_ROLE: Final[Mapping[Role, int]] = {role: number for number, role in enumerate(_ROLES)}
_LABEL: Final[Mapping[Label, int]] = {label: number for number, label in enumerate(LABELS)}


class _Party(NamedTuple):
    """What a party's turns come to: how many, the sum of their scores in thousandths, the last one's label."""

    turns: int
    scores: int
    last_label: Label


class _Recounted(NamedTuple):
    parties: dict[str, _Party]  # by role
    has_ended: bool  # its last turn was marked as the last
    has_repeats: bool  # a turn has several results


class Recount:
    """Every result, in arrays: 30 bytes each, and the ids of the conversations."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._conversation = array("i")
        self._turn = array("q")
        self._role = array("b")
        self._scored_at = array("q")
        self._label = array("b")
        self._score = array("h")
        self._is_last = array("b")

    def add(self, result: SentimentResult) -> None:
        """Count a result that the conversation agent did not refuse."""
        self._conversation.append(self._number.setdefault(result.conversation_id, len(self._number)))
        self._turn.append(result.turn)
        self._role.append(_ROLE[result.role])
        self._scored_at.append(result.scored_at)
        self._label.append(_LABEL[result.label])
        self._score.append(round(1000 * (result.positive - result.negative)))
        self._is_last.append(result.last)

    def differences(self, states: Iterable[ConversationState]) -> Iterator[str]:
        """What of `states`, the latest of each conversation, is not so, and which conversations have none."""
        turns = self._by_conversation()
        is_missing = np.ones(len(self._number), np.bool_)
        for state in states:
            number = self._number.get(state.conversation_id)
            if number is None or not is_missing[number]:
                yield f"{state.conversation_id}: there is no result of it, or two states"
                continue
            is_missing[number] = False
            found = self._recounted(turns.kept[turns.starts[number] : turns.starts[number + 1]], turns.results[number])
            yield from (f"{state.conversation_id}: {what}" for what in _compared(state, found))
        yield from (f"{name}: no state" for name, number in self._number.items() if is_missing[number])

    def _by_conversation(self) -> "_Turns":
        conversation, turn, role = (np.asarray(column) for column in (self._conversation, self._turn, self._role))
        scored_at, label, score = (np.asarray(column) for column in (self._scored_at, self._label, self._score))
        order = np.lexsort((score, label, scored_at, role, turn, conversation))
        is_final = np.ones(len(order), np.bool_)  # of several results for a turn the last
        for column in (conversation, turn, role):
            is_final[:-1] &= column[order[1:]] == column[order[:-1]]
        is_final[:-1] ^= True
        kept = order[is_final]
        starts = np.searchsorted(conversation[kept], np.arange(len(self._number) + 1))
        return _Turns(kept, starts, np.bincount(conversation, minlength=len(self._number)))

    def _recounted(self, rows: NDArray[np.int64], results: int) -> _Recounted:
        """What the results at `rows` come to, one a turn; `results` are all that there were."""
        role, score, label = (np.asarray(column)[rows] for column in (self._role, self._score, self._label))
        return _Recounted(dict(_parties(role, score, label)), bool(self._is_last[rows[-1]]), results > len(rows))


class _Turns(NamedTuple):
    """Where the results are that count: `kept` by conversation and turn, of conversation n from `starts[n]` on."""

    kept: NDArray[np.int64]
    starts: NDArray[np.int64]
    results: NDArray[np.int64]  # of each conversation, repeated ones too


def _parties(
    roles: NDArray[np.int8], scores: NDArray[np.int16], labels: NDArray[np.int8]
) -> Iterator[tuple[str, _Party]]:
    for role in np.unique(roles).tolist():
        own = roles == role
        yield _ROLES[role], _Party(int(own.sum()), int(scores[own].sum(dtype=np.int64)), LABELS[int(labels[own][-1])])


def _compared(state: ConversationState, found: _Recounted) -> Iterator[str]:
    turns = sum(party.turns for party in found.parties.values())
    if found.has_repeats and state.earlier_turns:
        return  # a late answer for one of the turns that are only summed up counts twice, as the schema says
    if found.has_ended != (state.status == "ended"):
        yield f"its status is {state.status}, its last turn was {'' if found.has_ended else 'not '}marked as the last"
    if state.turns.get("overall", 0) != turns:
        yield f"it has {state.turns.get('overall', 0)} turns, its results have {turns}"
    if state.turns.keys() - {"overall"} != found.parties.keys():
        yield f"its parties are {', '.join(sorted(state.turns))}, of its results {', '.join(sorted(found.parties))}"
        return
    for role, party in found.parties.items():
        if state.turns[role] != party.turns:
            yield f"{role} has {state.turns[role]} turns, in the results {party.turns}"
        elif abs(1000 * party.turns * state.mean_score.get(role, 2.0) - party.scores) > 0.5:
            yield f"{role}'s scores are not those of the results"
        elif state.last_label.get(role, party.last_label) != party.last_label:
            yield f"{role}'s last label is {state.last_label[role]}, in the results {party.last_label}"
