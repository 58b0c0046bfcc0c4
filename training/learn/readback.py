"""The network of an artifact, read back from its ONNX file, to go on training where the run's folder is gone."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer

from models.artifact import load_artifact
from schemas.errors import UsageError
from training.learn import bases, network
from training.learn.network import Classifier

HEAD_SIZE = 32
"""Of a MiniLM. The file has the heads side by side, and does not say where one ends."""

_PRODUCT = "MatMulIntegerToFloat"


def read_back(folder: Path, *, dither: int | None = None) -> tuple[Classifier, Tokenizer]:
    """The network and the tokenizer of the artifact in `folder`: a whole MiniLM, of any number of layers, in `int8s`.

    Its weights are the file's integers times their scales, so it answers as the artifact does but for the rounding of
    activations. With `dither`, a seed, each is drawn from what would have been rounded to its integer. Weights that lie
    on the integers are rounded back to them when training moves them by less than half a step; of drawn ones so many
    cross to the next integer that their mean moves as far (Roberts 1962, "Picture coding using pseudo-random noise").

    Raises ArtifactError: the artifact is missing or altered. UsageError: it is another network, or in another format.
    """
    artifact = load_artifact(str(folder))
    refused = UsageError(
        f"{folder}: only a MiniLM of whole layers, in the format int8s, can be read back and trained on"
    )
    weights = _weights(onnx.load(artifact.model_path), None if dither is None else np.random.default_rng(dither))
    try:
        pieces, width = weights["encoder.embeddings.word_embeddings.weight"].shape
        model = network.build(
            {
                "model_type": "bert",
                "vocab_size": pieces,
                "hidden_size": width,
                "num_hidden_layers": 1 + max(int(name.split(".")[3]) for name in weights if ".layer." in name),
                "num_attention_heads": width // HEAD_SIZE,
                "intermediate_size": len(weights["encoder.encoder.layer.0.intermediate.dense.bias"]),
                "max_position_embeddings": len(weights["encoder.embeddings.position_embeddings.weight"]),
                **bases.NO_DROPOUT,
            }
        )
        if artifact.manifest.base != bases.MINILM.name:
            raise refused
        model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    except (KeyError, ValueError, RuntimeError) as error:
        raise refused from error
    return model, Tokenizer.from_file(str(artifact.tokenizer_path))


def _weights(model: onnx.ModelProto, rng: np.random.Generator | None) -> dict[str, NDArray[np.float32]]:
    """The graph's weights by their names in the network; with `rng` each at a random place within its integer."""

    def placed(codes: NDArray[np.int8]) -> NDArray[np.float32]:
        drawn = 0 if rng is None else rng.random(codes.shape, np.float32) - 0.5
        return np.asarray(codes + drawn, np.float32)

    there = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    found = {
        name: np.array(values)
        for name, values in there.items()
        if name.startswith(("encoder.", "head.")) and values.dtype == np.float32
    }
    for name in [name for name in found if name.endswith("_scale")]:
        table = name.removesuffix("_scale")
        found[table] = placed(there[f"{table}_int8"]) * found.pop(name)
    for node in model.graph.node:
        if node.op_type == _PRODUCT:
            # A product's weights have lost their name; its bias has the same but for the ending.
            codes, scale, bias = there[node.input[1]], there[node.input[3]], node.input[6]
            found[f"{bias.removesuffix('bias')}weight"] = np.ascontiguousarray((placed(codes) * scale).T, np.float32)
    return found
