"""Redaction of a conversation's turns: a number split over turns, read back, or answered to a question."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.redaction.cues import CUE_GATE, cues
from models.redaction.kinds import KINDS, SHAPE, Finding, Kind, Span
from models.redaction.memory import Memory
from models.redaction.numbers import FILLERS, NUMERIC
from models.redaction.redactor import Redacted, RedactionError, find, replaced, tag
from models.redaction.spoken import ASIDES
from models.redaction.tagger import Tagger
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

CONVERSATIONS = 10_000
"""How many conversations are remembered: the one that was heard longest ago is forgotten first."""

_TURNS_TO_ANSWER = 3  # "sure, hold on" may come before the answer
_TURNS_TO_GO_ON = 3  # "mm-hm" comes between the halves of a number
_ASKS: Final = frozenset(word_list("conversation.asks"))
_FROM_END = 3  # tokens: a turn that ends with "my account number is" goes on with it in the next


@dataclass(slots=True, repr=False)
class _Conversation:
    memory: Memory = field(default_factory=Memory)
    expected: dict[Kind, int] = field(default_factory=dict)  # turns left
    going_on: int = 0  # turns left in which the pending number may go on

    def copy(self) -> "_Conversation":
        return _Conversation(self.memory.copy(), self.expected.copy(), self.going_on)


class ConversationRedactor:
    """Redacts the turns of conversations, each with what was said before in mind.

    The turns of a conversation are given in their order. The same value has the same number in all of them, said or
    written, whole, in parts over several turns, or read back by the other party: `[CARD_1]`. `numbered=False` writes
    `[CARD]`; what is found of other kinds than `kinds` stays. A turn that answers a question for a name, a PIN or an
    address needs no cue of its own.

    What is remembered is bounded: `conversations`, of each `memory.VALUES` values. It is lost with the process; numbers
    begin at 1 again then.

    Turns that are to be done again, because what came of them was not kept, are taken back first: `checkpoint`,
    `restore`.

    One caller at a time may use an instance.
    """

    def __init__(
        self,
        *,
        tagger: Tagger | None = None,
        numbered: bool = True,
        kinds: Collection[str] = KINDS,
        conversations: int = CONVERSATIONS,
    ) -> None:
        self._tagger = tagger
        self._numbered = numbered
        self._kinds = frozenset(kinds)
        self._limit = conversations
        self._conversations: OrderedDict[str, _Conversation] = OrderedDict()
        self._before: dict[str, _Conversation | None] | None = None  # as they were at the checkpoint

    def redact(self, conversation_id: str, text: str) -> Redacted:
        """`text`, the next turn of the conversation, whoever says it, redacted.

        Raises RedactionError: the tagger failed. Then nothing is known of the text: it must not leave the worker, be
        logged or be sent on, as if all of it were personal.
        """
        # A turn that the tagger fails on is part of the conversation all the same: the next may answer it.
        failure: RedactionError | None = None
        tagged: Sequence[Span] = ()
        try:
            tagged = tag(self._tagger, text)
        except RedactionError as error:
            failure = error
        talk = self._conversations.get(conversation_id)
        if self._before is not None and conversation_id not in self._before:
            self._before[conversation_id] = talk.copy() if talk else None
        if talk is None:
            talk = self._conversations[conversation_id] = _Conversation()
        self._conversations.move_to_end(conversation_id)
        if len(self._conversations) > self._limit:
            self._conversations.popitem(last=False)
        memory = talk.memory
        pending = memory.pending if talk.going_on else None
        expected = tuple(dict.fromkeys([*([pending.kind] if pending else []), *talk.expected]))
        tokens = Tokens(text)
        found = find(text, tokens, tagged=tagged, expected=expected, known=memory.names)
        labels = []
        for place, finding in enumerate(found):
            goes_on = pending is not None and place == 0 and _goes_on(text[: finding.start], finding, pending.kind)
            extended = memory.extend(finding.value) if goes_on else None
            labels.append(extended or memory.label(finding))
        _note(talk, text, tokens, found)
        if failure is not None:
            raise failure
        chosen = [(finding, label) for finding, label in zip(found, labels, strict=True) if finding.kind in self._kinds]
        words = [str(label) if self._numbered else f"[{label.kind}]" for _, label in chosen]
        return replaced(text, [finding for finding, _ in chosen], words)

    def checkpoint(self) -> None:
        """Notes that what was redacted so far will not be redacted again."""
        self._before = {}

    def restore(self, conversations: Iterable[str]) -> None:
        """Takes back the turns of `conversations` since the checkpoint: the same turns then give the same again."""
        for conversation_id in conversations:
            if self._before is None or conversation_id not in self._before:
                continue
            before = self._before.pop(conversation_id)
            if before is None:
                self._conversations.pop(conversation_id, None)
            else:
                self._conversations[conversation_id] = before


def _goes_on(before: str, finding: Finding, kind: Kind) -> bool:
    """Whether a finding goes on with a number of `kind`: nothing `before` it in its turn says that it is another."""
    if not all(word in ASIDES or word in FILLERS for word in Tokens(before).words):
        return False
    return finding.kind == kind or (finding.kind in NUMERIC and kind in NUMERIC and finding.sureness == SHAPE)


def _is_open(finding: Finding) -> bool:
    """Whether what ends a turn may go on in the next: a number, or an address of which no domain has been said."""
    return finding.kind in NUMERIC or (finding.kind == "EMAIL" and "@" not in finding.value)


def _note(talk: _Conversation, text: str, tokens: Tokens, found: list[Finding]) -> None:
    """Notes what the turn asked for, and whether it ended within a number."""
    last = found[-1] if found else None
    tail = text[last.end :] if last else ""
    if last and _is_open(last) and not any(char.isalnum() for char in tail):
        if not talk.going_on or talk.memory.pending is None or len(found) > 1:
            talk.memory.begin(last)
        talk.going_on = _TURNS_TO_GO_ON
    elif talk.going_on:
        talk.going_on -= 1
        if not talk.going_on or last:
            _end_number(talk)
    kinds = {finding.kind for finding in found}
    talk.expected = {kind: left - 1 for kind, left in talk.expected.items() if left > 1 and kind not in kinds}
    if not CUE_GATE.isdisjoint(tokens.words):
        asked = dict.fromkeys(_asked(tokens, kinds), _TURNS_TO_ANSWER)
        pending = talk.memory.pending
        if asked and pending and pending.kind not in asked and not found:
            _end_number(talk)  # "and the security code?"
        talk.expected = asked | {kind: left for kind, left in talk.expected.items() if kind not in asked}


def _end_number(talk: _Conversation) -> None:
    talk.going_on = 0
    talk.memory.end()


def _asked(tokens: Tokens, found: set[Kind]) -> list[Kind]:
    """The kinds that a turn asks for, or that it announces as it ends."""
    words = tokens.words
    asks = not _ASKS.isdisjoint(words)
    return [
        cue.kind
        for cue in cues(words)
        if cue.kind and cue.kind not in found and (asks or cue.after >= len(words) - _FROM_END)
    ]
