"""An artifact's network comes back from its file, and answers as the artifact does."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("transformers")

from models.artifact import load_artifact
from models.classifier import Classifier, softmax
from schemas.errors import UsageError
from tests.training.tiny_networks import examples, tokenizer
from training.artifacts import compress, manifest
from training.config.config import Pruning
from training.learn import bases, finetune, network, prune
from training.learn.readback import read_back

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning", "ignore::UserWarning"
)

TEXTS = [example.text for example in examples(60)]


def made(
    folder: Path, file_format: compress.Format = "int8s", base: str = bases.MINILM.name, cut: bool = False
) -> Path:
    torch.manual_seed(5)
    pieces = tokenizer()
    model = network.build(
        {
            "model_type": "bert",
            "vocab_size": pieces.get_vocab_size(),
            "hidden_size": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "intermediate_size": 128,
            "max_position_embeddings": 256,
        }
    )
    with torch.no_grad():
        # As wide apart as a trained network's, so that texts differ.
        model.encoder.embeddings.word_embeddings.weight.mul_(20)
        model.head.weight.mul_(20)
        # No two biases alike, as after training: the exporter stores equal ones once.
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape))
    if cut:
        model = prune.prune(model, finetune.rows_of(pieces, examples(9)), Pruning(heads=1, feed_forward=64))
    compress.write_model(model, pieces, folder, file_format, TEXTS)
    manifest.describe(folder, name="cloud", source="cloud-1", base=base, max_tokens=256, seed=1, data=[], libraries={})
    return folder


def test_the_network_read_back_answers_as_the_artifact_does(tmp_path: Path) -> None:
    folder = made(tmp_path / "cloud")
    model, pieces = read_back(folder)
    theirs = Classifier(load_artifact(str(folder))).score(TEXTS)
    ours = softmax(network.predict(model, network.encode(pieces, TEXTS)).numpy(), 1.0)
    assert np.abs(ours - theirs).mean() < 2e-3
    assert np.ptp(theirs, axis=0).max() > 0.2  # texts differ, so that the above says something
    assert len(model.encoder.encoder.layer) == 3
    assert model.encoder.config.num_attention_heads == 2


@pytest.mark.parametrize("changes", [{"file_format": "fp32"}, {"base": "another"}, {"cut": True}])
def test_what_cannot_be_read_back_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    folder = made(tmp_path / "cloud", **changes)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="only a MiniLM of whole layers, in the format int8s"):
        read_back(folder)


def test_dithered_weights_are_rounded_to_the_integers_that_they_come_from(tmp_path: Path) -> None:
    folder = made(tmp_path / "cloud")
    plain, dithered, again = read_back(folder)[0], read_back(folder, dither=1)[0], read_back(folder, dither=1)[0]
    name = "encoder.encoder.layer.0.output.dense.weight"
    on, near = plain.state_dict()[name], dithered.state_dict()[name]
    assert torch.equal(near, again.state_dict()[name])
    # The least difference of two weights of a column of integers times a scale is that scale.
    step = (on[0].unique()[1:] - on[0].unique()[:-1]).min()
    moved = (near[0] - on[0]) / step
    assert moved.abs().max() <= 0.5 + 1e-3
    assert 0.2 < moved.std() < 0.4  # of a uniform draw 0.29
    assert torch.equal(plain.state_dict()["head.bias"], dithered.state_dict()["head.bias"])
