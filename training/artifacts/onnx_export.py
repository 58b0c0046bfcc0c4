"""From a trained network to the float32 ONNX graph that every artifact is made from."""

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

OPSET = 17


def export(model: nn.Module) -> onnx.ModelProto:
    """`model` as a float32 graph, simplified and with the shapes that quantisation asks for.

    It takes `input_ids` and `attention_mask`, int64 `[batch, tokens]`, and gives `logits`, float32
    `[batch, 3]`; token types are a constant inside it.

    The graph is the network as it is. A graph with fewer operators (queries, keys and values from one product, scale
    and token type folded into weights), or with onnxruntime's fused attention, is no faster at 2 layers of 128.
    """
    model.cpu().eval()
    ids = torch.tensor([[2, 5, 6, 3], [2, 5, 3, 0]])
    axes = {0: "batch", 1: "tokens"}
    inputs = {"input_ids": ids, "attention_mask": (ids > 0).long()}
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        # The older exporter warns that it is old, and of branches on shapes, which are the same for every input.
        warnings.simplefilter("ignore")
        path, prepared = Path(scratch) / "exported.onnx", Path(scratch) / "prepared.onnx"
        torch.onnx.export(
            model,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=["logits"],
            dynamic_axes=dict.fromkeys(inputs, axes) | {"logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
        quant_pre_process(path, prepared, skip_symbolic_shape=True)
        return onnx.load(prepared)
