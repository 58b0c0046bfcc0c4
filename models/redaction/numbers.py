"""Numbers and codes: which runs are redacted, and as what."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from models.redaction.cues import Cue, joined
from models.redaction.dates import Dates
from models.redaction.kinds import SHAPE, SURE, Finding, Kind
from models.redaction.runs import CURRENCY, UNIT_WORDS, Element, Run, runs
from models.redaction.shapes import LIMITS, passes_luhn, shape
from models.redaction.spoken import HESITATIONS
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import words

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
# Between a cue and its number.
_LINKS: Final = HESITATIONS | frozenset(words("numbers.links"))
# Between a number and its cue: "4568 is my pin".
_BACK_LINKS: Final = frozenset(words("numbers.back_links"))
# A cue of one of these words alone says little of a short number: "order 100", "call 911".
_VAGUE: Final = frozenset(words("numbers.vague"))
_STATING: Final = frozenset({"is", "it's", "its", "was", ":", "=", "#", "number", "no", "are"})
_FILLERS: Final = HESITATIONS | frozenset(words("numbers.fillers"))
_BEFORE_YEARS: Final = frozenset(words("numbers.before_years"))
_MONEY: Final = frozenset(words("numbers.money"))
_LOOSE_REACH = 8  # tokens between a cue and its number where other words stand between them
_AFTER_REACH = 6


class _Place(NamedTuple):
    """The cue that a run goes by, and whether nothing but links stands between them."""

    cue: Cue
    strict: bool


def numbers(tokens: Tokens, dates: Dates, found: list[Cue], expected: Sequence[Kind] = ()) -> list[Finding]:
    """The numbers and codes among `tokens`, whose cues are `found`. `expected` are the kinds that were asked for before this text."""
    all_runs = runs(tokens)
    if dates.places:
        all_runs = [part for run in all_runs for part in _undated(run, dates)]
    if not all_runs:
        return []
    found_cues = [cue for cue in joined(found, tokens.words) if cue.kind in NUMERIC or cue.kind == "NAME"]
    all_runs = [part for run in all_runs for part in _outside_cues(run, found_cues)]
    places = _places(tokens, all_runs, found_cues)
    asked = [kind for kind in expected if kind in NUMERIC]
    findings: list[Finding] = []
    for run, place in zip(all_runs, places, strict=True):
        kind: Kind | None = place.cue.kind if place else None
        if asked and not (place and place.strict and kind):
            kind, place = asked[0], _Place(Cue(0, 0, asked[0]), strict=True)
        private = _findings(tokens, run, place)
        if private and asked and len(asked) > 1 and kind == asked[0]:
            asked = asked[1:]
        findings += private
    return findings


def _undated(run: Run, dates: Dates) -> list[Run]:
    """The parts of `run` that are in no date."""
    parts: list[list[Element]] = [[]]
    for element in run.elements:
        if dates.cover(element.first, element.after):
            parts.append([])
        else:
            parts[-1].append(element)
    return [Run(tuple(part)) for part in parts if part and (len(part) > 1 or part[0].digits)]


def _places(tokens: Tokens, all_runs: list[Run], found: list[Cue]) -> list[_Place | None]:
    """The cue of each run: close before it, else close after it, else further before it."""
    words = tokens.words
    places: list[_Place | None] = [None] * len(all_runs)
    used: set[int] = set()

    def before(run: Run, earliest: int) -> tuple[int, Cue] | None:
        for number in range(len(found) - 1, -1, -1):
            cue = found[number]
            if cue.after <= run.first:
                if cue.first < earliest:
                    return None
                # "the account that I am calling about is number ..."
                last = found[number - 1] if number and cue.kind is None else cue
                if last.kind and last.first >= earliest and cue.first - last.after < _LOOSE_REACH:
                    return number, Cue(last.first, cue.after, last.kind)
                return number, cue
            if cue.first < run.first < cue.after <= run.after:  # "last four digits": the number is the cue's own
                continue
        return None

    for index, run in enumerate(all_runs):
        earliest = all_runs[index - 1].after if index else 0
        near = before(run, earliest)
        if near and _leads_to(words[near[1].after : run.first]):
            places[index] = _Place(near[1], strict=True)
            used.add(near[0])
        elif index and (previous := places[index - 1]) and set(words[earliest : run.first]) <= {"and", ",", "or", "to"}:
            places[index] = previous  # "accounts 8965 and 5697"
    for index, run in enumerate(all_runs):
        if places[index]:
            continue
        latest = all_runs[index + 1].first if index + 1 < len(all_runs) else len(words)
        for number, cue in enumerate(found):
            if run.after <= cue.first < min(latest, run.after + _AFTER_REACH) and number not in used and cue.kind:
                if all(word in _BACK_LINKS for word in words[run.after : cue.first]):
                    places[index] = _Place(cue, strict=True)
                    used.add(number)
                break
        earliest = all_runs[index - 1].after if index else 0
        near = before(run, earliest)
        if not places[index] and near and near[0] not in used and run.first - near[1].after <= _LOOSE_REACH:
            places[index] = _Place(near[1], strict=False)
            used.add(near[0])
    return places


def _outside_cues(run: Run, found: list[Cue]) -> list[Run]:
    """`run` without what is a cue's, such as "c v v" and the "four" of "last four"."""
    end = max((cue.after for cue in found if cue.first <= run.first < cue.after), default=0)
    if not end:
        return [run]
    rest = tuple([element for element in run.elements if element.first >= end])
    return [Run(rest)] if rest else []


