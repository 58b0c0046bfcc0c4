"""What a model reads of a long text: its beginning, its beginning and end, or all of it in pieces."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

How = Literal["head", "head_tail", "chunks"]
"""`head`: the beginning; `head_tail`: the first quarter of what fits, and the end; `chunks`: all, piece by piece."""

PIECE = 32
"""The longest chunk. Models that learned from messages of about this length call what is longer negative, ever more.

Of 352 whole calls a model of three layers had right, in chunks of 256 tokens 0.42, of 128 0.46, of 64 0.49, of 32 0.55;
of the 356 others, which it is reported on, 0.46, 0.50, 0.53, 0.57.
"""

WHOLE = 64
"""The longest text that `chunks` leaves whole: hardly a message is longer. Given the first 64 tokens of the same calls
the model had 0.54 right at once and 0.48 in pieces; given the first 128, 0.57 and 0.60."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """How a text of more than `max_tokens` is answered from its pieces, where its manifest says so (`weighing`).

    A piece of a conversation is neutral most of the time, and so is the plain mean of all. So each piece's logits count
    by its tokens times `(1 - p) ** 2`, where p is its own probability of neutral. The mean, centred, is divided by
    `temperature`, and `offsets` of negative, neutral, positive are added: softmax of that is the answer. They are
    fitted on whole calls (`training.artifacts.long_text`).
    """

    temperature: float
    offsets: tuple[float, float, float]


def fit(ids: list[int], max_tokens: int, how: How, *, weighed: bool = False) -> list[list[int]]:
    """The rows of at most `max_tokens` ids that stand for one text's `ids`; a text that is not long is one, unchanged.

    Long is what has more than `max_tokens`, for `chunks` more than `WHOLE`. `ids` starts with [CLS] and ends with
    [SEP], and so does each row. `head_tail` gives the beginning a quarter, as Sun et al. 2019 ("How to Fine-Tune BERT
    for Text Classification", 5.2.1) do with 128 of 510: a conversation's outcome stands at its end. `chunks` keeps
    every id, once, in as few rows of at most `PIECE` as hold them, all of one length but for one id: a last row of a
    few words would say little, and be as loud as any other per token.

    `weighed` reads what is longer than `max_tokens` as `chunks` does, whatever `how` says.

    A row has room for [CLS], [SEP] and one id at least: `max_tokens` is 3 or more, as in every manifest.
    """
    if weighed and len(ids) > max_tokens:
        how = "chunks"
    if len(ids) <= (min(WHOLE, max_tokens) if how == "chunks" else max_tokens):
        return [ids]
    first, body, last = ids[0], ids[1:-1], ids[-1]
    room = (min(PIECE, max_tokens) if how == "chunks" else max_tokens) - 2
    if how == "head":
        pieces = [body[:room]]
    elif how == "head_tail":
        head = room // 4
        pieces = [body[:head] + body[len(body) - (room - head) :]]
    else:
        count = -(-len(body) // room)
        edges = [len(body) * index // count for index in range(count + 1)]
        pieces = [body[start:end] for start, end in pairwise(edges)]
    return [[first, *piece, last] for piece in pieces]


def what_is_read(how: How, max_tokens: int, *, weighed: bool = False) -> str:
    """A sentence for people: what a model of `max_tokens` reads of a long text, and whether it has a `Weighing`."""
    if weighed:
        pieces = f"in pieces of at most {min(PIECE, max_tokens)}, and takes the mean"
        least = "in which what is neutral counts least"
        if how == "chunks" and max_tokens > WHOLE:
            return f"It reads a text of more than {WHOLE} tokens {pieces}, beyond {max_tokens:,} tokens one {least}."
        return f"It reads a text of more than {max_tokens:,} tokens {pieces}, {least}."
    if how == "chunks":
        whole, piece = min(WHOLE, max_tokens), min(PIECE, max_tokens)
        return f"It reads a text of more than {whole} tokens in pieces of at most {piece}, and takes the mean."
    part = "the beginning" if how == "head" else "the first quarter of what fits, and the end"
    return f"Of a text of more than {max_tokens:,} tokens it reads {part}."


def pool(logits: "NDArray[np.float32]", tokens: "ArrayLike", text_of: "ArrayLike") -> "NDArray[np.float32]":
    """One row of logits a text from those of its rows: their mean, each weighted by its number of tokens.

    `logits` is (rows, labels), `tokens` (rows,) how many ids each row has, `text_of` (rows,) the text that it is from:
    0 to n - 1, ascending, none left out. Summed in double precision and in the order of the rows.
    """
    import numpy as np  # the settings know this module, and most that have settings have no numbers

    starts = np.flatnonzero(np.diff(np.asarray(text_of, np.int64), prepend=-1))
    if len(starts) == len(logits):
        return logits  # each text is one row
    weights = np.asarray(tokens, np.float64)[:, None]
    return np.asarray(
        np.add.reduceat(logits * weights, starts, axis=0) / np.add.reduceat(weights, starts, axis=0), np.float32
    )


def weigh(
    logits: "NDArray[np.float32]",
    tokens: "ArrayLike",
    text_of: "ArrayLike",
    temperature: float,
    weighing: Weighing,
) -> "NDArray[np.float32]":
    """One row of logits a text, as `weighing` has it from those of its rows, which are given as to `pool`.

    `temperature` is the model's: by it a row's probability of neutral is found, and the result is to be divided by it.
    Where all rows are neutral without any doubt it is of their plain mean.
    """
    import numpy as np

    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    doubt = 1 - powers[:, 1] / powers.sum(axis=1)
    # Not 0, so that rows without any doubt have a mean as well.
    weights = np.asarray(tokens, np.float64) * np.maximum(doubt**2, 1e-12)
    starts = np.flatnonzero(np.diff(np.asarray(text_of, np.int64), prepend=-1))
    mean = np.add.reduceat(logits * weights[:, None], starts, axis=0) / np.add.reduceat(weights, starts)[:, None]
    mean -= mean.mean(axis=1, keepdims=True)
    return np.asarray((mean / weighing.temperature + weighing.offsets) * temperature, np.float32)
