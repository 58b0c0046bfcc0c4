"""Ways to make a float32 graph small: each takes the graph and returns another that answers nearly the same.

All but `int8` store an embedding table in INT8 with one scale a row. They differ in the matrix products, where
the time goes, and in whether a text's answer depends on its batch mates. Processor time of one thread, 32 texts of 24
tokens, networks of 2x128 and 3x384: float32 6.8 and 69 ms, int8 4.1 and 29, int8s 4.0 and 28, int4w 6.8 and 69.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

Ranges = Mapping[str, tuple[float, float]]

# Smaller tables (token types, the head) would save nothing.
FEWEST_WEIGHTS = 1000

# Weights keep seven bits: the sum of two products of eight-bit ones, 2 * 255 * 127, overflows the 16 bits that x86
# processors without VNNI have for it. Their answers would differ from those of the machine that measured the model.
WEIGHT_LIMIT = 63

CONTRIB = "com.microsoft"
"""The domain of onnxruntime's own operators."""

BLOCK = 32
"""Weights that share a scale in 4 bits; onnxruntime has kernels for 16 to 256."""


def int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Quantises weights to INT8 per output channel, and activations at run time by the extremes of the whole batch."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "source.onnx", Path(scratch) / "target.onnx"
        onnx.save(model, source)
        quantize_dynamic(source, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        return onnx.load(target)


def int8s(model: onnx.ModelProto, ranges: Ranges) -> onnx.ModelProto:
    """Quantises weights to INT8 per output channel, and activations by `ranges`, which `observe` found.

    A row's integers depend on no other row, because the scales are constants, and sums of integers do not depend on
    their order. So what else is in the batch changes no answer. It also saves the search for the extremes.
    """
    graph = _Graph(model)
    quantised: set[str] = set()
    for at, node, weights in graph.products():
        source, name = node.input[0], node.input[1]
        nodes = []
        if source not in quantised:
            quantised.add(source)
            low, high = ranges[source]
            scale = np.float32((high - low) / 255)
            graph.add(f"{source}_scale", np.array(scale))
            graph.add(f"{source}_zero", np.array(round(-low / float(scale)), np.uint8))
            inputs = [source, f"{source}_scale", f"{source}_zero"]
            nodes.append(helper.make_node("QuantizeLinear", inputs, [f"{source}_int8"]))
        codes, scales = per_channel(weights, axis=1, limit=WEIGHT_LIMIT)
        graph.add(f"{name}_int8", codes)
        graph.add(f"{name}_scale", scales.ravel())
        bias, output = graph.take_bias(node)
        inputs = [f"{source}_int8", f"{name}_int8", f"{source}_scale", f"{name}_scale", f"{source}_zero", "", bias]
        nodes.append(helper.make_node("MatMulIntegerToFloat", inputs, [output], domain=CONTRIB))
        graph.nodes[at] = nodes
    graph.embeddings_to_int8()
    return graph.model()


def int8w(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores weights in INT8 per output channel; the graph computes in float32.

    onnxruntime folds Cast and Mul of constants when it loads the file; it would not fold DequantizeLinear. The graph
    then runs as fast as the float32 one and takes as much memory.
    """
    graph = _Graph(model)
    for at, node, weights in graph.products():
        name = node.input[1]
        codes, scales = per_channel(weights, axis=1, limit=127)
        graph.add(f"{name}_int8", codes)
        graph.add(f"{name}_scale", scales)
        graph.nodes[at] = [
            helper.make_node("Cast", [f"{name}_int8"], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_float", f"{name}_scale"], [f"{name}_weights"]),
            helper.make_node("MatMul", [node.input[0], f"{name}_weights"], node.output),
        ]
    graph.embeddings_to_int8()
    return graph.model()


def int4w(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores weights in 4 bits with a scale for each `BLOCK` of them; the graph computes in float32.

    Accuracy level 1 is float32 products. Level 4 quantises activations too, by row and block and so without regard to
    batch mates, but takes 1.4 to 1.6 times as long in batches. Embeddings stay in INT8: of a 4-bit table,
    GatherBlockQuantized gives zeros for an id that it does not have, so a wrong tokenizer would go unnoticed.
    """
    graph = _Graph(model)
    for at, node, weights in graph.products():
        name, (inputs, outputs) = node.input[1], weights.shape
        codes, scales = _per_block(weights.T)
        graph.add(f"{name}_int4", _packed(codes).reshape(outputs, -1, BLOCK // 2))
        graph.add(f"{name}_scale", scales)
        shape = {"K": inputs, "N": outputs, "bits": 4, "block_size": BLOCK, "accuracy_level": 1}
        named = [node.input[0], f"{name}_int4", f"{name}_scale"]
        graph.nodes[at] = [helper.make_node("MatMulNBits", named, node.output, domain=CONTRIB, **shape)]
    graph.embeddings_to_int8()
    return graph.model()


def observe(model: onnx.ModelProto, rows: Sequence[Sequence[int]]) -> dict[str, tuple[float, float]]:
    """The lowest and highest input of each matrix product over token `rows`, 0 included."""
    graph = _Graph(model)
    names = sorted({node.input[0] for _, node, _ in graph.products()})
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for row in rows:
        ids = np.array([row], np.int64)
        seen = session.run(names, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        low = np.minimum(low, [values.min() for values in seen])
        high = np.maximum(high, [values.max() for values in seen])
    return {name: (float(low[at]), float(high[at])) for at, name in enumerate(names)}


class _Graph:
    """A graph whose nodes are being replaced, one by one, by none or several."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._source = model
        self._weights = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        self.nodes = [[node] for node in model.graph.node]
        self.initializers: list[TensorProto] = []

    def products(self) -> Iterator[tuple[int, NodeProto, NDArray[np.float32]]]:
        """The place, node and weights `[inputs, outputs]` of each matrix product of activations with weights."""
        yield from self._with_weights("MatMul", 1)

    def lookups(self) -> Iterator[tuple[int, NodeProto, NDArray[np.float32]]]:
        """The place, node and table `[rows, width]` of each look-up of an embedding."""
        yield from self._with_weights("Gather", 0)

    def _with_weights(self, operator: str, place: int) -> Iterator[tuple[int, NodeProto, NDArray[np.float32]]]:
        for at, node in enumerate(self._source.graph.node):
            weights = self._weights.get(node.input[place]) if node.op_type == operator else None
            if weights is not None and weights.dtype == np.float32 and weights.size >= FEWEST_WEIGHTS:
                yield at, node, weights

    def add(self, name: str, values: NDArray[np.generic]) -> None:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))

    def take_bias(self, product: NodeProto) -> tuple[str, str]:
        """Drops the addition of a bias to a product, if there is one.

        Returns the bias and the sum's name; without an addition "" and the product's own name.
        """
        (output,) = product.output
        for at, node in enumerate(self._source.graph.node):
            if output in node.input and node.op_type == "Add":
                (other,) = set(node.input) - {output}
                if other in self._weights and self._weights[other].ndim == 1:
                    self.nodes[at] = []
                    return other, node.output[0]
        return "", output

    def embeddings_to_int8(self) -> None:
        for at, node, table in self.lookups():
            name, (output,) = node.input[0], node.output
            codes, scales = per_channel(table, axis=0, limit=127)
            self.add(f"{name}_int8", codes)
            self.add(f"{name}_scale", scales)
            self.nodes[at] = [
                helper.make_node("Gather", [f"{name}_int8", node.input[1]], [f"{output}_codes"]),
                helper.make_node("Gather", [f"{name}_scale", node.input[1]], [f"{output}_scales"]),
                helper.make_node("Cast", [f"{output}_codes"], [f"{output}_float"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{output}_float", f"{output}_scales"], [output]),
            ]

    def model(self) -> onnx.ModelProto:
        """The new graph, without the constants that nothing uses any more."""
        result = onnx.ModelProto()
        result.CopyFrom(self._source)
        graph = result.graph
        nodes = [node for replaced in self.nodes for node in replaced]
        used = {name for node in nodes for name in node.input}
        kept = [each for each in (*graph.initializer, *self.initializers) if each.name in used]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(nodes)
        graph.initializer.extend(kept)
        if all(each.domain != CONTRIB for each in result.opset_import):
            result.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        return result


def per_channel(values: NDArray[np.float32], axis: int, limit: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes from -`limit` to `limit` and the scale of each index along `axis` of a matrix."""
    scales = np.abs(values).max(axis=1 - axis, keepdims=True) / np.float32(limit)
    scales[scales == 0] = 1
    return np.rint(values / scales).astype(np.int8), scales


def _per_block(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Codes from 0 to 15 of a matrix and the scale of each `BLOCK` of a row; code 8 is zero.

    The value farthest from zero gets code 0, whichever its sign. So all sixteen codes are used.
    """
    blocks = values.reshape(len(values), -1, BLOCK)
    farthest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2, keepdims=True), axis=2)
    scales = farthest / np.float32(-8)
    scales[scales == 0] = 1
    codes = np.clip(np.rint(blocks / scales) + 8, 0, 15).astype(np.uint8)
    return codes.reshape(values.shape), scales[..., 0]


def _packed(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two 4-bit codes a byte, the first one in the lower half."""
    return np.asarray(codes[:, 0::2] + 16 * codes[:, 1::2], np.uint8)