def _leads_to(gap: list[str]) -> bool:
    """Whether the words between a cue and a number say that the one is the other: "the pin i chose last year is"."""
    if all(word in _LINKS for word in gap):
        return True
    return gap[-1] in _STATING | {"to", "be", "reads", "says"} and len(gap) < _LOOSE_REACH and _MONEY.isdisjoint(gap)


def _findings(tokens: Tokens, run: Run, place: _Place | None) -> list[Finding]:
    if run.letters:
        if _is_code(tokens, run, place):
            return [_finding(tokens, run, place)]
        if not run.digits and _is_spelled_name(run):
            return [Finding(*_extent(tokens, run), "NAME", run.value, SHAPE)]
        return [found for part in _digit_parts(run) for found in _findings(tokens, part, place)]
    return [_finding(tokens, run, place)] if _is_private(tokens, run, place) else []


def _finding(tokens: Tokens, run: Run, place: _Place | None) -> Finding:
    kind: Kind | None = place.cue.kind if place else None
    value = run.corrected(tokens)
    start, end = _extent(tokens, run)
    before = tokens.text[max(0, start - 2) : start]
    if kind == "NAME":
        kind = None
    if kind in LIMITS and sum(map(str.isdigit, value)) not in LIMITS[kind]:
        kind = None
    if kind in {"PHONE", "SSN", "PIN", "CVV", "EXPIRY"} and passes_luhn(value):
        kind = "CARD"
    sureness = SURE if kind else SHAPE
    if kind is None:
        kind = shape(run, written=before + tokens.text[start:end])
        if passes_luhn(value):
            sureness = SURE
    while start and tokens.text[start - 1] in "+(#":
        start -= 1
    if end < len(tokens.text) and tokens.text[end] == ")" and "(" in tokens.text[start:end]:
        end += 1
    return Finding(start, end, kind, value, sureness)


def _is_spelled_name(run: Run) -> bool:
    return len(run.elements) > 3 and run.spoken and run.value not in {"asap", "nasa", "nato"}


def _extent(tokens: Tokens, run: Run) -> tuple[int, int]:
    return tokens.starts[run.first], tokens.ends[run.after - 1]


def _is_private(tokens: Tokens, run: Run, place: _Place | None) -> bool:
    """Whether a run of digits is redacted."""
    words, digits = tokens.words, run.digits
    counts = _counts_something(tokens, run, place)
    whole = _is_whole(words, run)
    asked = place is not None and place.cue.after == 0
    if counts and digits < 7:
        return False
    if asked and whole:
        return True
    if digits < 3:
        return digits == 2 and _states(words, run, place) and run.after >= len(words) - 1
    if place and place.strict:
        if any(element.cardinal for element in run.elements) and (asked or not place.cue.kind):
            return False
        return digits > 3 or _states(words, run, place)
    dated = run.first > 0 and words[run.first - 1] in _BEFORE_YEARS
    if place and place.cue.kind and digits > 3 and not (dated and _is_year(words, run, whole=whole)):
        return not any(element.cardinal for element in run.elements) or digits > 8
    return _is_long(tokens, run, whole=whole)


