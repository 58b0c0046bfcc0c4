"""A model and a tokenizer that do not fit each other, or this version, are refused in one line before any use."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnxruntime.quantization import quantize_dynamic

from models.artifact import ArtifactError, load_artifact
from models.backends.onnx_process import OnnxProcessBackend
from models.classifier import Classifier
from models.cloud import CloudError
from streams.cli import main as cli
from tests.tiny_artifact import tiny_artifact, write_manifest

REPOSITORY = Path(cli.__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_artifact(tmp_path)


def refusal(folder: Path, **changes: object) -> str:
    """What the refusal of the files as they are now says."""
    write_manifest(folder, **changes)
    with pytest.raises(ArtifactError) as raised:
        Classifier(load_artifact(str(folder)))
    message = str(raised.value)
    assert "\n" not in message
    assert len(message) < 500
    assert str(folder) in message
    return message


def change_model(folder: Path, change: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(str(folder / "model.onnx"))
    change(model)
    onnx.save(model, str(folder / "model.onnx"))


def resize_table(folder: Path, rows: int) -> None:
    """Adds so many rows to the embedding table, or takes them away."""

    def change(model: onnx.ModelProto) -> None:
        [table] = [tensor for tensor in model.graph.initializer if tensor.name == "embeddings"]
        values = np.resize(numpy_helper.to_array(table), (table.dims[0] + rows, table.dims[1]))
        table.CopyFrom(numpy_helper.from_array(values, "embeddings"))

    change_model(folder, change)


def limit_positions(folder: Path, positions: int) -> None:
    """Makes the model add a position table of so many rows, sliced as an exported BERT slices its own."""

    def change(model: onnx.ModelProto) -> None:
        table = np.zeros((1, positions, 2), np.float32)
        model.graph.initializer.extend([
            numpy_helper.from_array(table, "positions"),
            numpy_helper.from_array(np.array([0], np.int64), "begin"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ])  # fmt: skip
        gather = model.graph.node[0]
        gather.output[0] = "words"
        model.graph.node.insert(1, onnx.helper.make_node("Shape", ["input_ids"], ["length"], start=1))
        model.graph.node.insert(2, onnx.helper.make_node("Slice", ["positions", "begin", "length", "axis"], ["here"]))
        model.graph.node.insert(3, onnx.helper.make_node("Add", ["words", "here"], ["embedded"]))

    change_model(folder, change)


def edit_tokenizer(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    change(content)
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize("quantised", [False, True])
def test_what_fits_is_taken(folder: Path, quantised: bool) -> None:
    limit_positions(folder, 256)
    if quantised:
        quantize_dynamic(folder / "model.onnx", folder / "model.onnx")
    write_manifest(folder)
    assert Classifier(load_artifact(str(folder))).score(["awful"]).argmax() == 0


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize(("rows", "says"), [(-1, "has fewer rows"), (1, "has more rows"), (400, "has more rows")])
def test_a_tokenizer_of_another_vocabulary(folder: Path, rows: int, says: str, quantised: bool) -> None:
    resize_table(folder, rows)
    if quantised:
        quantize_dynamic(folder / "model.onnx", folder / "model.onnx")
    message = refusal(folder)
    assert f"{folder / 'tokenizer.json'} does not belong to {folder / 'model.onnx'}" in message
    assert says in message


def test_nothing_is_said_beside_the_refusal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    resize_table(folder, -1)
    refusal(folder)
    assert capfd.readouterr() == ("", "")


def test_more_tokens_than_the_model_has_positions(folder: Path) -> None:
    limit_positions(folder, 64)
    assert "cannot read 65 tokens, the max_tokens of its manifest" in refusal(folder, max_tokens=65)
    write_manifest(folder, max_tokens=64)
    Classifier(load_artifact(str(folder)))


@pytest.mark.parametrize("token", ["[PAD]", "[CLS]", "[SEP]"])
def test_a_special_token_is_missing(folder: Path, token: str) -> None:
    def change(content: dict[str, object]) -> None:
        text = json.dumps(content).replace(json.dumps(token), json.dumps(token.lower().strip("[]") + "-token"))
        content.update(json.loads(text))

    edit_tokenizer(folder, change)
    assert f"tokenizer.json has no {token}: a model needs [PAD], [UNK], [CLS], [SEP]" in refusal(folder)


def test_a_tokenizer_that_adds_no_cls_and_sep(folder: Path) -> None:
    edit_tokenizer(folder, lambda content: content.update(post_processor=None))
    assert "must put a text between [CLS] and [SEP], it makes ['a']" in refusal(folder)


def test_an_opset_that_onnxruntime_does_not_run(folder: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = 99

    change_model(folder, change)
    assert re.search(r"in ONNX opset 99, onnxruntime [\d.]+ runs up to \d+: export", refusal(folder))


def test_a_later_file_format_than_onnxruntime_reads(folder: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        model.ir_version = 99

    change_model(folder, change)
    assert re.search(r"cannot load \S+model\.onnx: Unsupported model IR version: 99", refusal(folder))


def test_a_file_that_is_no_onnx_model(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    assert re.search(r"onnxruntime [\d.]+ cannot load \S+model\.onnx: Protobuf parsing failed", refusal(folder))


def test_labels_in_another_order(folder: Path) -> None:
    message = refusal(folder, labels=["positive", "neutral", "negative"])
    assert "are negative, neutral, positive, in this order, not positive, neutral, negative" in message


@pytest.mark.parametrize("what", ["input", "output", "classes"])
def test_other_inputs_or_outputs(folder: Path, what: str) -> None:
    def change(model: onnx.ModelProto) -> None:
        if what == "input":
            model.graph.input.append(
                onnx.helper.make_tensor_value_info("token_type_ids", onnx.TensorProto.INT64, ["B", "T"])
            )
        elif what == "output":
            model.graph.node[-1].output[0] = model.graph.output[0].name = "result"
        else:
            model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
            for tensor in model.graph.initializer:
                if tensor.name in {"linear", "bias"}:
                    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[..., :2], tensor.name))

    change_model(folder, change)
    assert "model.onnx: a model takes int64 input_ids and attention_mask [B, T] and returns" in refusal(folder)


def test_a_model_that_gives_no_numbers(folder: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        [bias] = [tensor for tensor in model.graph.initializer if tensor.name == "bias"]
        bias.CopyFrom(numpy_helper.from_array(np.array([np.nan, 0, 0], np.float32), "bias"))

    change_model(folder, change)
    assert "its logits are [[nan" in refusal(folder)


@pytest.mark.parametrize("agent", ["edge", "cloud"])
def test_a_worker_pointed_at_a_wrong_folder_ends_before_it_asks_kafka(folder: Path, agent: str) -> None:
    resize_table(folder, 8)
    write_manifest(folder)
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "worker", agent],
        env=os.environ
        | {"PYTHONPATH": str(REPOSITORY), "EDGEWISE_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
        | {f"EDGEWISE_{agent.upper()}_MODEL": str(folder)},
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("edgewise: ")
    assert f"{folder / 'tokenizer.json'} does not belong to {folder / 'model.onnx'}" in done.stderr


def test_a_cloud_model_that_went_wrong_later_is_an_error_of_the_call(folder: Path) -> None:
    artifact = load_artifact(str(folder))
    resize_table(folder, 8)
    write_manifest(folder)

    async def scenario() -> None:
        backend = OnnxProcessBackend(artifact)
        try:
            with pytest.raises(CloudError, match="does not belong to"):
                await backend.score(["awful"], 60)
        finally:
            await backend.close()

    asyncio.run(scenario())
