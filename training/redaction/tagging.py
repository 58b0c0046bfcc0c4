"""The tagger's network and how it is trained: each piece of a text is nothing, or of a kind."""

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import BertModel

from models.redaction import KINDS, Kind
from models.redaction.onnx_tagger import capitals
from models.redaction.tag_artifact import OUTSIDE
from training.learn.loop import EMA, WARM_UP, batches_of, hide_tokens
from training.learn.network import DEVICE, MAX_TOKENS, on_device, pad
from training.redaction.figures import Labelled

# User names in the data are people's names.
CLASSES: Final[tuple[str, ...]] = (OUTSIDE, *(kind for kind in KINDS if kind != "USERNAME"))
TOLD: Final[tuple[Kind, ...]] = ("NAME", "ADDRESS")
"""What the tagger is asked for. It learns the other kinds as well, so that it does not take a password for a name."""

IGNORED = -100

Log = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class TagRow:
    """A text as token ids, with whether its word begins with a capital, and its class; `IGNORED` for [CLS], [SEP]."""

    ids: list[int]
    capitals: list[int]
    classes: list[int]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a tagger learns."""

    epochs: int = 6
    batch: int = 256
    rate: float = 2.5e-3


class TokenClassifier(nn.Module):
    """Scores token ids `[batch, tokens]` with their mask and capitals as logits `[batch, tokens, classes]`."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.config.hidden_size, len(CLASSES))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """The logits."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        hidden = self.encoder(**inputs).last_hidden_state
        logits: Tensor = self.head(self.dropout(hidden))
        return logits


def tag_rows(tokenizer: Tokenizer, texts: Sequence[Labelled]) -> list[TagRow]:
    """`texts` as pieces, cut to `MAX_TOKENS`; a piece is of the kind of the span that it touches."""
    rows = []
    for item, encoding in zip(texts, tokenizer.encode_batch([item.text for item in texts]), strict=True):
        classes = []
        for start, end in encoding.offsets[:MAX_TOKENS]:
            kinds = [span.kind for span in item.spans if start < span.end and span.start < end]
            classes.append(IGNORED if start == end else CLASSES.index(kinds[0] if kinds else OUTSIDE))
        rows.append(TagRow(encoding.ids[:MAX_TOKENS], capitals(item.text, encoding)[:MAX_TOKENS], classes))
    return rows


def fit(model: TokenClassifier, rows: Sequence[TagRow], schedule: Schedule, *, seed: int, log: Log) -> TokenClassifier:
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
        for indices in batches_of([len(row.ids) for row in rows], schedule.batch, rng):
            batch = [rows[index] for index in indices]
            ids, mask = pad([row.ids for row in batch])
            wanted, types = torch.full(ids.shape, IGNORED), torch.zeros_like(ids)
            for place, row in enumerate(batch):
                types[place, : len(row.capitals)] = torch.tensor(row.capitals)
                wanted[place, : len(row.classes)] = torch.tensor(row.classes)
            logits = model(*on_device((hide_tokens(ids, generator), mask, types)))
            loss = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten().to(DEVICE), ignore_index=IGNORED)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            rates.step()
            step += 1
            total += loss.item() * len(batch)
            keep = min(EMA, step / (10 + step))
            get_ema_multi_avg_fn(keep)(list(average.parameters()), list(model.parameters()), step)
        log({"epoch": epoch, "mean_loss": round(total / len(rows), 5), "seconds": round(time.monotonic() - began)})
    return average.cpu().eval()