def _states(words: list[str], run: Run, place: _Place | None) -> bool:
    """Whether the words say of a short number what it is: "pin 482", "the code is 482"; not "order 100"."""
    if not place or not place.strict:
        return False
    cue = place.cue
    if cue.after - cue.first > 1 or words[cue.first] not in _VAGUE:
        return bool(cue.kind) or not _STATING.isdisjoint(words[cue.after : run.first])
    return not _STATING.isdisjoint(words[cue.after : run.first])


def _is_long(tokens: Tokens, run: Run, *, whole: bool) -> bool:
    """Whether a number that nothing is said about is redacted: an amount, a year or a time is not."""
    elements = run.elements
    digits = run.digits
    if any(element.cardinal for element in elements):
        return digits > 8 and len(elements) > 2
    if _is_year(tokens.words, run, whole=whole):
        return False
    if run.spoken:
        # Two groups are a time or a year: "ten thirty", "nineteen eighty two".
        single = sum(len(element.value) == 1 or element.value[0] == element.value[-1] for element in elements)
        return digits > 3 and (len(elements) > 2 or single == len(elements)) or (whole and digits > 2 and single > 2)
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


def _ends_in_recent_year(digits: str) -> bool:
    """Whether digits can be a day and month and then a year from 2015 to 2034: "06092018". Nobody's birthday is."""
    day_month, year = digits[:-4], int(digits[-4:])
    if not 2015 <= year < 2035:
        return False
    splits = [(day_month[:place], day_month[place:]) for place in (1, 2) if place < len(day_month)]
    return any(1 <= int(one) <= 31 and 1 <= int(two) <= 31 and min(int(one), int(two)) <= 12 for one, two in splits)


def _is_whole(words: list[str], run: Run) -> bool:
    """Whether the text is the run and words without meaning."""
    return all(word in _FILLERS for word in words[: run.first]) and all(word in _FILLERS for word in words[run.after :])


def _counts_something(tokens: Tokens, run: Run, place: _Place | None = None) -> bool:
    words = tokens.words
    after = words[run.after] if run.after < len(words) else ""
    before = words[run.first - 1] if run.first else ""
    return (
        after in UNIT_WORDS
        or after in CURRENCY
        or after == "%"
        or before in CURRENCY
        or before in {"usd", "rs", "inr", "amount", "version", "under", "below", "over", "around", "about", "only"}
        or (before == "of" and run.first > 1 and words[run.first - 2] == "amount")
        or (before in _MONEY and not (place and place.strict))
    )


def _is_code(tokens: Tokens, run: Run, place: _Place | None) -> bool:
    """Whether letters and digits in turn are a code, such as "KX7P2Q", "b 7 n 9 m 5" or "kop 598"."""
    words, elements = tokens.words, run.elements
    length = len(run.value)
    strict = bool(place and place.strict)
    if run.digits == 0:
        return strict and length > 3 and place is not None and place.cue.kind in {"REFERENCE", "PASSWORD", "USERNAME"}
    if strict and place:
        stated = place.cue.after - place.cue.first > 1 or _states(words, run, place)
        return length > 3 and run.digits > 1 and (stated or length > 4)
    if len(elements) == 2 and run.digits > 4 and not elements[0].digits:  # "ok 74132": a state and its postal code
        return False
    if length < 5 or run.digits < 2:
        return False
    turns = sum(one.digits != other.digits for one, other in zip(elements, elements[1:], strict=False))
    glued = tokens.ends[elements[-1].after - 1] - tokens.starts[elements[0].first] == length
    if glued:
        return length > 5 or run.digits > 3
    whole = _is_whole(words, run) or (run.after == len(words) and len(words) - len(elements) < 4)
    return (turns > 1 and length < 21 and not _counts_something(tokens, run)) or (whole and length < 10)


def _digit_parts(run: Run) -> list[Run]:
    parts: list[list[Element]] = [[]]
    for element in run.elements:
        if element.digits:
            parts[-1].append(element)
        elif parts[-1]:
            parts.append([])
    return [Run(tuple(part)) for part in parts if part]
