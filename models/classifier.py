"""The sentiment classifier: texts in, calibrated probabilities out."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models import compatibility, rules
from models.artifact import Artifact, ArtifactError
from models.doubt import doubted
from models.long_text import fit, pool, weigh
from models.text import SPOKEN_BY, normalise
from schemas.records import LABELS, Role

# Operators that a dynamically quantised model has: each finds the scale of its input over the whole batch.
_QUANTISES_AT_RUN_TIME = b"DynamicQuantize"

# Small batches hold little padding, fit the processor's cache (256 tokens of the edge's widest layer are 0.5 MB), and
# there are some for each thread. A text's processor time with 256, 512 and 2,048: edge-tiny, 32 in a call, 265, 289
# and 346 us; cloud, 64 texts, 2.5, 2.6 and 3.6 ms. With 128 the number of calls begins to cost: 6 % of 500 texts.
TOKEN_BUDGET = 256


class Classifier:
    """Runs an artifact's model with onnxruntime, so that a text's probabilities depend on that text alone.

    Texts are sorted by length and cut into batches of at most `token_budget` tokens (texts times the longest of them),
    padded to their own longest only; `threads` batches are run at a time, each by one thread. A text alone may exceed
    the budget. The order in which texts are given changes nothing, nor does `threads`; what else is among them, or how
    far a batch is padded, changes a logit by 1e-5 at most: float32 sums in another order.

    A dynamically quantised model (INT8 activations, scaled at run time) takes one text a call instead. It scales a
    batch's activations by their extremes, so each text's result would depend on its batch mates, and a replay, whose
    batches are others, would publish other labels.

    A text longer than the artifact's `max_tokens` is read as its manifest's `long_text` says, and the logits of several
    pieces are averaged; with a `weighing` it is read in pieces, and answered as that says.

    What a rule answers (`models.rules`) the model is not asked. Of a text in which it knows no piece it is not sure
    (`models.doubt`).

    One caller at a time may use an instance, from any thread.

    Raises ArtifactError: onnxruntime or tokenizers can't load the files, or they do not fit each other.
    """

    def __init__(self, artifact: Artifact, *, threads: int = 1, token_budget: int = TOKEN_BUDGET) -> None:
        self.id = artifact.id
        self.languages = artifact.languages
        self._temperature = artifact.temperature
        self._reads_roles = artifact.reads_roles
        self._max_tokens, self._long_text, self._weighing = artifact.max_tokens, artifact.long_text, artifact.weighing
        self._tokenizer = load_tokenizer(artifact, threads)
        self._pad = self._tokenizer.token_to_id("[PAD]") or 0
        self._unknown = self._tokenizer.token_to_id("[UNK]")
        alone = _QUANTISES_AT_RUN_TIME in artifact.model_path.read_bytes()
        self._token_budget = 1 if alone else token_budget
        # What a role adds to a text is not of its words.
        self._added = {role: len(self._encode([said])[0]) - 2 for role, said in SPOKEN_BY.items()}
        self._session = load_session(artifact)
        compatibility.check(artifact, self._tokenizer, self._session)
        # Kept for as long as this instance: its threads end with it.
        self._map = ThreadPoolExecutor(threads, "classifier").map if threads > 1 else map

    def score(self, texts: Sequence[str], roles: Sequence[Role] | None = None) -> NDArray[np.float32]:
        """Probabilities (n, 3) of negative, neutral, positive, in the order of `texts`: softmax(logits / temperature).

        Each is normalised first. The rules and a model that learned who speaks are told the texts' `roles`; other
        models do without, and so do all where no roles are given. No texts: shape (0, 3).
        """
        said_by: Sequence[Role] = ["unknown"] * len(texts) if roles is None else roles
        ruled = [rules.answer(text, role) for text, role in zip(texts, said_by, strict=True)]
        asked = [number for number, given in enumerate(ruled) if given is None]
        result = np.array([(0.0, 0.0, 0.0) if given is None else given for given in ruled], np.float32)
        result = result.reshape(-1, len(LABELS))
        if asked:
            told: Sequence[Role] = said_by if self._reads_roles else ["unknown"] * len(texts)
            result[asked] = self._ask([texts[number] for number in asked], [told[number] for number in asked])
        return result

    def _ask(self, texts: Sequence[str], roles: Sequence[Role]) -> NDArray[np.float32]:
        """What the model says of `texts`, as `score` returns it; there is one at least."""
        encoded = self._encode(
            [SPOKEN_BY.get(role, "") + normalise(text) for text, role in zip(texts, roles, strict=True)]
        )
        weighed = self._weighing is not None
        pieces = [fit(ids, self._max_tokens, self._long_text, weighed=weighed) for ids in encoded]
        rows = [row for rows in pieces for row in rows]
        logits = np.empty((len(rows), len(LABELS)), np.float32)
        batches = list(_batches(rows, self._token_budget))
        run_all = self._map if len(batches) > 1 else map  # handing one to another thread and back takes 0.1 ms
        results = run_all(self._run, [[rows[index] for index in batch] for batch in batches])
        for batch, result in zip(batches, results, strict=True):
            logits[batch] = result
        if len(rows) > len(texts):
            text_of = np.repeat(np.arange(len(texts)), [len(rows) for rows in pieces])
            logits = self._pool(logits, [len(row) for row in rows], text_of, [len(ids) for ids in encoded])
        probabilities = softmax(logits, self._temperature)
        for number, (ids, role) in enumerate(zip(encoded, roles, strict=True)):
            # Between what begins it and what ends it.
            if all(each == self._unknown for each in ids[1 + self._added.get(role, 0) : -1]):
                probabilities[number] = doubted(probabilities[number].tolist())
        return probabilities

    def _pool(
        self, logits: NDArray[np.float32], tokens: list[int], text_of: NDArray[np.int64], lengths: list[int]
    ) -> NDArray[np.float32]:
        pooled = pool(logits, tokens, text_of)
        if self._weighing is None:
            return pooled
        weighed = weigh(logits, tokens, text_of, self._temperature, self._weighing)
        return np.where(np.array(lengths)[:, None] > self._max_tokens, weighed, pooled)

    def _encode(self, texts: list[str]) -> list[list[int]]:
        try:
            encodings = self._tokenizer.encode_batch_fast(texts)
        except TypeError:
            # Half a surrogate pair, which JSON's \ud83d can name and UTF-8 cannot: "?" stands for it.
            encodings = self._tokenizer.encode_batch_fast([text.encode("utf-8", "replace").decode() for text in texts])
        return [encoding.ids for encoding in encodings]

    def _run(self, batch: list[list[int]]) -> NDArray[np.float32]:
        (logits,) = self._session.run(["logits"], pad(batch, self._pad))
        return np.asarray(logits)


def pad(rows: Sequence[Sequence[int]], padding: int) -> dict[str, NDArray[np.int64]]:
    """What a model takes for token `rows`: ids and mask, each as wide as the longest row."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(mask.shape, padding, np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(rows), np.int64, lengths.sum())
    return {"input_ids": ids, "attention_mask": mask.astype(np.int64)}


