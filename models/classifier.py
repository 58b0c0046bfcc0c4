"""The sentiment classifier: texts in, calibrated probabilities out."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models import compatibility
from models.artifact import Artifact, ArtifactError
from models.text import normalise
from schemas.records import LABELS

# Operators that a dynamically quantised model has: each finds the scale of its input over the whole batch.
_QUANTISES_AT_RUN_TIME = b"DynamicQuantize"


class Classifier:
    """Runs an artifact's model with onnxruntime, so that a text's probabilities depend on that text alone.

    Texts are sorted by length and cut into batches of at most `token_budget` tokens (texts times the longest of them),
    padded to their own longest only. A text alone may exceed the budget.

    A dynamically quantised model (INT8 activations) takes one text a call instead, `threads` calls at a time. It scales
    a batch's activations by their extremes, so each text's result would depend on its batch mates, and a replay, whose
    batches are others, would publish other labels. On the shipped edge model that is 1 % of the labels of 2,193 tweets,
    with confidences moved by 0.12 at most; one text a call takes 1.2 times as long as batches do
    (`python -m benchmarks.batch_mates`).

    One caller at a time may use an instance, from any thread.

    Raises ArtifactError: onnxruntime or tokenizers can't load the files, or they do not fit each other.
    """

    def __init__(self, artifact: Artifact, *, threads: int = 1, token_budget: int = 2048) -> None:
        self.id = artifact.id
        self._temperature = artifact.temperature
        self._tokenizer = _load_tokenizer(artifact, threads)
        self._pad = self._tokenizer.token_to_id("[PAD]") or 0
        alone = _QUANTISES_AT_RUN_TIME in artifact.model_path.read_bytes()
        self._token_budget = 1 if alone else token_budget
        self._session = _load_session(artifact, 1 if alone else threads)
        compatibility.check(artifact, self._tokenizer, self._session)
        # Kept for as long as this instance: its threads end with it.
        self._map = ThreadPoolExecutor(threads, "classifier").map if alone and threads > 1 else map

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities (n, 3) of negative, neutral, positive, in the order of `texts`: softmax(logits / temperature).

        Each is normalised and truncated to the artifact's `max_tokens` first. No texts: shape (0, 3).
        """
        logits = np.empty((len(texts), len(LABELS)), np.float32)
        if not texts:
            return logits
        ids = self._encode([normalise(text) for text in texts])
        batches = list(_batches([len(row) for row in ids], self._token_budget))
        results = self._map(self._run, [[ids[row] for row in rows] for rows in batches])
        for rows, result in zip(batches, results, strict=True):
            logits[rows] = result
        return softmax(logits, self._temperature)

    def _encode(self, texts: list[str]) -> list[list[int]]:
        try:
            encodings = self._tokenizer.encode_batch_fast(texts)
        except TypeError:
            # Half a surrogate pair, which JSON's \ud83d can name and UTF-8 cannot: "?" stands for it.
            encodings = self._tokenizer.encode_batch_fast([text.encode("utf-8", "replace").decode() for text in texts])
        return [encoding.ids for encoding in encodings]

    def _run(self, batch: list[list[int]]) -> NDArray[np.float32]:
        """Logits of token rows, of which the last is the longest."""
        ids = np.full((len(batch), len(batch[-1])), self._pad, np.int64)
        mask = np.zeros_like(ids)
        for i, tokens in enumerate(batch):
            ids[i, : len(tokens)] = tokens
            mask[i, : len(tokens)] = 1
        (logits,) = self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        return np.asarray(logits)


def softmax(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Each row's softmax of logits / temperature, computed in double precision."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _batches(lengths: Sequence[int], token_budget: int) -> Iterator[list[int]]:
    """Indices of `lengths`, shortest first, in runs whose size times longest is within the budget."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if rows and (len(rows) + 1) * lengths[row] > token_budget:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _load_tokenizer(artifact: Artifact, threads: int) -> Tokenizer:
    # Read once in a process, when tokenizers first works in parallel. Without them it takes every core of the machine.
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if threads > 1 else "false")
    try:
        tokenizer = Tokenizer.from_file(str(artifact.tokenizer_path))
    except Exception as error:  # tokenizers raises no narrower class
        raise ArtifactError(f"tokenizers cannot load {artifact.tokenizer_path}: {_one_line(error)}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(artifact.max_tokens)
    return tokenizer


def _load_session(artifact: Artifact, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors only: they are raised as well, warnings are about the graph's making
    # Threads that spin while idle take the core that delivery and the broker need: with two threads and 2 ms between
    # calls, 1.7 times the processor time for the same work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(artifact.model_path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes share no narrower base
        raise compatibility.not_loadable(artifact, error) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
