"""How the tagger is trained: each word of a text is nothing, or of a kind."""

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.redaction import Kind
from models.redaction.tag_words import COLUMNS, PIECES, WORD, WordReader
from training.learn.loop import EMA, WARM_UP, batches_of
from training.learn.network import DEVICE, on_device
from training.redaction.figures import Labelled
from training.redaction.network import CLASSES, WordTagger

TOLD: Final[tuple[Kind, ...]] = ("NAME", "ADDRESS", "PASSWORD", "REFERENCE")
"""What the tagger is asked for. It learns the other kinds as well, so that it does not take one of them for a name."""

MOST_WORDS = 256
"""Words of a text that are learned from."""

IGNORED = -100
HIDDEN = 0.1
"""The share of words that are unknown to the network in training, so that it learns from what is around them."""

_UNKNOWN = 1  # the id of [UNK] in every pruned vocabulary

Log = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class TagRow:
    """A text as words, `[words, COLUMNS]`, and the class of each."""

    words: NDArray[np.int64]
    classes: list[int]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a tagger learns."""

    epochs: int = 12
    batch: int = 256
    rate: float = 3e-3


def tag_rows(reader: WordReader, texts: Sequence[Labelled]) -> list[TagRow]:
    """`texts` as words, cut to `MOST_WORDS`, but those that have none; a word is of the kind of the span it touches.

    The `reader` has no common words: so it reads every text.
    """
    rows = []
    for item in texts:
        words = list(WORD.finditer(item.text))[:MOST_WORDS]
        read = reader.read(item.text, [word[0] for word in words])
        if read is None:  # nothing but digits and marks
            continue
        kinds = [
            next((span.kind for span in item.spans if word.start() < span.end and span.start < word.end()), None)
            for word in words
        ]
        rows.append(TagRow(read, [0 if kind is None else CLASSES.index(kind) for kind in kinds]))
    return rows


def fit(model: WordTagger, rows: Sequence[TagRow], schedule: Schedule, *, seed: int, log: Log) -> WordTagger:
    """The averaged weights of `model`, trained on `rows`.

    The rate warms up over a tenth of the steps and falls linearly to zero. `log` gets the mean loss of each epoch.
    """
    torch.manual_seed(seed)
    model.to(DEVICE)
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    steps = schedule.epochs * -(-len(rows) // schedule.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.rate, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARM_UP * steps), max(0.0, (steps - step) / ((1 - WARM_UP) * steps)))
    )
    average = copy.deepcopy(model)
    step, began = 0, time.monotonic()
    for epoch in range(1, schedule.epochs + 1):
        total = 0.0
        model.train()
        for indices in batches_of([len(row.words) for row in rows], schedule.batch, rng):
            words, mask, wanted = _batch([rows[index] for index in indices])
            words, mask, wanted = on_device((_hidden(words, generator), mask, wanted))
            loss = functional.cross_entropy(model(words, mask).flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            rates.step()
            step += 1
            total += loss.item() * len(indices)
            keep = min(EMA, step / (10 + step))
            get_ema_multi_avg_fn(keep)(list(average.parameters()), list(model.parameters()), step)
        log({"epoch": epoch, "mean_loss": round(total / len(rows), 5), "seconds": round(time.monotonic() - began)})
    return average.cpu().eval()


def _batch(rows: Sequence[TagRow]) -> tuple[Tensor, Tensor, Tensor]:
    """The rows' words, as many as the longest has, with their mask and classes."""
    longest = max(len(row.words) for row in rows)
    words = torch.zeros((len(rows), longest, COLUMNS), dtype=torch.int64)
    wanted = torch.full((len(rows), longest), IGNORED)
    for place, row in enumerate(rows):
        words[place, : len(row.words)] = torch.from_numpy(row.words)
        wanted[place, : len(row.classes)] = torch.tensor(row.classes)
    return words, wanted != IGNORED, wanted


def _hidden(words: Tensor, generator: torch.Generator) -> Tensor:
    """`words` with `HIDDEN` of them unknown."""
    hidden = torch.rand(words.shape[:2], generator=generator) < HIDDEN
    unknown = torch.zeros(PIECES, dtype=torch.int64)
    unknown[0] = _UNKNOWN
    pieces = torch.where(hidden.unsqueeze(2), unknown, words[..., :PIECES])
    return torch.cat([pieces, words[..., PIECES:]], 2)
