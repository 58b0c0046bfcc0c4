"""A small token classifier, run by onnxruntime, for names and addresses without a cue."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from models.artifact import ArtifactError
from models.redaction.kinds import Kind, Span
from models.redaction.tag_artifact import TagArtifact, load_tag_artifact

INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")
"""What the model takes, int64 `[batch, tokens]`; its token types are `capitals`. It gives `logits`."""

WORD: Final = re.compile(r"[^\W\d_]+")

_OVERLAP = 32  # pieces that two windows of a long text share: each sees what is around the other's end


def capitals(text: str, encoding: Encoding) -> list[int]:
    """For each piece of `text` 1 where its word begins with a capital, else 0; all 0 without a small letter."""
    if not any(map(str.islower, text)):
        return [0] * len(encoding.ids)
    marks, last, capital = [], None, 0
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word is None or word != last:
            last, capital = word, int(start < end and text[start].isupper())
        marks.append(capital)
    return marks


class OnnxTagger:
    """Runs an artifact's token classifier, a text a call, so that a text's spans depend on that text alone.

    A text whose words are all common is not read. Each piece is read with whether its word begins with a capital, which
    the pieces themselves do not tell.
    A word is of a kind where the mean probability of the kinds told, over its pieces, reaches the manifest's threshold;
    words of one kind with nothing but white space between are one span. A text of more pieces than the model takes is
    read in windows.

    One caller at a time may use an instance. Raises ArtifactError: a file is missing or altered, or can't be loaded.
    """

    def __init__(self, name_or_folder: str) -> None:
        artifact = load_tag_artifact(name_or_folder)
        manifest = artifact.manifest
        self._told: Sequence[Kind] = manifest.told
        self._columns = [manifest.classes.index(kind) for kind in manifest.told]
        self._threshold = manifest.threshold
        self._common = manifest.common
        self._window = manifest.max_tokens - 2  # [CLS] and [SEP]
        self._tokenizer, self._session = _load(artifact)
        self._ends = self._tokenizer.encode("").ids

    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in the order of `texts`."""
        return [self._spans(text) for text in texts]

    def _spans(self, text: str) -> list[Span]:
        if self._common.issuperset(WORD.findall(text.casefold())):
            return []
        try:
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
        except TypeError:
            # Half a surrogate pair, which has no UTF-8: "?" stands for it, one character for one.
            encoding = self._tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False)
        if not encoding.ids:
            return []
        probabilities = self._probabilities(encoding.ids, capitals(text, encoding))[:, self._columns]
        spans: list[Span] = []
        for start, end, kind in self._words(encoding, probabilities):
            last = spans[-1] if spans else None
            if last and last.kind == kind and not text[last.end : start].strip():
                spans[-1] = Span(last.start, end, kind)
            else:
                spans.append(Span(start, end, kind))
        return spans

    def _words(self, encoding: Encoding, probabilities: NDArray[np.float32]) -> list[tuple[int, int, Kind]]:
        """The start, end and kind of each word that is of one."""
        words = np.array(encoding.word_ids)
        first = np.flatnonzero(np.append(True, words[1:] != words[:-1]))
        after = np.append(first[1:], len(words))
        means = np.add.reduceat(probabilities, first) / (after - first)[:, None]
        offsets = encoding.offsets
        return [
            (offsets[first[at]][0], offsets[after[at] - 1][1], self._told[int(means[at].argmax())])
            for at in np.flatnonzero(means.sum(axis=1) >= self._threshold)
        ]

    def _probabilities(self, ids: list[int], capital: list[int]) -> NDArray[np.float32]:
        """Softmax of each piece's logits, `[pieces, classes]`; where windows overlap, the greater probability stays.

        What one window sees and the other does not is found all the same.
        """
        step = self._window - _OVERLAP if len(ids) > self._window else self._window
        result: NDArray[np.float32] | None = None
        for start in range(0, max(1, len(ids) - (self._window - step)), step):
            window = ids[start : start + self._window]
            row = np.array([[self._ends[0], *window, self._ends[1]]], np.int64)
            types = np.array([[0, *capital[start : start + self._window], 0]], np.int64)
            (logits,) = self._session.run(None, dict(zip(INPUTS, (row, np.ones_like(row), types), strict=True)))
            powers = np.exp(logits[0, 1:-1] - logits[0, 1:-1].max(axis=1, keepdims=True))
            if result is None:
                result = np.zeros((len(ids), powers.shape[1]), np.float32)
            part = result[start : start + len(window)]
            np.maximum(part, powers / powers.sum(axis=1, keepdims=True), out=part)
        return np.asarray(result)


def _load(artifact: TagArtifact) -> tuple[Tokenizer, onnxruntime.InferenceSession]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        tokenizer = Tokenizer.from_file(str(artifact.tokenizer_path))
        session = onnxruntime.InferenceSession(artifact.model_path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # neither library raises a narrower class
        reason = " ".join(str(error).split())
        raise ArtifactError(f"the tagger in {artifact.folder} cannot be loaded: {reason}") from error
    inputs = tuple(each.name for each in session.get_inputs())
    if inputs != INPUTS:
        raise ArtifactError(
            f"the tagger in {artifact.folder} takes {', '.join(inputs)}, and not {', '.join(INPUTS)}: make one with "
            "`edgewise train redaction`"
        )
    classes = session.get_outputs()[0].shape[-1]
    if classes != len(artifact.manifest.classes):
        raise ArtifactError(
            f"the manifest in {artifact.folder} has {len(artifact.manifest.classes)} classes, its model {classes}"
        )
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, session
