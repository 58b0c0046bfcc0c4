"""A small network over words, run by onnxruntime, for names and addresses without a cue."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.artifact import ArtifactError
from models.redaction.kinds import Kind, Span
from models.redaction.tag_artifact import TagArtifact, load_tag_artifact
from models.redaction.tag_words import COLUMNS, WORD, WordReader

INPUT: Final = "words"
"""What the model takes: int64 `[words, COLUMNS]`."""

OUTPUT: Final = "probabilities"
"""What it gives: float32 `[words, classes]`, each row adding up to 1."""

BESIDE: Final = 0.05
"""From this probability of the kinds told together on, a word beside one that is told belongs to its span.

Chosen with the threshold, on dev sets: see docs/redaction.md.
"""

_WINDOW = 1024  # words of a text that are in memory as vectors at once


class OnnxTagger:
    """Runs an artifact's network, a text a call, so that a text's spans depend on that text alone.

    A text whose words are all common is not read. A word is of a kind where the probability of the kinds told together
    reaches the manifest's threshold, and what is beside it where that reaches `BESIDE` (Canny's hysteresis, 1986): a
    name or an address is mostly told as a whole. Words of one kind with nothing but white space between are one span.

    One caller at a time may use an instance. Raises ArtifactError: a file is missing or altered, or can't be loaded.
    """

    def __init__(self, name_or_folder: str) -> None:
        artifact = load_tag_artifact(name_or_folder)
        manifest = artifact.manifest
        self._told: Sequence[Kind] = manifest.told
        self._columns = [manifest.classes.index(kind) for kind in manifest.told]
        self._threshold = manifest.threshold
        self._reach = manifest.reach
        tokenizer, self._session = _load(artifact)
        self._reader = WordReader(tokenizer, manifest.common)

    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in the order of `texts`."""
        return [self._spans(text) for text in texts]

    def _spans(self, text: str) -> list[Span]:
        words = list(WORD.finditer(text))
        rows = self._reader.read(text, [word[0] for word in words])
        if rows is None:
            return []
        told = self._probabilities(rows)[:, self._columns]
        of_any = told.sum(axis=1)
        if of_any.max() < self._threshold:
            return []
        beside = np.flatnonzero(of_any >= BESIDE)
        runs = np.split(beside, np.flatnonzero(np.diff(beside) > 1) + 1)
        spans: list[Span] = []
        for at in (at for run in runs if of_any[run].max() >= self._threshold for at in run):
            kind = self._told[int(told[at].argmax())]
            start, end = words[at].span()
            if spans and spans[-1].kind == kind and not text[spans[-1].end : start].strip():
                spans[-1] = Span(spans[-1].start, end, kind)
            else:
                spans.append(Span(start, end, kind))
        return spans

    def _probabilities(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The probabilities of each word.

        A long text is read in windows, with as many words around each as the network sees of a word's neighbours: so
        they are those of the whole text.
        """
        parts = []
        for start in range(0, len(rows), _WINDOW):
            first = max(0, start - self._reach)
            (seen,) = self._session.run(None, {INPUT: rows[first : start + _WINDOW + self._reach]})
            parts.append(seen[start - first : start - first + _WINDOW])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


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
    takes = [(each.name, each.shape[-1]) for each in session.get_inputs()]
    if takes != [(INPUT, COLUMNS)]:
        names = ", ".join(f"{name} of {size}" for name, size in takes)
        raise ArtifactError(
            f"the tagger in {artifact.folder} takes {names}, and not {INPUT} of {COLUMNS}: make one with "
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
