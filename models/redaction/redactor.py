"""Redaction of one text: what is found in it, and the text without it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from models.redaction.addresses import ADDRESS_WORDS, addresses
from models.redaction.codes import codes
from models.redaction.credentials import credentials
from models.redaction.cues import CUE_GATE, cues
from models.redaction.dates import DATE_WORDS, Dates, dates
from models.redaction.emails import spoken_addresses
from models.redaction.kinds import KINDS, TAGGED, Finding, Kind, Span
from models.redaction.memory import Memory
from models.redaction.merge import merge
from models.redaction.names import NAME_WORDS, names
from models.redaction.numbers import numbers
from models.redaction.patterns import emails, ibans, ip_addresses, links
from models.redaction.spoken import ALPHABET, NUMBER_WORDS
from models.redaction.tagger import Tagger
from models.redaction.tokens import Tokens
from schemas.errors import EdgewiseError


class RedactionError(EdgewiseError):
    """A text that could not be redacted. The message holds nothing of the text."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what must not leave: `kinds` as first found, `spans` as characters of the text as given."""

    text: str
    kinds: tuple[Kind, ...]
    spans: tuple[Span, ...]


_GLUED: Final = re.compile(r"\w(?:mail|yahoo|net|outlook)(?:in)?\b")
_NONE: Final = Dates([], [])


class Redactor:
    """Finds personal data in a text by rules, and by `tagger` if there is one, and puts its kind in its place.

    `numbered` writes `[CARD_1]` rather than `[CARD]`: the same value has the same number within a text. What is found
    of other kinds than `kinds` stays.
    """

    def __init__(self, *, tagger: Tagger | None = None, numbered: bool = False, kinds: Collection[str] = KINDS) -> None:
        self._tagger = tagger
        self._numbered = numbered
        self._kinds = frozenset(kinds)

    def redact(self, text: str) -> Redacted:
        """`text` redacted. Rules alone raise for no text.

        Raises RedactionError: the tagger failed. Then nothing is known of the text: it must not leave the worker, be
        logged or be sent on, as if all of it were personal.
        """
        found = [item for item in find(text, Tokens(text), tagged=tag(self._tagger, text)) if item.kind in self._kinds]
        if not self._numbered:
            return replaced(text, found, [f"[{finding.kind}]" for finding in found])
        memory = Memory()
        return replaced(text, found, [str(memory.label(finding)) for finding in found])


def tag(tagger: Tagger | None, text: str) -> Sequence[Span]:
    """The spans that `tagger` finds in `text`; none without one. Raises RedactionError: it failed."""
    if tagger is None:
        return ()
    # Raised outside of the handler, so that the cause, whose message or frames may hold the text, is not kept with it.
    failure = ""
    try:
        spans: Sequence[Span] = tagger.tag([text])[0]
    except Exception as error:  # noqa: BLE001 - whatever the model's runtime raises
        spans, failure = (), type(error).__name__
    if failure:
        raise RedactionError(f"the tagger failed ({failure}): this text is not redacted, and must not leave the worker")
    return spans


def find(
    text: str,
    tokens: Tokens,
    *,
    tagged: Sequence[Span] = (),
    expected: tuple[Kind, ...] = (),
    known: frozenset[str] = frozenset(),
) -> list[Finding]:
    """What is to be redacted in `text`, whose tokens are given, in order, without overlaps, as characters of `text`.

    `tagged` is what a tagger found in it: its names are looked for in the rest of it. `expected` are the kinds that
    were asked for just before, which an answer without a word about it can be; `known` are words of names that were
    found before.
    """
    findings = []
    for finding in _by_rules(tokens, expected, known | _names(text, tagged)):
        start, end = tokens.place(finding.start, finding.end)
        findings.append(finding._replace(start=start, end=end))
    for span in tagged:
        start, end = max(0, span.start), min(len(text), span.end)
        if start < end:
            findings.append(Finding(start, end, span.kind, " ".join(text[start:end].casefold().split()), TAGGED))
    return merge(findings)


def _names(text: str, tagged: Sequence[Span]) -> frozenset[str]:
    """The words of the names that a tagger found."""
    found = [text[span.start : span.end].casefold().split() for span in tagged if span.kind == "NAME"]
    return frozenset(word for words in found for word in words if len(word) > 2)


def replaced(text: str, found: Sequence[Finding], labels: Sequence[str]) -> Redacted:
    """`text` with each finding's label in its place."""
    parts = []
    end = 0
    for finding, label in zip(found, labels, strict=True):
        parts += [text[end : finding.start], label]
        end = finding.end
    parts.append(text[end:])
    spans = tuple([Span(finding.start, finding.end, finding.kind) for finding in found])
    return Redacted("".join(parts), tuple(dict.fromkeys([span.kind for span in spans])), spans)


_LETTERS: Final = frozenset("bcdefghjklmnopqrstuvwxyz")
_SPOKEN_ADDRESS: Final = frozenset({"dot", "period", "point", "email", "mail", "e"})
_NUMBER_GATE: Final = NUMBER_WORDS | ALPHABET


def _may_have_cues(words: set[str], lower: str) -> bool:
    if not words.isdisjoint(CUE_GATE):
        return True
    return "'s" in lower and any(word[-2:] == "'s" and word[:-2] in CUE_GATE for word in words)


def _by_rules(tokens: Tokens, expected: tuple[Kind, ...], known: frozenset[str]) -> list[Finding]:
    words = set(tokens.words)
    lower = tokens.lower
    found: list[Finding] = []
    found_cues = cues(tokens.words) if _may_have_cues(words, lower) else []
    numeric = any(map(str.isdigit, words))
    if "@" in words or "at" in words:
        found += emails(tokens)
    if "www" in lower or "/" in words:
        found += links(tokens)
    if numeric and (":" in words or "." in words):
        found += ip_addresses(tokens)
    if numeric:
        found += ibans(tokens)
    if "com" in lower or "EMAIL" in expected or not words.isdisjoint(_SPOKEN_ADDRESS) or _GLUED.search(lower):
        found += spoken_addresses(tokens, found_cues, expected)
    said = numeric or not words.isdisjoint(_NUMBER_GATE)
    if said or not words.isdisjoint(_LETTERS):
        datable = said and (found_cues or expected or not words.isdisjoint(DATE_WORDS))
        dated = dates(tokens, found_cues, expected) if datable else _NONE
        found += dated.findings
        found += numbers(tokens, dated, found_cues, expected)
        found += codes(tokens, found_cues)
        if "ADDRESS" in expected or not words.isdisjoint(ADDRESS_WORDS) or (numeric and tokens.cased):
            found += addresses(tokens, found_cues, expected)
    if found_cues or expected:
        found += credentials(tokens, found_cues, expected)
    if not words.isdisjoint(NAME_WORDS) or "NAME" in expected or ":" in words or "\n" in lower or known:
        found += names(tokens, found_cues, expected, known)
    return found
