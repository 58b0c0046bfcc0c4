"""Words as the tagger reads them."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from models.redaction.tag_words import (
    CAPITAL,
    CAPITALS,
    COLUMNS,
    DIGITS,
    MIXED,
    OTHER,
    PIECES,
    SHAPES,
    SMALL,
    WORD,
    WordReader,
    spelling,
)

_PIECES = ["[PAD]", "[UNK]", "jane", "doe", "##a", "##b", "##c", "##d", "##e", "is", "0", "##0", ",", "?"]
UNCASED = SHAPES // 2


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer(WordPiece({piece: at for at, piece in enumerate(_PIECES)}, unk_token="[UNK]"))
    made.normalizer = BertNormalizer()
    made.pre_tokenizer = BertPreTokenizer()
    return made


def read(tokenizer: Tokenizer, text: str) -> list[list[int]]:
    rows = WordReader(tokenizer).read(text, WORD.findall(text))
    assert rows is not None
    assert rows.shape[1] == COLUMNS
    return [[int(number) for number in row] for row in rows]


def ids(*pieces: str) -> list[int]:
    return [_PIECES.index(piece) for piece in pieces] + [0] * (PIECES - len(pieces))


def test_words_are_letters_or_digits_or_one_other_character() -> None:
    text = "O'Brien, Zoe\u0301 jane2 _x__ 4821!?"
    assert WORD.findall(text) == ["O", "'", "Brien", ",", "Zoe\u0301", "jane", "2", "_", "x", "__", "4821", "!", "?"]


def test_a_word_is_its_pieces_and_its_shape(tokenizer: Tokenizer) -> None:
    assert read(tokenizer, "Jane JANE jAne is, 12?") == [
        [*ids("jane"), CAPITAL],
        [*ids("jane"), CAPITALS],
        [*ids("jane"), MIXED],
        [*ids("is"), SMALL],
        [*ids(","), OTHER],
        [*ids("0", "##0"), DIGITS],
        [*ids("?"), OTHER],
    ]


@pytest.mark.parametrize("text", ["jane, 12", "JANE, 12"])
def test_where_all_letters_are_alike_a_case_tells_nothing(tokenizer: Tokenizer, text: str) -> None:
    shapes = [row[PIECES] for row in read(tokenizer, text)]
    assert shapes == [SMALL + UNCASED, OTHER + UNCASED, DIGITS + UNCASED]


def test_of_a_word_of_many_pieces_the_first_and_the_last_are_read(tokenizer: Tokenizer) -> None:
    assert read(tokenizer, "doeabcde")[0][:PIECES] == ids("doe", "##a", "##b", "##e")


def test_digits_are_alike_and_long_words_are_cut() -> None:
    assert spelling("4821") == spelling("1111") == "0000"
    assert spelling("1" * 99) == "0" * 8
    assert spelling("x" * 99) == "x" * 40


def test_a_text_of_common_words_is_not_read(tokenizer: Tokenizer) -> None:
    reader = WordReader(tokenizer, ["jane", "is"])
    assert reader.read("Jane is 12!", WORD.findall("Jane is 12!")) is None
    assert reader.read("", []) is None
    assert reader.read("Jane doe", ["Jane", "doe"]) is not None


def test_half_a_surrogate_pair_is_a_question_mark(tokenizer: Tokenizer) -> None:
    assert read(tokenizer, "\ud83d jane")[0] == [*ids("?"), OTHER + UNCASED]
