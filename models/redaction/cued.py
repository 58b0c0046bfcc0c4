"""Which cue each number goes by: close before it, else close after it, else further before it."""

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

from models.redaction.cues import Cue
from models.redaction.runs import Run
from models.redaction.spoken import HESITATIONS
from models.redaction.vocabulary import word_list

STATING: Final = frozenset(word_list("cued.stating"))
MONEY: Final = frozenset(word_list("cued.money"))
# Between a cue and its number.
_LINKS: Final = HESITATIONS | frozenset(word_list("cued.links"))
# Between a number and its cue: "4568 is my pin".
_BACK_LINKS: Final = frozenset(word_list("cued.back_links"))
_LISTING: Final = frozenset({"and", ",", "or", "to"})
_LOOSE_REACH = 8  # tokens between a cue and its number where other words stand between them
_AFTER_REACH = 6


class Cued(NamedTuple):
    """The cue that a run goes by, and whether nothing but links stands between them."""

    cue: Cue
    strict: bool


def outside_cues(all_runs: list[Run], found: list[Cue]) -> list[Run]:
    """The runs without what is a cue's own, such as "c v v" and the "four" of "last four"."""
    firsts = [cue.first for cue in found]
    result = []
    for run in all_runs:
        number = bisect_right(firsts, run.first) - 1
        end = found[number].after if number >= 0 else 0
        if end <= run.first:
            result.append(run)
        elif rest := tuple([element for element in run.elements if element.first >= end]):
            result.append(Run(rest))
    return result


def cue_of_each(tokens: list[str], all_runs: list[Run], found: list[Cue]) -> list[Cued | None]:
    """The cue among `found` of each of the runs, which do not overlap it; None for a run without."""
    search = _Search(tokens, all_runs, found)
    cued: list[Cued | None] = []
    for index in range(len(all_runs)):
        near = search.close_before(index)
        # "accounts 8965 and 5697"
        cued.append(near or (cued[-1] if index and search.lists(index) else None))
    for index, known in enumerate(cued):
        if known is None:
            cued[index] = search.close_after(index) or search.far_before(index)
    return cued


class _Search:
    """Looks for cues around runs; each is used once. A lookup's time does not depend on the length of the text."""

    def __init__(self, tokens: list[str], all_runs: list[Run], found: list[Cue]) -> None:
        self._tokens = tokens
        self._runs = all_runs
        self._cues = found
        self._firsts = [cue.first for cue in found]
        self._afters = [cue.after for cue in found]
        self._used: set[int] = set()

    def close_before(self, index: int) -> Cued | None:
        """The cue before run `index` with nothing between but words that lead from one to the other."""
        near = self._before(index)
        if near is None or not _leads_to(self._tokens[near[1].after : self._runs[index].first]):
            return None
        self._used.add(near[0])
        return Cued(near[1], strict=True)

    def close_after(self, index: int) -> Cued | None:
        """The cue after run `index`, as in "4568 is my pin", unless a number of its own follows it."""
        run = self._runs[index]
        until = self._runs[index + 1].first if index + 1 < len(self._runs) else len(self._tokens)
        number = bisect_left(self._firsts, run.after)
        while number < len(self._cues) and (number in self._used or self._cues[number].kind is None):
            number += 1
        if number == len(self._cues) or self._cues[number].first >= min(until, run.after + _AFTER_REACH):
            return None
        cue = self._cues[number]
        if not all(word in _BACK_LINKS for word in self._tokens[run.after : cue.first]):
            return None
        self._used.add(number)
        return Cued(cue, strict=True)

    def far_before(self, index: int) -> Cued | None:
        """The cue before run `index` with other words between."""
        near = self._before(index)
        if near is None or near[0] in self._used or self._runs[index].first - near[1].after > _LOOSE_REACH:
            return None
        self._used.add(near[0])
        return Cued(near[1], strict=False)

    def lists(self, index: int) -> bool:
        """Whether run `index` goes on a list that the run before it begins."""
        between = self._tokens[self._runs[index - 1].after : self._runs[index].first]
        return len(between) < 3 and _LISTING.issuperset(between)

    def _before(self, index: int) -> tuple[int, Cue] | None:
        run = self._runs[index]
        earliest = self._runs[index - 1].after if index else 0
        number = bisect_right(self._afters, run.first) - 1
        if number < 0 or self._cues[number].first < earliest:
            return None
        cue = self._cues[number]
        if cue.kind is None and number:
            # "the account that I am calling about is number ..."
            last = self._cues[number - 1]
            if last.kind and last.first >= earliest and cue.first - last.after < _LOOSE_REACH:
                return number, Cue(last.first, cue.after, last.kind)
        return number, cue


def _leads_to(gap: list[str]) -> bool:
    """Whether the words between a cue and a number say that the one is the other: "the pin i chose last year is"."""
    if len(gap) > 2 * _LOOSE_REACH:
        return False
    if all(word in _LINKS for word in gap):
        return True
    return gap[-1] in STATING | {"to", "be", "reads", "says"} and len(gap) < _LOOSE_REACH and MONEY.isdisjoint(gap)
