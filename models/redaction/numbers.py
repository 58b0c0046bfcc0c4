"""Numbers and codes: which runs are redacted, and as what."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from models.redaction.cued import MONEY, STATING, Cued, cue_of_each, outside_cues
from models.redaction.cues import Cue, joined
from models.redaction.dates import Dates
from models.redaction.kinds import SHAPE, SURE, Finding, Kind
from models.redaction.runs import CURRENCY, UNIT_WORDS, Element, Run, is_unit, runs
from models.redaction.shapes import LIMITS, passes_luhn, shape
from models.redaction.spoken import HESITATIONS
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

NUMERIC: Final = frozenset[Kind | None](
    {
        "CARD",
        "CVV",
        "EXPIRY",
        "ACCOUNT",
        "SSN",
        "PIN",
        "ZIP",
        "PHONE",
        "REFERENCE",
        "PASSWORD",
        "USERNAME",
        "IBAN",
        None,
    }
)
# A cue of one of these words alone says little of a short number: "order 100", "call 911".
_VAGUE: Final = frozenset(word_list("numbers.vague"))
FILLERS: Final = HESITATIONS | frozenset(word_list("numbers.fillers"))
_PUBLIC: Final = frozenset(word_list("numbers.public"))
_BEFORE_YEARS: Final = frozenset(word_list("numbers.before_years"))
# Kinds of numbers that nobody says as a date.
_NEVER_DATES: Final = frozenset({"ACCOUNT", "CARD", "PIN", "SSN"})
# One or two letters that a hyphen ties to a number.
_BEFORE: Final = re.compile(r"(?:^|[\W_])([^\W\d_]{1,2}-)$")
_BEHIND: Final = re.compile(r"-[^\W\d_]{1,2}(?!\w)")


def numbers(tokens: Tokens, dates: Dates, found: list[Cue], expected: Sequence[Kind] = ()) -> list[Finding]:
    """The numbers and codes among `tokens`, whose cues are `found`.

    `expected` are the kinds that were asked for before this text.
    """
    all_runs = runs(tokens)
    found_cues = [cue for cue in joined(found, tokens.words) if cue.kind in NUMERIC or cue.kind == "NAME"]
    asked = [kind for kind in expected if kind in NUMERIC]
    if dates.places:
        of_each = cue_of_each(tokens.words, all_runs, found_cues)
        all_runs = [
            part
            for run, own in zip(all_runs, of_each, strict=True)
            for part in ([run] if _is_stated(tokens, run, own, asked) else _undated(run, dates))
        ]
    if not all_runs:
        return []
    all_runs = outside_cues(all_runs, found_cues)
    content = _content(tokens.words)
    findings: list[Finding] = []
    for run, own in zip(all_runs, cue_of_each(tokens.words, all_runs, found_cues), strict=True):
        is_own = own is not None and own.strict and own.cue.kind is not None
        cued = own if is_own or not asked else Cued(Cue(0, 0, asked[0]), strict=True)
        private = _findings(tokens, run, cued, whole=run.first <= content[0] and content[1] < run.after)
        findings += private
        if private and len(asked) > 1 and not is_own:
            del asked[0]
    return findings


def _is_stated(tokens: Tokens, run: Run, own: Cued | None, asked: Sequence[Kind]) -> bool:
    """Whether figures with hyphens or dots are what the words say, however much they look like a date.

    "Sort code 20-05-99" is none; "born on 20-05-99" is, and "my account was opened on 20-05-99".
    """
    kind = own.cue.kind if own is not None and own.strict else asked[0] if asked and not run.first else None
    figures = tokens.text[tokens.starts[run.first] : tokens.ends[run.after - 1]]
    return kind in _NEVER_DATES and "/" not in figures and not run.spoken and not figures.isalnum()


def _undated(run: Run, dates: Dates) -> list[Run]:
    """The parts of `run` that are in no date."""
    parts: list[list[Element]] = [[]]
    for element in run.elements:
        if dates.cover(element.first, element.after):
            parts.append([])
        else:
            parts[-1].append(element)
    return [Run(tuple(part)) for part in parts if part and (len(part) > 1 or part[0].digits)]


def _findings(tokens: Tokens, run: Run, cued: Cued | None, *, whole: bool) -> list[Finding]:
    """What is to be redacted of `run`; `whole` says that the rest of the text means nothing."""
    if run.letters:
        if _is_code(tokens, run, cued, whole=whole):
            return [_finding(tokens, run, cued)]
        if not run.digits and _is_spelled_name(run):
            return [Finding(*_extent(tokens, run), "NAME", run.value, SHAPE)]
        return [found for part in _digit_parts(run) for found in _findings(tokens, part, cued, whole=False)]
    return [_finding(tokens, run, cued)] if _is_private(tokens, run, cued, whole=whole) else []


def _finding(tokens: Tokens, run: Run, cued: Cued | None) -> Finding:
    kind: Kind | None = cued.cue.kind if cued else None
    value = run.corrected(tokens)
    start, end = _extent(tokens, run)
    before = tokens.text[max(0, start - 2) : start]
    if kind == "NAME":
        kind = None
    if kind in LIMITS and sum(map(str.isdigit, value)) not in LIMITS[kind]:
        kind = None
    sureness = SURE if kind else SHAPE
    if kind is None:
        kind = shape(run, written=before + tokens.text[start:end])
        if passes_luhn(value):
            sureness = SURE
    start, end = _widened(tokens.text, start, end)
    return Finding(start, end, kind, value, sureness)


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """`start` and `end` of a number with what is glued to it, its sign and the brackets of which it has one half."""
    while start and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    if start and text[start - 1] == "(" and ")" in text[start : end + 1] and text[end - 1] != ")":
        start -= 1
        end += end < len(text) and text[end] == ")" and ")" not in text[start:end]
    while start and text[start - 1] in "+#":
        start -= 1
    # "A-99812-BB"
    if match := _BEFORE.search(text, max(0, start - 4), start):
        start = match.start(1)
    if match := _BEHIND.match(text, end):
        end = match.end()
    return start, end


def _is_spelled_name(run: Run) -> bool:
    return len(run.elements) > 3 and run.spoken and run.value not in {"asap", "nasa", "nato"}


def _extent(tokens: Tokens, run: Run) -> tuple[int, int]:
    return tokens.starts[run.first], tokens.ends[run.after - 1]


def _is_private(tokens: Tokens, run: Run, cued: Cued | None, *, whole: bool) -> bool:
    """Whether a run of digits is redacted."""
    words, digits = tokens.words, run.digits
    asked = cued is not None and cued.cue.after == 0
    cardinal = any(element.cardinal for element in run.elements)
    if _counts_something(tokens, run, cued) and digits < 7:
        private = False
    elif asked and whole:
        private = True
    elif digits < 3:
        private = digits == 2 and run.after >= len(words) - 1 and _states(words, run, cued)
    elif cued and cued.strict and cardinal and (asked or not cued.cue.kind):
        private = _is_long(tokens, run, whole=whole)
    elif cued and cued.strict:
        private = digits > 3 or _states(words, run, cued)
    elif cued and cued.cue.kind and digits > 3 and not (_follows_in(words, run) and _is_year(words, run, whole=whole)):
        private = not cardinal or digits > 8
    else:
        private = _is_long(tokens, run, whole=whole)
    return private


def _follows_in(words: list[str], run: Run) -> bool:
    """Whether the word before says that a year may follow: "in 2019"."""
    return run.first > 0 and words[run.first - 1] in _BEFORE_YEARS


def _states(words: list[str], run: Run, cued: Cued | None) -> bool:
    """Whether the words say of a short number what it is: "pin 482", "the code is 482"; not "order 100"."""
    if not cued or not cued.strict:
        return False
    cue = cued.cue
    if cue.after - cue.first > 1 or words[cue.first] not in _VAGUE:
        return bool(cue.kind) or not STATING.isdisjoint(words[cue.after : run.first])
    return not STATING.isdisjoint(words[cue.after : run.first])


def _is_long(tokens: Tokens, run: Run, *, whole: bool) -> bool:
    """Whether a number that nothing is said about is redacted: an amount, a year or a time is not."""
    elements = run.elements
    digits = run.digits
    if any(element.cardinal for element in elements):
        return (digits > 8 and len(elements) > 2) or (digits > 6 and len(elements) > 3)
    if _is_year(tokens.words, run, whole=whole) or _is_time(tokens.words, run):
        return False
    if run.spoken:
        # Two groups are a time or a year: "ten thirty", "nineteen eighty two".
        single = sum(len(element.value) == 1 or element.value[0] == element.value[-1] for element in elements)
        return (digits > 3 and (len(elements) > 2 or single == len(elements))) or (whole and digits > 2 and single > 2)
    if whole and digits == 3:
        return run.value[-1] != "0"  # "100" and "350" are amounts more often
    if len(elements) == 1 and digits in {7, 8} and _ends_in_recent_year(run.value):
        return False
    longest = max(len(element.value) for element in elements)
    return longest > 3 or digits > 5 or (digits > 3 and (whole or len(elements) > 3))


def _is_year(words: list[str], run: Run, *, whole: bool) -> bool:
    if len(run.elements) > 1 or run.spoken or whole or len(words) < 4:
        return False
    value = run.value
    return len(value) == 4 and value[:2] in {"19", "20"}


def _is_time(words: list[str], run: Run) -> bool:
    """Whether four digits are a time that lost its colon: "at 1042"."""
    if len(run.elements) > 1 or run.spoken or run.digits != 4 or not run.first or words[run.first - 1] != "at":
        return False
    return int(run.value[:2]) < 24 and int(run.value[2:]) < 60


def _ends_in_recent_year(digits: str) -> bool:
    """Whether digits can be a day and month and then a year from 2015 to 2034: "06092018". Nobody's birthday is."""
    day_month, year = digits[:-4], int(digits[-4:])
    if not 2015 <= year < 2035:
        return False
    splits = [(day_month[:place], day_month[place:]) for place in (1, 2) if place < len(day_month)]
    return any(1 <= int(one) <= 31 and 1 <= int(two) <= 31 and min(int(one), int(two)) <= 12 for one, two in splits)


