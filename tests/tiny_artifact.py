"""A real model artifact, small enough to be made in a test: word embeddings, their mean, a linear layer.

It loads, is verified and scores through exactly the code that the shipped artifacts use.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from models.text import VERSION

WORDS: Mapping[str, float] = {
    "awful": -1, "terrible": -1, "angry": -1, "unacceptable": -1, "hate": -1, "late": -0.5, "broken": -0.5, "bad": -0.5,
    "great": 1, "love": 1, "excellent": 1, "perfect": 1, "thanks": 0.5, "good": 0.5, "happy": 0.5, "works": 0.5,
}  # fmt: skip

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")

# Logits are STRENGTH times the mean over the tokens ([CLS] and [SEP] included; a word not in WORDS is one token a
# letter). "awful" beats neutral among up to 20 tokens, a weak word among 10: labels and confidences vary from text to
# text. A text without such a word is neutral at e^2 / (e^2 + 2) = 0.79, above the default threshold.
STRENGTH = 40.0
NEUTRAL = 2.0


def tiny_artifact(
    folder: Path,
    name: str = "edge",
    words: Mapping[str, float] | None = None,
    *,
    version: str = "1.0.0",
    temperature: float = 1.0,
    confidence_threshold: float | None = 0.6,
    max_tokens: int = 256,
) -> Path:
    """Makes the artifact `folder/name` and returns that folder.

    `words` gives sentiment to words of two letters or more, from -1 (negative) to 1 (positive); any other word counts
    as neutral. Long texts dilute it, as the logits are a mean over the tokens.
    """
    target = folder / name
    target.mkdir(parents=True)
    valences = WORDS if words is None else words
    tokenizer = _tokenizer(valences)
    tokenizer.save(str(target / "tokenizer.json"))
    onnx.save(_model(tokenizer.get_vocab(), valences), str(target / "model.onnx"))
    write_manifest(
        target,
        name=name,
        version=version,
        temperature=temperature,
        confidence_threshold=confidence_threshold,
        max_tokens=max_tokens,
    )
    return target


def write_manifest(target: Path, **changes: Any) -> None:
    """Writes `target`'s manifest for the files as they are, with `changes` to its fields."""
    manifest = {
        "format": 1,
        "name": "edge",
        "version": "1.0.0",
        "created": "2025-01-01",
        "base": "none: made for a test",
        "labels": ["negative", "neutral", "positive"],
        "files": {
            file: {
                "sha256": hashlib.sha256((target / file).read_bytes()).hexdigest(),
                "bytes": (target / file).stat().st_size,
            }
            for file in ("model.onnx", "tokenizer.json")
        },
        "max_tokens": 256,
        "text_version": VERSION,
        "temperature": 1.0,
        "confidence_threshold": 0.6,
        "opset": 17,
        "metrics": {"airline_dev": {"accuracy": 0.5, "macro_f1": 0.5, "ece": 0.1, "rows": 10}},
        "training": {"seed": 0, "data": [], "libraries": {}},
        "licence": "code Apache-2.0",
    }
    (target / "manifest.json").write_text(json.dumps(manifest | changes, indent=1), encoding="utf-8")


def _tokenizer(words: Mapping[str, float]) -> Tokenizer:
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = [*SPECIAL, *characters, *(f"##{char}" for char in characters), *words]
    ids = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return tokenizer


def _model(ids: Mapping[str, int], words: Mapping[str, float]) -> onnx.ModelProto:
    embeddings = np.zeros((len(ids), 2), np.float32)  # how negative, how positive
    for word, valence in words.items():
        embeddings[ids[word]] = max(-valence, 0), max(valence, 0)
    linear = np.array([[STRENGTH, 0, 0], [0, 0, STRENGTH]], np.float32)
    weights: dict[str, NDArray[Any]] = {
        "embeddings": embeddings,
        "linear": linear,
        "bias": np.array([0, NEUTRAL, 0], np.float32),
        "last": np.array([2], np.int64),
        "along": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["embeddings", "input_ids"], ["embedded"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["weight"]),
        helper.make_node("Mul", ["embedded", "weight"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "along"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["weight", "along"], ["tokens"], keepdims=0),
        helper.make_node("Div", ["total", "tokens"], ["mean"]),
        helper.make_node("MatMul", ["mean", "linear"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "T"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", 3])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
