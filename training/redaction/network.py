"""The tagger's network: vectors of words, and a few convolutions over them."""

from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from models.redaction import KINDS
from models.redaction.onnx_tagger import INPUT, OUTPUT
from models.redaction.tag_artifact import OUTSIDE
from models.redaction.tag_words import COLUMNS, PIECES, SHAPES
from training.artifacts.onnx_export import OPSET
from training.artifacts.quantise import per_channel

# User names in the data are people's names.
CLASSES: Final[tuple[str, ...]] = (OUTSIDE, *(kind for kind in KINDS if kind != "USERNAME"))

WIDTH: Final = 96
DILATIONS: Final = (1, 2, 4, 1)
"""How far apart the three words are that each convolution sees (Strubell et al. 2017, https://aclanthology.org/D17-1283)."""

REACH: Final = sum(DILATIONS)
"""Words on either side that a word's classes depend on."""

_CODE = 127  # the greatest 8-bit code of a weight


class WordTagger(nn.Module):
    """Scores words `[batch, words, COLUMNS]` with their mask (1 for a word, 0 for padding) as logits `[..., classes]`.

    A word's vector is the sum of its pieces' and its shape's. A piece's is its vector in `base`, `[pieces, width]`,
    projected, plus one of its own, which begins at zero: so a piece that is hardly ever learned from stays near those
    that it was near in the base.
    """

    base: Tensor

    def __init__(self, base: Tensor, width: int = WIDTH) -> None:
        super().__init__()
        self.register_buffer("base", functional.layer_norm(base.detach(), base.shape[1:]))
        self.projection = nn.Linear(base.shape[1], width, bias=False)
        self.own = nn.Embedding(len(base), width)
        nn.init.zeros_(self.own.weight)
        self.shapes = nn.Embedding(SHAPES, width)
        self.dropout = nn.Dropout(0.1)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=apart, dilation=apart) for apart in DILATIONS)
        self.head = nn.Linear(width, len(CLASSES))

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """The logits."""
        ids, places = words[..., :PIECES].unique(return_inverse=True)
        vectors = functional.embedding(places, self.vectors(ids)).sum(2) + self.shapes(words[..., PIECES])
        kept = mask.unsqueeze(1).to(vectors.dtype)
        hidden = self.dropout(vectors).transpose(1, 2) * kept
        for layer in self.layers:
            hidden = (hidden + functional.relu(layer(hidden))) * kept
        logits: Tensor = self.head(self.dropout(hidden.transpose(1, 2)))
        return logits

    def vectors(self, ids: Tensor) -> Tensor:
        """The vectors of the pieces `ids`, `[len(ids), width]`; that of 0, which is no piece, is zero."""
        vectors: Tensor = self.projection(self.base[ids]) + self.own(ids)
        return vectors * (ids > 0).unsqueeze(1)


def export(model: WordTagger) -> onnx.ModelProto:
    """`model` as a graph that takes `words`, int64 `[words, COLUMNS]`, and gives `probabilities`, `[words, classes]`.

    Weights are in INT8, with one scale a piece or an output channel; the graph computes in float32. onnxruntime turns
    the layers' weights into float32 as it loads the graph, and those of the pieces that a text has as it runs. A
    convolution is one matrix product of each word's vector and its two neighbours': at so few words that takes four
    fifths of what onnxruntime's Conv does, and of three words three fifths.
    """
    model.cpu().eval()
    with torch.no_grad():
        table = model.vectors(torch.arange(len(model.base)))
    made = _Graph()
    codes, scales = per_channel(table.numpy(), axis=0, limit=_CODE)
    made.constant("pieces", codes)
    made.constant("pieces_scale", scales)
    made.constant("shapes", model.shapes.weight.detach().numpy())
    for name, value in {"zero": 0, "one": 1, "pieces_end": PIECES, "end": COLUMNS}.items():
        made.constant(name, np.array([value]))
    made.node("Slice", [INPUT, "zero", "pieces_end", "one"], "ids")
    made.node("Slice", [INPUT, "pieces_end", "end", "one"], "shape_column")
    made.node("Squeeze", ["shape_column", "one"], "shape")
    made.node("Gather", ["pieces", "ids"], "piece_codes")
    made.node("Gather", ["pieces_scale", "ids"], "piece_scales")
    made.node("Cast", ["piece_codes"], "piece_floats", to=TensorProto.FLOAT)
    made.node("Mul", ["piece_floats", "piece_scales"], "piece_vectors")
    made.node("ReduceSum", ["piece_vectors", "one"], "of_pieces", keepdims=0)
    made.node("Gather", ["shapes", "shape"], "of_shape")
    made.node("Add", ["of_pieces", "of_shape"], "hidden_0")
    for at, (layer, apart) in enumerate(zip(model.layers, DILATIONS, strict=True)):
        name, source = f"layer_{at}", f"hidden_{at}"
        for part, numbers in {"pads": [apart, 0, apart, 0], "until": [-2 * apart], "from": [2 * apart]}.items():
            made.constant(f"{name}_{part}", np.array(numbers))
        made.node("Pad", [source, f"{name}_pads"], f"{name}_padded")
        made.node("Slice", [f"{name}_padded", "zero", f"{name}_until", "zero"], f"{name}_before")
        made.node("Slice", [f"{name}_padded", f"{name}_from", "last", "zero"], f"{name}_after")
        made.node("Concat", [f"{name}_before", source, f"{name}_after"], f"{name}_three", axis=1)
        weight = layer.weight.detach().permute(0, 2, 1).flatten(1)  # [outputs, three words' vectors]
        made.product(name, weight, layer.bias, f"{name}_three")
        made.node("Relu", [name], f"{name}_relu")
        made.node("Add", [source, f"{name}_relu"], f"hidden_{at + 1}")
    made.constant("last", np.array([np.iinfo(np.int64).max]))
    made.product("head", model.head.weight.detach(), model.head.bias, f"hidden_{len(DILATIONS)}")
    made.node("Softmax", ["head"], OUTPUT, axis=-1)
    return made.model()


class _Graph:
    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, name: str, values: NDArray[Any]) -> None:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))

    def product(self, name: str, weight: Tensor, bias: Tensor, source: str) -> None:
        """`source` times `weight`, `[outputs, inputs]`, and `bias`, as `name`."""
        codes, scales = per_channel(weight.numpy(), axis=0, limit=_CODE)
        self.constant(f"{name}_int8", codes.T)
        self.constant(f"{name}_scale", scales.ravel())
        self.constant(f"{name}_bias", bias.detach().numpy())
        self.node("Cast", [f"{name}_int8"], f"{name}_float", to=TensorProto.FLOAT)
        self.node("Mul", [f"{name}_float", f"{name}_scale"], f"{name}_weight")
        self.node("MatMul", [source, f"{name}_weight"], f"{name}_product")
        self.node("Add", [f"{name}_product", f"{name}_bias"], name)

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "tagger",
            [helper.make_tensor_value_info(INPUT, TensorProto.INT64, ["words", COLUMNS])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["words", len(CLASSES)])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        return model