def _content(words: list[str]) -> tuple[int, int]:
    """The first and the last token that carry meaning; the text's length and -1 without any."""
    carrying = [index for index, word in enumerate(words) if word not in FILLERS]
    return (carrying[0], carrying[-1]) if carrying else (len(words), -1)


def _counts_something(tokens: Tokens, run: Run, cued: Cued | None = None) -> bool:
    words = tokens.words
    after = words[run.after] if run.after < len(words) else ""
    before = words[run.first - 1] if run.first else ""
    return (
        (after in UNIT_WORDS if _may_be_a_time(run, cued) else is_unit(words, run.after))
        or after in CURRENCY
        or after == "%"
        or before in CURRENCY
        or before in {"usd", "rs", "inr", "amount", "version", "under", "below", "over", "around", "about", "only"}
        or (before == "of" and run.first > 1 and words[run.first - 2] == "amount")
        or (run.digits < 5 and _names_something_public(words, run.first))
        or (before in MONEY and not (cued and cued.strict))
    )


def _may_be_a_time(run: Run, cued: Cued | None) -> bool:
    """Whether digits are a time rather than what the words say that they are: "it was 1042 am i think".

    Nobody's telephone number has so few: "call me at 9 30 am i am free".
    """
    kind = cued.cue.kind if cued is not None and (cued.cue.after == 0 or cued.strict) else None
    hour, minute = run.value[:-2], run.value[-2:]
    return kind in {None, "PHONE"} and 0 < len(hour) < 3 and run.value.isdigit() and int(hour) < 24 and int(minute) < 60


