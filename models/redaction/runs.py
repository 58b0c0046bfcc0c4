"""Runs: digits and spelled letters that belong to one number, whatever stands between them."""

from typing import Final, NamedTuple

from models.redaction.cues import CUE_WORDS
from models.redaction.spoken import (
    ALPHABET,
    ASIDES,
    CORRECTIONS,
    HESITATIONS,
    MISHEARD,
    NUMBER_WORDS,
    letter_at,
    number_at,
)
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import phrases, word_list

# Words of two or three letters, none of which begins or ends a code such as "kop 598".
SHORT_WORDS: Final = frozenset(word_list("runs.short_words"))
_CLAUSES: Final = frozenset({"plus", "second"})
UNIT_WORDS: Final = frozenset(word_list("runs.unit_words"))
CURRENCY: Final = frozenset("$£€₹¥")

_NO_LETTERS: Final = SHORT_WORDS | UNIT_WORDS | CUE_WORDS | ASIDES
_BEFORE_LETTERS: Final = frozenset(word_list("runs.before_letters"))
# Between two numbers, these say that they are two. Words that begin a cue of several, such as "where", do not.
_NO_ASIDES: Final = (
    UNIT_WORDS | CURRENCY | (CUE_WORDS - NUMBER_WORDS) | {"of", "at", "by", "from", "or", "in"}
) - frozenset(word_list("runs.no_asides"))
_COPULAS: Final = frozenset({"is", "was", "are", "it's", "that's"})
_QUESTIONS: Final = frozenset({"where", "what", "how"})  # "where was I", "what is it"
_LOST: Final = frozenset(phrases("runs.lost"))  # what one says who has lost the thread of a number
_JOINTS: Final = frozenset("-./(),+:_*#;") | {"x"}
_LONGEST_GAP = 7  # tokens: "no wait, sorry, make that"


class Element(NamedTuple):
    """One group of a run: its digits or letters, and tokens `first` to `after` (exclusive)."""

    value: str
    first: int
    after: int
    spoken: bool
    cardinal: bool = False  # said or written as an amount: "five hundred", "1,500"

    @property
    def digits(self) -> bool:
        """Whether it is of digits."""
        return self.value.isdigit()


class Run:
    """Groups that follow one another with nothing between them but what parts the groups of one number.

    `value` is its digits and letters, in lower case; `digits` how many digits it has; `first` its first token and
    `after` the one after its last.
    """

    __slots__ = ("after", "digits", "elements", "first", "value")

    def __init__(self, elements: tuple[Element, ...]) -> None:
        self.elements = elements
        self.first = elements[0].first
        self.after = elements[-1].after
        self.value = "".join([element.value for element in elements])
        self.digits = sum([len(element.value) for element in elements if element.digits])

    @property
    def letters(self) -> int:
        """How many letters it has."""
        return len(self.value) - self.digits

    @property
    def spoken(self) -> bool:
        """Whether a part of it is in words."""
        return any(element.spoken for element in self.elements)

    def corrected(self, tokens: Tokens) -> str:
        """Its value as the speaker meant it: what follows "no wait" takes the place of the group before."""
        values: list[str] = []
        for place, element in enumerate(self.elements):
            gap = tokens.words[self.elements[place - 1].after : element.first] if place else ()
            if values and not CORRECTIONS.isdisjoint(gap):
                values.pop()
            values.append(element.value)
        return "".join(values)


def runs(tokens: Tokens) -> list[Run]:
    """The runs of `tokens`, in order. A digit alone is a run too; a letter alone is none."""
    words = tokens.words
    found: list[Run] = []
    current: list[Element] = []
    index, count = 0, len(words)
    while index < count:
        word = words[index]
        element = None
        if word.isdigit():
            element = _numeral(tokens, index)
        elif word == "o" and (spelled := letter_at(words, index)) and spelled[1] > index + 1:
            element = Element("o", index, spelled[1], spoken=True)
        elif word in NUMBER_WORDS:
            number = number_at(words, index)
            if number and not _is_unit(words, number.after, number.digits):
                element = Element(number.digits, index, number.after, spoken=True, cardinal=number.cardinal)
        elif len(word) < 4 or word in ALPHABET:
            element = _letters(tokens, index, current)
        if element is None:
            index += 1
            continue
        if current and not _joined(tokens, current, element):
            _add(found, current)
            current = []
        current.append(element)
        index = element.after
    _add(found, current)
    return found


def _add(found: list[Run], elements: list[Element]) -> None:
    """Adds a run of `elements`, less the letters at its ends that are words, such as "a" and "i"."""
    # "o" is a digit among digits and a letter among letters.
    elements = [
        element._replace(value="o")
        if element.value == "0" and element.after == element.first + 1 and _among_letters(elements, place)
        else element
        for place, element in enumerate(elements)
    ]
    while elements and elements[0].value in {"a", "i"} and not _spelled(elements[:3]):
        del elements[0]
    while elements and elements[-1].value in {"a", "i"} and not _spelled(elements[-3:]):
        del elements[-1]
    if elements and (len(elements) > 1 or elements[0].digits):
        found.append(Run(tuple(elements)))


def _among_letters(elements: list[Element], place: int) -> bool:
    near = elements[max(0, place - 1) : place] + elements[place + 1 : place + 2]
    return bool(near) and not any(element.digits for element in near) and elements[place].spoken


def _spelled(elements: list[Element]) -> bool:
    """Whether there are other single letters, or digits in turn with letters: then "a" and "i" are letters as well."""
    others = [element for element in elements if element.value not in {"a", "i"}]
    return any(not element.digits for element in others) or len(elements) > 2