def softmax(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Each row's softmax of logits / temperature, computed in double precision."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _batches(rows: Sequence[list[int]], token_budget: int) -> Iterator[list[int]]:
    """Indices of `rows`, shortest first, in runs whose size times longest is within the budget.

    Rows of one length are in the order of their ids: so the same rows make the same batches, however they are given.
    """
    batch: list[int] = []
    for index in sorted(range(len(rows)), key=lambda index: (len(rows[index]), rows[index])):
        if batch and (len(batch) + 1) * len(rows[index]) > token_budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def load_tokenizer(artifact: Artifact, threads: int) -> Tokenizer:
    """The artifact's tokenizer, without padding or truncation; raises ArtifactError."""
    # Read once in a process, when tokenizers first works in parallel. Without them it takes every core of the machine.
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if threads > 1 else "false")
    try:
        tokenizer = Tokenizer.from_file(str(artifact.tokenizer_path))
    except Exception as error:  # tokenizers raises no narrower class
        raise ArtifactError(f"tokenizers cannot load {artifact.tokenizer_path}: {_one_line(error)}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def load_session(artifact: Artifact) -> onnxruntime.InferenceSession:
    """The artifact's model, ready to be run by any number of threads, a call each; raises ArtifactError."""
    options = onnxruntime.SessionOptions()
    # On two threads one text takes longer: 0.46 ms instead of 0.33 (edge-tiny), 3.0 ms instead of 2.7 (cloud).
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors only: they are raised as well, warnings are about the graph's making
    try:
        return onnxruntime.InferenceSession(artifact.model_path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes share no narrower base
        raise compatibility.not_loadable(artifact, error) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