def _names_something_public(words: list[str], first: int) -> bool:
    """Whether a short number is that of a flight, a model or an error."""
    before = first - 1 - (first > 0 and words[first - 1] in {"#", "no", "number", "ua", "aa", "."})
    return before >= 0 and words[before] in _PUBLIC


def _is_code(tokens: Tokens, run: Run, cued: Cued | None, *, whole: bool) -> bool:
    """Whether letters and digits in turn are a code, such as "KX7P2Q", "b 7 n 9 m 5" or "kop 598"."""
    words, elements = tokens.words, run.elements
    length = len(run.value)
    strict = bool(cued and cued.strict)
    if run.digits == 0:
        return strict and length > 3 and cued is not None and cued.cue.kind in {"REFERENCE", "PASSWORD", "USERNAME"}
    if strict and cued:
        stated = cued.cue.after - cued.cue.first > 1 or _states(words, run, cued)
        spelled = sum(element.spoken and not element.digits for element in elements) > 1  # "zulu nine nine kilo"
        return length > 3 and run.digits > 1 and (stated or spelled or length > 4)
    if len(elements) == 2 and run.digits > 4 and not elements[0].digits:  # "ok 74132": a state and its postal code
        return False
    if length < 5 or run.digits < 2:
        return False
    turns = sum(one.digits != other.digits for one, other in pairwise(elements))
    glued = tokens.ends[elements[-1].after - 1] - tokens.starts[elements[0].first] == length
    if glued:
        return length > 5 or run.digits > 3
    whole = whole or (run.after == len(words) and len(words) - len(elements) < 4)
    return (turns > 1 and length < 21 and not _counts_something(tokens, run)) or (whole and length < 10)


def _digit_parts(run: Run) -> list[Run]:
    parts: list[list[Element]] = [[]]
    for element in run.elements:
        if element.digits:
            parts[-1].append(element)
        elif parts[-1]:
            parts.append([])
    return [Run(tuple(part)) for part in parts if part]
