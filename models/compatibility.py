"""What only onnxruntime and tokenizers can tell of an artifact: whether its model and its tokenizer belong together."""

import re

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from models.artifact import Artifact, ArtifactError
from schemas.records import LABELS

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
# Words of a failed probe belong into the error that is raised here, not on standard error too.
_SILENT = 4


def check(artifact: Artifact, tokenizer: Tokenizer, session: onnxruntime.InferenceSession) -> None:
    """Raises ArtifactError unless the model scores whatever the tokenizer can put out, up to `max_tokens` of it.

    The model is probed by running it, which holds for every format that its embedding table may be stored in: the
    tokenizer's largest id must be a row of the table and the next one must not (a table with more rows was made for
    another vocabulary), and `max_tokens` of them must not exceed its position table.
    """
    _check_signature(artifact, session)
    _check_tokenizer(artifact, tokenizer)
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    belongs = (
        f"{artifact.tokenizer_path} does not belong to {artifact.model_path}: the tokenizer has {largest + 1:,} ids"
    )
    if (why := _probe(session, largest, 1)) is not None:
        raise ArtifactError(f"{belongs}, the model's table has fewer rows ({why})")
    if _probe(session, largest + 1, 1) is None:
        raise ArtifactError(f"{belongs}, the model's table has more rows")
    if (why := _probe(session, largest, artifact.max_tokens)) is not None:
        raise ArtifactError(
            f"{artifact.model_path} cannot read {artifact.max_tokens:,} tokens, the max_tokens of its manifest ({why})"
        )


def not_loadable(artifact: Artifact, error: Exception) -> ArtifactError:
    """The error to raise when onnxruntime refuses the model file with `error`."""
    runtime = f"onnxruntime {onnxruntime.__version__}"
    why = _one_line(error)
    if found := re.search(r"Opset (\d+) is .*support for domain ai\.onnx is till opset (\d+)", why):
        return ArtifactError(
            f"{artifact.model_path} is written in ONNX opset {found[1]}, {runtime} runs up to {found[2]}: export it "
            "with that or an earlier one"
        )
    return ArtifactError(f"{runtime} cannot load {artifact.model_path}: {why}")


def _check_signature(artifact: Artifact, session: onnxruntime.InferenceSession) -> None:
    inputs = {value.name: value.type for value in session.get_inputs()}
    outputs = {value.name: (value.type, value.shape[-1:]) for value in session.get_outputs()}
    wanted = dict.fromkeys(("input_ids", "attention_mask"), "tensor(int64)")
    if inputs != wanted or outputs.get("logits") != ("tensor(float)", [len(LABELS)]):
        raise ArtifactError(
            f"{artifact.model_path}: a model takes int64 input_ids and attention_mask [B, T] and returns float logits "
            f"[B, {len(LABELS)}], not {inputs} and {outputs}"
        )


def _check_tokenizer(artifact: Artifact, tokenizer: Tokenizer) -> None:
    if missing := [token for token in _SPECIAL if tokenizer.token_to_id(token) is None]:
        raise ArtifactError(
            f"{artifact.tokenizer_path} has no {', '.join(missing)}: a model needs {', '.join(_SPECIAL)}"
        )
    tokens = tokenizer.encode("a").tokens
    if (tokens[:1], tokens[-1:]) != (["[CLS]"], ["[SEP]"]):
        raise ArtifactError(f"{artifact.tokenizer_path} must put a text between [CLS] and [SEP], it makes {tokens}")


def _probe(session: onnxruntime.InferenceSession, token: int, length: int) -> str | None:
    """None when the model takes a text of `length` times `token` and gives finite logits, else what went wrong."""
    ids = np.full((1, length), token, np.int64)
    options = onnxruntime.RunOptions()
    options.log_severity_level = _SILENT
    try:
        (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}, options)
    except Exception as error:  # noqa: BLE001 - onnxruntime's classes share no narrower base
        return _one_line(error)
    if logits.shape != (1, len(LABELS)) or not np.isfinite(logits).all():
        return f"its logits are {logits.tolist()}"
    return None


def _one_line(error: Exception) -> str:
    """What onnxruntime says, in one line, without its error code and the function of its own that says so."""
    text = " ".join(str(error).split()).rpartition("Status Message: ")[2]
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    return re.sub(r"^(Load model from \S+ failed: ?)?(/onnxruntime_src/\S+ .*\) )?", "", text)
