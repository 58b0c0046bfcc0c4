import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from models.artifact import ARTIFACTS, ArtifactError
from models.redaction import Redactor, Span
from models.redaction.onnx_tagger import INPUT, OUTPUT, OnnxTagger
from models.redaction.tag_words import CAPITAL, COLUMNS, SHAPES

CLASSES = ["O", "NAME", "ADDRESS", "PIN"]
OF_WORDS = {"jane": "NAME", "doe": "NAME", "elm": "ADDRESS", "00": "PIN"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tagger that knows the class of each word by heart, with a probability of 0.97, and takes capitals for names."""
    pieces = ["[PAD]", "[UNK]", *OF_WORDS, "is", "so", "?", ","]
    tokenizer = Tokenizer(WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    table = np.full((len(pieces), len(CLASSES)), np.log(0.03 / 3), np.float32)
    for place, piece in enumerate(pieces):
        table[place, CLASSES.index(OF_WORDS.get(piece, "O"))] = np.log(0.97)
    of_shapes = np.zeros((SHAPES, len(CLASSES)), np.float32)
    of_shapes[CAPITAL, CLASSES.index("NAME")] = 9
    graph = helper.make_graph(
        [
            helper.make_node("Gather", [INPUT, "first"], ["pieces"], axis=1),
            helper.make_node("Gather", [INPUT, "last"], ["shapes"], axis=1),
            helper.make_node("Gather", ["table", "pieces"], ["of_pieces"]),
            helper.make_node("Gather", ["of_shape", "shapes"], ["of_shapes"]),
            helper.make_node("Add", ["of_pieces", "of_shapes"], ["logits"]),
            helper.make_node("Softmax", ["logits"], [OUTPUT], axis=-1),
        ],
        "tagger",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT64, ["words", COLUMNS])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["words", len(CLASSES)])],
        [
            numpy_helper.from_array(np.array(0), "first"),
            numpy_helper.from_array(np.array(COLUMNS - 1), "last"),
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(of_shapes, "of_shape"),
        ],
    )
    save(tmp_path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9))
    return tmp_path


def save(folder: Path, model: onnx.ModelProto) -> None:
    onnx.save(model, folder / "model.onnx")
    write_manifest(folder)


def write_manifest(folder: Path, **changes: Any) -> None:
    files = {
        name: {
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            "bytes": (folder / name).stat().st_size,
        }
        for name in ("model.onnx", "tokenizer.json")
    }
    manifest = {
        "format": 2, "name": "redaction", "version": "1", "created": "2026-01-01", "base": "none: made for a test",
        "classes": CLASSES, "told": ["NAME", "ADDRESS"], "threshold": 0.5, "files": files, "reach": 3,
        "metrics": {}, "training": {}, "licence": "none", "common": [],
    }  # fmt: skip
    (folder / "tagger.json").write_text(json.dumps(manifest | changes))


def test_words_of_one_kind_beside_each_other_are_one_span(folder: Path) -> None:
    assert OnnxTagger(str(folder)).tag(["so Jane  Doe is elm", "is", "", "jane, doe", "jane elm"]) == [
        [Span(3, 12, "NAME"), Span(16, 19, "ADDRESS")],
        [],
        [],
        [Span(0, 4, "NAME"), Span(6, 9, "NAME")],
        [Span(0, 4, "NAME"), Span(5, 8, "ADDRESS")],
    ]


def test_what_is_beside_a_word_that_is_told_belongs_to_it_at_less(folder: Path) -> None:
    tagger = OnnxTagger(str(folder))
    sure, likely, no = ([1 - p, p, 0, 0] for p in (0.9, 0.06, 0.04))
    said = {"a b c": [likely, sure, likely], "a b c d": [sure, likely, no, likely], "a b": [likely, likely]}
    tagger._session = Told([said[text] for text in said])
    assert tagger.tag(list(said)) == [[Span(0, 5, "NAME")], [Span(0, 3, "NAME")], []]


def test_it_is_told_which_words_begin_with_a_capital(folder: Path) -> None:
    assert OnnxTagger(str(folder)).tag(["so So sox Sox", "SO SO", "48 So"]) == [
        [Span(3, 5, "NAME"), Span(10, 13, "NAME")],
        [],  # no small letter: its capitals tell nothing
        [Span(3, 5, "NAME")],
    ]


def test_a_text_whose_words_are_all_common_is_not_read(folder: Path) -> None:
    write_manifest(folder, common=["jane", "is", "so"])
    tagger = OnnxTagger(str(folder))
    assert tagger.tag(["so Jane is, 48!", "jane doe"]) == [[], [Span(0, 8, "NAME")]]


def test_a_model_that_reads_something_else_is_refused(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    model.graph.input[0].name = model.graph.node[0].input[0] = model.graph.node[1].input[0] = "ids"
    save(folder, model)
    with pytest.raises(ArtifactError, match=r"takes ids of 5, and not words of 5: make one with"):
        OnnxTagger(str(folder))


def test_only_the_kinds_that_are_told_count_and_only_from_the_threshold_on(folder: Path) -> None:
    assert OnnxTagger(str(folder)).tag(["48 jane"]) == [[Span(3, 7, "NAME")]]
    write_manifest(folder, threshold=0.99)
    assert OnnxTagger(str(folder)).tag(["jane"]) == [[]]
    write_manifest(folder, told=["PIN"])
    assert OnnxTagger(str(folder)).tag(["48 jane"]) == [[Span(0, 2, "PIN")]]


@pytest.mark.parametrize("place", [0, 1023, 1024, 1999])
def test_a_long_text_is_read_to_its_end(folder: Path, place: int) -> None:
    words = ["so"] * 2000
    words[place] = "jane"
    assert OnnxTagger(str(folder)).tag([" ".join(words)]) == [[Span(3 * place, 3 * place + 4, "NAME")]]


class Told:
    """A model that gives the probabilities it is told, a text after another."""

    def __init__(self, texts: list[list[list[float]]]) -> None:
        self.texts = iter(texts)

    def run(self, _: object, inputs: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        return [np.array(next(self.texts), np.float32)]


class Shortsighted:
    """A model that is sure of a name only where it sees three words on either side, or the text ends."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.first = 0

    def run(self, _: object, inputs: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        length = len(inputs[INPUT])
        probabilities = np.tile(np.array([1, 0, 0, 0], np.float32), (length, 1))
        is_last = self.first + length == self.count
        probabilities[(3 if self.first else 0) : (length if is_last else length - 3)] = [0, 1, 0, 0]
        self.first += length - 6
        return [probabilities]


def test_each_word_of_a_long_text_is_seen_with_what_is_around_it(folder: Path) -> None:
    tagger = OnnxTagger(str(folder))
    tagger._session = Shortsighted(3000)
    assert tagger.tag([" ".join(["so"] * 3000)]) == [[Span(0, 3 * 3000 - 1, "NAME")]]


def test_half_a_surrogate_pair_is_one_character(folder: Path) -> None:
    assert OnnxTagger(str(folder)).tag(["\ud83d jane"]) == [[Span(2, 6, "NAME")]]


def test_a_redactor_takes_it(folder: Path) -> None:
    redactor = Redactor(tagger=OnnxTagger(str(folder)))
    assert redactor.redact("so Jane Doe is 4821").text == "so [NAME] is [REFERENCE]"
    assert redactor.redact("so Zoe is zoe, so is ed: Ed").text == "so [NAME] is [NAME], so is ed: [NAME]", "ed is short"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "edge"}, "is not a tagger's manifest: name"),
        ({"classes": ["NAME", "O", "ADDRESS", "PIN"]}, "the first class is O"),
        ({"told": ["CARD"]}, "the kinds told are among the others"),
        ({"classes": ["O", "NAME", "ADDRESS"]}, "has 3 classes, its model 4"),
        ({"files": {}}, "files must list model.onnx"),
        ({"threshold": 1.5}, "threshold"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], expected: str) -> None:
    write_manifest(folder, **changes)
    with pytest.raises(ArtifactError, match=expected):
        OnnxTagger(str(folder))


def test_what_is_missing_or_altered_is_refused(folder: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot read the tagger's manifest"):
        OnnxTagger(str(folder / "none"))
    (folder / "model.onnx").write_bytes(b"x" * (folder / "model.onnx").stat().st_size)
    with pytest.raises(ArtifactError, match="was altered"):
        OnnxTagger(str(folder))
    write_manifest(folder)
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        OnnxTagger(str(folder))


def test_the_tagger_that_ships_finds_names_and_is_small() -> None:
    texts = ["jayanthi", "I spoke with Krisztina Varga yesterday.", "send it to 12 elmwood drive", "it is late again"]
    found = OnnxTagger("redaction").tag(texts)
    assert [[text[start:end] for start, end, _ in spans] for text, spans in zip(texts, found, strict=True)] == [
        ["jayanthi"], ["Krisztina Varga"], ["12 elmwood drive"], [],
    ]  # fmt: skip
    folder = ARTIFACTS / "redaction"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
    version = json.loads((folder / "tagger.json").read_text("utf-8"))["version"]
    assert (folder / "CARD.md").read_text("utf-8").startswith(f"# Model card: redaction@{version}\n")
