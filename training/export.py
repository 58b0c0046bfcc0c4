"""From a trained network to the INT8 ONNX file that a worker loads."""

import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer

from training.network import Classifier

OPSET = 17


def export(model: Classifier, tokenizer: Tokenizer, folder: Path) -> None:
    """Write ``model.onnx`` (INT8) and ``tokenizer.json`` to ``folder``.

    The graph takes ``input_ids`` and ``attention_mask``, int64 ``[batch, tokens]``, and gives ``logits``, float32
    ``[batch, 3]``; token types are a constant inside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        full, prepared = Path(scratch) / "full.onnx", Path(scratch) / "prepared.onnx"
        to_onnx(model, full)
        quant_pre_process(full, prepared, skip_symbolic_shape=True)
        quantise(prepared, folder / "model.onnx")
    tokenizer.save(str(folder / "tokenizer.json"))


def to_onnx(model: Classifier, path: Path) -> None:
    """Write the float32 graph."""
    model.eval()
    ids = torch.tensor([[2, 5, 6, 3], [2, 5, 3, 0]])
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        model,
        (ids, (ids > 0).long()),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )


def quantise(source: Path, target: Path) -> None:
    """Quantise matrix products (per output channel) and embedding tables to INT8; activations at run time.

    Weights keep seven bits: products of eight-bit ones overflow the 16-bit sums of x86 processors without VNNI, which
    would answer otherwise than the machine on which the model was measured.
    """
    quantize_dynamic(source, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