def _numeral(tokens: Tokens, index: int) -> Element | None:
    words = tokens.words
    word = words[index]
    after = index + 1
    # "1,500" and "12.50" are amounts.
    while (
        after + 1 < len(words)
        and words[after] == ","
        and len(words[after + 1]) == 3
        and words[after + 1].isdigit()
        and len(word) <= 3
        and not tokens.apart(after)
        and not tokens.apart(after + 1)
    ):
        word += words[after + 1]
        after += 2
    if after > index + 1:
        return Element(word, index, after, spoken=False, cardinal=True)
    if (
        after + 1 < len(words)
        and words[after] in {".", ","}
        and words[after + 1].isdigit()
        and len(words[after + 1]) <= 2
        and not tokens.apart(after)
        and not tokens.apart(after + 1)
        and not (after + 2 < len(words) and words[after + 2] in {".", "-"} and not tokens.apart(after + 2))
        and not (index and words[index - 1] in {".", "-"} and not tokens.apart(index))
    ):
        return Element(word + words[after + 1], index, after + 2, spoken=False, cardinal=True)
    if after < len(words) and words[after] in {"hundred", "thousand"}:
        return Element(word + ("00" if words[after] == "hundred" else "000"), index, after + 1, False, cardinal=True)
    within_code = index > 0 and words[index - 1].isalpha() and not tokens.apart(index)  # "L0KM"
    if _is_unit(words, after, word) and not within_code:
        return None
    return Element(word, index, after, spoken=False)


def is_unit(words: list[str], place: int) -> bool:
    """Whether the word at `place` is a unit of the number before it, and begins no clause of its own.

    "my pin is 4821 am i right", "the code is 4821 plus i need help" have none.
    """
    if place >= len(words) or words[place] not in UNIT_WORDS:
        return False
    following = words[place + 1] if place + 1 < len(words) else ""
    if words[place] == "am":
        return following != "i"
    return words[place] not in _CLAUSES or not following.isalpha() or following in UNIT_WORDS


def _is_unit(words: list[str], after: int, digits: str) -> bool:
    """Whether a short number counts something: "30 minutes", "last four digits", "15 th"."""
    return len(digits) < 4 and is_unit(words, after)


def _letters(tokens: Tokens, index: int, current: list[Element]) -> Element | None:
    words = tokens.words
    word = words[index]
    spelled = letter_at(words, index)
    if spelled:
        letter, after = spelled
        in_code = current and current[-1].after == index and not all(element.digits for element in current)
        if letter in {"a", "i"} and after == index + 1 and not in_code:
            beside = (current and current[-1].after == index) or not index or words[index - 1] in _BEFORE_LETTERS
            if not beside or not _spells_on(words, after):
                return None  # a word: "where was I", "a day"
        if letter in {"x", "k"} and current and current[-1].after == index and not tokens.apart(index):
            return None  # an extension, "555x12"; a unit, "20k"
        return Element(letter, index, after, spoken=True)
    after = index + 1
    # "XK-4870" is one code.
    hyphen = after + 1 < len(words) and words[after] == "-" and not tokens.apart(after) and not tokens.apart(after + 1)
    behind = after + hyphen
    beside_digits = (current and current[-1].after == index and current[-1].digits) or (
        behind < len(words) and words[behind].isdigit()
    )
    if word in ALPHABET:
        beside_words = (current and current[-1].after == index) or (
            after < len(words) and (words[after] in ALPHABET or words[after] in NUMBER_WORDS or len(words[after]) == 1)
        )
        return Element(word[0], index, after, spoken=True) if beside_words else None
    if word.isalpha() and word.isascii() and len(word) > 1 and word not in _NO_LETTERS:
        return Element(word, index, after, spoken=False) if beside_digits else None
    return None


def _interrupts(gap: list[str], current: list[Element], words: list[str], after: int) -> bool:
    """Whether `gap` can be an aside in the middle of a number: nobody can list all that people say for "um"."""
    unknown = [word for word in gap if word not in _JOINTS and word not in ASIDES]
    return (
        not unknown
        or " ".join(gap) in _LOST
        or (
            len(unknown) < 3
            and _spells_on(words, after)
            and (len(current) > 1 or after < len(words))
            and _NO_ASIDES.isdisjoint(unknown)
            and (_COPULAS.isdisjoint(gap) or not _QUESTIONS.isdisjoint(unknown))
            and all(word.isalpha() or "'" in word or word in '?!"' for word in unknown)
        )
    )


def _spells_on(words: list[str], index: int) -> bool:
    """Whether what is at `index` can follow a letter that is spelled: the end, a letter, a number."""
    if index >= len(words):
        return True
    word = words[index]
    return len(word) == 1 or word.isdigit() or word in NUMBER_WORDS or word in ALPHABET


def _joined(tokens: Tokens, current: list[Element], other: Element) -> bool:
    """Whether nothing between the groups of a number and another says that the number ends."""
    one = current[-1]
    words = tokens.words[one.after : other.first]
    if len(words) > _LONGEST_GAP or "\n" in tokens.text[tokens.ends[one.after - 1] : tokens.starts[other.first]]:
        return False
    if one.spoken and other.spoken:
        ranged = len(current) < 3 and len(words) == 1 and words[0] in MISHEARD  # "nine to five"
        return not ranged and _interrupts(words, current, tokens.words, other.after)
    if not all(word in _JOINTS or word in HESITATIONS for word in words):
        return False
    # "The code is 4512. 30 were left": a sentence that begins with a short number is another.
    ended = bool(words) and words[-1] in {".", ";"} and tokens.apart(other.first) != "" and len(other.value) < 3
    # "250, 300": a list of two, of which neither is long.
    listed = (
        words == [","]
        and len(current) < 3
        and (one.cardinal or other.cardinal or len(one.value) < 2 > len(other.value))
    )
    return not (ended or listed)
