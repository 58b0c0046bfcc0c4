"""Adapts a base model to the domain's language: masked-language-model training on text without labels.

Devlin et al. 2019 (BERT), section 3.1, for the masking; Gururangan et al. 2020 (Don't Stop Pretraining) for the idea.
"""

import math
import random
import time
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertForMaskedLM

from training.config.config import Schedule
from training.learn import network
from training.learn.loop import MASK_ID, SPECIAL_IDS, WARM_UP, Log, batches_of
from training.learn.network import DEVICE, on_device, pad

MASKING = 0.15
LENGTH = 128
# One text in fifty is kept aside, and the perplexity is that of its masked pieces.
ASIDE = 50
IGNORED = -100


def mask_tokens(ids: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`ids` with 15 % of the pieces to be guessed, and what they were (`IGNORED` elsewhere).

    Of those, 80 % become `[MASK]`, 10 % any other piece and 10 % stay: the encoder cannot rely on seeing a mask.
    """
    draw = torch.rand(ids.shape, generator=generator)
    chosen = (draw < MASKING) & (ids >= SPECIAL_IDS)
    wanted = ids.masked_fill(~chosen, IGNORED)
    other = torch.randint(SPECIAL_IDS, vocabulary, ids.shape, generator=generator)
    shown = ids.masked_fill(chosen & (draw < 0.8 * MASKING), MASK_ID)
    shown = torch.where(chosen & (draw >= 0.9 * MASKING), other, shown)
    return shown, wanted


def masked_loss(model: BertForMaskedLM, shown: Tensor, mask: Tensor, wanted: Tensor) -> Tensor:
    """The mean cross entropy over the pieces to be guessed; only those go through the vocabulary-wide layer."""
    hidden = model.bert(input_ids=shown, attention_mask=mask).last_hidden_state
    places = wanted != IGNORED
    logits = model.cls(hidden[places])
    return functional.cross_entropy(logits, wanted[places])


def adapt(
    model: BertForMaskedLM, tokenizer: Tokenizer, texts: Sequence[str], schedule: Schedule, seed: int, log: Log
) -> BertForMaskedLM:
    """Trains `model` in place on `texts`, cut to 128 pieces; `log` gets the held-aside texts' perplexity.

    The head's decoder is the embedding table itself, so that what it learns of words is kept when the head is dropped.
    """
    rows = [ids[: LENGTH - 1] + ids[-1:] if len(ids) > LENGTH else ids for ids in network.encode(tokenizer, texts)]
    aside, rows = rows[::ASIDE], [ids for at, ids in enumerate(rows) if at % ASIDE]
    model.to(DEVICE)
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    size = tokenizer.get_vocab_size()
    steps = schedule.epochs * -(-len(rows) // schedule.batch)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=schedule.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARM_UP * steps), max(0.0, (steps - step) / ((1 - WARM_UP) * steps)))
    )
    log({"epoch": 0, "perplexity": perplexity(model, aside, size)})
    step, began = 0, time.monotonic()
    for epoch in range(1, schedule.epochs + 1):
        model.train()
        for batch in batches_of([len(ids) for ids in rows], schedule.batch, rng):
            ids, mask = pad([rows[index] for index in batch])
            shown, wanted = mask_tokens(ids, size, generator)
            step += 1
            if (wanted != IGNORED).any():
                loss = masked_loss(model, *on_device((shown, mask, wanted)))
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                if step % 100 == 0:
                    seconds = round(time.monotonic() - began)
                    log(
                        {
                            "epoch": epoch,
                            "step": step,
                            "steps": steps,
                            "loss": round(loss.item(), 4),
                            "seconds": seconds,
                        }
                    )
            rates.step()
        log({"epoch": epoch, "perplexity": perplexity(model, aside, size)})
    return model


@torch.inference_mode()
def perplexity(model: BertForMaskedLM, rows: Sequence[Sequence[int]], size: int) -> float:
    """The perplexity, exp(mean cross entropy), of the masked pieces of `rows`, always the same ones."""
    model.eval()
    generator = torch.Generator().manual_seed(0)
    total, places = 0.0, 0
    for start in range(0, len(rows), 64):
        ids, mask = pad(rows[start : start + 64])
        shown, wanted = mask_tokens(ids, size, generator)
        if count := int((wanted != IGNORED).sum()):
            total += masked_loss(model, *on_device((shown, mask, wanted))).item() * count
            places += count
    return round(math.exp(total / max(places, 1)), 3)
