"""The tagger's network: vectors of words, and a few convolutions over them."""

from typing import Any, Final

import onnx
import torch
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
    the convolutions' weights into float32 as it loads the graph, and those of the pieces that a text has as it runs.
    """
    model.cpu().eval()
    with torch.no_grad():
        table = model.vectors(torch.arange(len(model.base)))
    made = _Graph()
    codes, scales = per_channel(table.numpy(), axis=0, limit=_CODE)
    made.constant("pieces", codes)
    made.constant("pieces_scale", scales)
    made.constant("shapes", model.shapes.weight.detach().numpy())
    for name, value in {"zero": [0], "one": [1], "pieces_end": [PIECES], "end": [COLUMNS]}.items():
        made.constant(name, torch.tensor(value).numpy())
    made.node("Slice", [INPUT, "zero", "pieces_end", "one"], "ids")
    made.node("Slice", [INPUT, "pieces_end", "end", "one"], "shape_column")
    made.node("Squeeze", ["shape_column", "one"], "shape")
    made.node("Gather", ["pieces", "ids"], "piece_codes")
    made.node("Gather", ["pieces_scale", "ids"], "piece_scales")
    made.node("Cast", ["piece_codes"], "piece_floats", to=TensorProto.FLOAT)
    made.node("Mul", ["piece_floats", "piece_scales"], "piece_vectors")
    made.node("ReduceSum", ["piece_vectors", "one"], "of_pieces", keepdims=0)
    made.node("Gather", ["shapes", "shape"], "of_shape")
    made.node("Add", ["of_pieces", "of_shape"], "vectors")
    made.node("Transpose", ["vectors"], "by_channel", perm=[1, 0])
    made.node("Unsqueeze", ["by_channel", "zero"], "hidden_0")
    for at, (layer, apart) in enumerate(zip(model.layers, DILATIONS, strict=True)):
        made.convolution(f"layer_{at}", layer, f"hidden_{at}", pads=[apart, apart], dilations=[apart])
        made.node("Relu", [f"layer_{at}"], f"relu_{at}")
        made.node("Add", [f"hidden_{at}", f"relu_{at}"], f"hidden_{at + 1}")
    head = nn.Conv1d(model.head.in_features, model.head.out_features, 1)
    head.weight.data, head.bias = model.head.weight.detach().unsqueeze(2), model.head.bias
    made.convolution("head", head, f"hidden_{len(DILATIONS)}", pads=[0, 0], dilations=[1])
    made.node("Squeeze", ["head", "zero"], "logits_by_class")
    made.node("Transpose", ["logits_by_class"], "logits", perm=[1, 0])
    made.node("Softmax", ["logits"], OUTPUT, axis=-1)
    return made.model()


class _Graph:
    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, name: str, values: object) -> None:
        self._constants.append(numpy_helper.from_array(values, name))  # type: ignore[arg-type]

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))

    def convolution(self, name: str, layer: nn.Conv1d, source: str, **attributes: Any) -> None:
        weight = layer.weight.detach().numpy()
        codes, scales = per_channel(weight.reshape(len(weight), -1), axis=0, limit=_CODE)
        self.constant(f"{name}_int8", codes.reshape(weight.shape))
        self.constant(f"{name}_scale", scales.reshape(-1, 1, 1))
        self.constant(f"{name}_bias", layer.bias.detach().numpy())
        self.node("Cast", [f"{name}_int8"], f"{name}_float", to=TensorProto.FLOAT)
        self.node("Mul", [f"{name}_float", f"{name}_scale"], f"{name}_weight")
        self.node("Conv", [source, f"{name}_weight", f"{name}_bias"], name, **attributes)

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
