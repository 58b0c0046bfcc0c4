"""The file formats: what is in the files, how near to float32 they answer, and that a text's answer is its own."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("transformers")

from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from models.artifact import MODEL, Manifest, load_artifact
from models.classifier import Classifier, load_session, pad
from training.artifacts import compress, manifest
from training.artifacts.compress import FORMATS, Format
from training.data.corpus import Example
from training.learn import network, vocabulary
from training.measure import speed

EXACT: tuple[Format, ...] = ("fp32", "int8s", "int8w", "int4w")
"""What may ship: a text's answer does not depend on its batch mates."""

# Bytes of a weight (in 4 bits the embeddings, most of this network, stay in INT8), and how much the probabilities may
# move on average, twice what they do. Nibbles swapped move them by 1e-2, activations cut at a quarter of their range by
# 2.4e-3.
BYTES = {"fp32": 4, "int8": 1, "int8s": 1, "int8w": 1, "int4w": 1}
MOVED = {"fp32": 1e-6, "int8": 4e-3, "int8s": 1.7e-3, "int8w": 1.6e-3, "int4w": 2.2e-3}

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tokenizer(words: int) -> Tokenizer:
    pieces = [*vocabulary.SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    pieces += [a + b for a in LETTERS for b in LETTERS][: words - len(pieces)]
    made = Tokenizer(WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))  # type: ignore[arg-type]
    made.normalizer = BertNormalizer()  # type: ignore[assignment]
    made.pre_tokenizer = BertPreTokenizer()  # type: ignore[assignment]
    made.post_processor = TemplateProcessing(  # type: ignore[assignment]
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.add_special_tokens(list(vocabulary.SPECIAL))
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with one model, compressed to every format."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(3)
    pieces = tokenizer(600)
    model = network.build(
        {
            "model_type": "bert",
            "vocab_size": 600,
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 256,
            "max_position_embeddings": 256,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        }
    )
    with torch.no_grad():
        # Embeddings and attention as wide apart as a trained network's, so that texts differ.
        model.encoder.embeddings.word_embeddings.weight.mul_(20)
        model.head.weight.mul_(20)
    (folder / "models").mkdir()
    network.save(model, pieces, folder / "models" / "edge-1")
    texts = made_up_texts(60)
    with pytest.MonkeyPatch.context() as patch:
        # How fast is another test's matter: a process for each measurement.
        patch.setattr(speed, "measure", lambda folders, *_: [{} for _ in folders])
        result = compress.compress_models(
            folder,
            ["edge-1"],
            FORMATS,
            [Example(str(at), text, at % 3) for at, text in enumerate(texts)],
            made_up_texts(40, seed=5),
            describe,
        )
    (folder / "compress.json").write_text(json.dumps(result))
    return folder


def describe(folder: Path, name: str, file_format: str) -> None:
    source = f"{name}/{file_format}"
    manifest.describe(folder, name="edge", source=source, base="made up", max_tokens=256, seed=3, data=[], libraries={})


def made_up_texts(count: int, seed: int = 1) -> list[str]:
    draw = np.random.default_rng(seed)
    words = [a + b for a in LETTERS for b in LETTERS[:20]]
    return [" ".join(draw.choice(words, draw.integers(1, 40))) for _ in range(count)]


def folder_of(run: Path, file_format: str) -> Path:
    return run / "artifacts" / "edge-1" / file_format


def logits(run: Path, file_format: str, rows: list[list[int]], width: int = 0) -> NDArray[np.float32]:
    session = load_session(load_artifact(str(folder_of(run, file_format))))
    more = max(0, width - max(map(len, rows)))
    (result,) = session.run(
        ["logits"], {name: np.pad(each, ((0, 0), (0, more))) for name, each in pad(rows, 0).items()}
    )
    return np.asarray(result)


def rows_of(run: Path, count: int = 40) -> list[list[int]]:
    return network.encode(network.load(run / "models" / "edge-1")[1], made_up_texts(count, seed=9))


def test_what_is_measured_of_each_format(run: Path) -> None:
    rows = json.loads((run / "compress.json").read_text())["rows"]
    assert [row["format"] for row in rows] == list(FORMATS)
    for row in rows:
        assert row["bytes"] == (folder_of(run, row["format"]) / MODEL).stat().st_size
        assert row["agreement_with_fp32"] > 0.8
    assert rows[0]["agreement_with_fp32"] == 1


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_file_is_as_small_as_its_weights_and_what_its_manifest_says(run: Path, file_format: Format) -> None:
    folder = folder_of(run, file_format)
    written = Manifest.model_validate_json((folder / "manifest.json").read_text("utf-8"))
    assert written.files[MODEL].bytes == (folder / MODEL).stat().st_size
    assert written.files[MODEL].sha256 == manifest.sha256(folder / MODEL)
    assert written.training["source"] == f"edge-1/{file_format}"
    model, _ = network.load(run / "models" / "edge-1")
    weights = sum(each.numel() for each in model.parameters())
    assert folder.joinpath(MODEL).stat().st_size < 1.1 * BYTES[file_format] * weights + 60_000
    # No large constant is left in float32 beside its small form.
    constants = onnx.load(folder / MODEL).graph.initializer
    largest = max((np.prod(each.dims) for each in constants if each.data_type == onnx.TensorProto.FLOAT), default=0)
    assert (largest >= 64 * 256) == (file_format == "fp32")


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_worker_answers_nearly_as_the_network(run: Path, file_format: Format) -> None:
    model, pieces = network.load(run / "models" / "edge-1")
    texts = made_up_texts(60, seed=9)
    wanted = torch.softmax(network.predict(model, network.encode(pieces, texts)), dim=1).numpy()
    given = Classifier(load_artifact(str(folder_of(run, file_format)))).score(texts)
    assert np.ptp(wanted, axis=0).min() > 0.2  # the texts do differ
    assert np.abs(given - wanted).mean() < MOVED[file_format]


@pytest.mark.parametrize("file_format", EXACT)
def test_neither_padding_nor_batch_mates_change_an_answer(run: Path, file_format: Format) -> None:
    rows = rows_of(run)
    alone = np.concatenate([logits(run, file_format, [row]) for row in rows])
    np.testing.assert_allclose(logits(run, file_format, rows), alone, atol=1e-3)
    np.testing.assert_allclose(logits(run, file_format, rows, width=256), alone, atol=1e-3)


def test_batch_mates_change_what_scales_at_run_time(run: Path) -> None:
    rows = rows_of(run)
    alone = np.concatenate([logits(run, "int8", [row]) for row in rows])
    assert np.abs(logits(run, "int8", rows) - alone).max() > 1e-2


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_order_of_texts_changes_nothing_at_all(run: Path, file_format: Format) -> None:
    texts = made_up_texts(60, seed=11)
    classifier = Classifier(load_artifact(str(folder_of(run, file_format))), token_budget=300)
    shuffled = np.random.default_rng(2).permutation(len(texts))
    np.testing.assert_array_equal(
        classifier.score(texts)[shuffled], classifier.score([texts[index] for index in shuffled])
    )


def test_speed_is_measured_in_a_process_of_its_own(run: Path) -> None:
    folders = [folder_of(run, file_format) for file_format in ("fp32", "int8s")]
    for measured in speed.measure(folders, made_up_texts(40), repetitions=1):
        for threads in ("threads_1", "threads_2"):
            latency = measured["latency_ms"][threads]
            assert list(latency["by_tokens"]) == ["8", "24", "64", "128", "256"]
            for timing in (latency["mean"], latency["p50"], latency["p95"], *latency["by_tokens"].values()):
                assert 0 < timing["spread"][0] <= timing["value"] <= timing["spread"][1]
            assert latency["p50"]["value"] <= latency["p95"]["value"]
            assert measured["texts_per_s"][threads].keys() == {"sorted", "padded_256"}
        # Neither torch nor what this process holds is in it.
        assert 10 < measured["peak_memory_mib"] < 500
