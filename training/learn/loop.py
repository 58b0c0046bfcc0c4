"""One training run: batches, loss, optimiser, averaged weights, and the choice of an epoch on dev."""

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from training.config.config import Schedule
from training.learn import checkpoint
from training.learn.network import DEVICE, Classifier, features, on_device, pad

# Texts are shuffled, cut into windows of so many batches, and sorted by length in each: little padding, and another mix
# in each epoch.
WINDOW = 50
# All in float32. On a CPU without AMX a step under bfloat16 autocast takes 1.4 times as long. On a GPU kernels of this
# size wait for their launch, so a smaller type gains little.
LAYER_DECAY = 0.9
EMA = 0.99
WARM_UP = 0.1
# A tenth of a text's pieces are hidden from the network in training.
TOKEN_MASKING = 0.1
MASK_ID, SPECIAL_IDS = 4, 5
"""Ids in every pruned vocabulary: `vocabulary.choose_pieces` keeps the five special pieces first."""
# Distillation, Hinton et al. 2015: soft targets at T = 2, and 0.7 of the loss from the teacher.
TEMPERATURE = 2.0
TEACHER_WEIGHT = 0.7

HEAD_ROWS = 8192
"""Of so many rows, drawn at random, a fresh head learns."""


Log = Callable[[dict[str, float]], None]
"""Takes figures of a run in progress, by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text as token ids, its target distribution and, for a student, its teacher's logits.

    `weight` is how much it counts in the loss.
    """

    ids: Sequence[int]
    target: Sequence[float]
    teacher: Sequence[float] | None = None
    weight: float = 1.0


def batches_of(lengths: Sequence[int], size: int, rng: random.Random) -> list[list[int]]:
    """The indices of `lengths`, each once, in batches of `size` and like length, shuffled."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    cut: list[list[int]] = []
    for start in range(0, len(order), WINDOW * size):
        window = sorted(order[start : start + WINDOW * size], key=lengths.__getitem__)
        cut += [window[at : at + size] for at in range(0, len(window), size)]
    rng.shuffle(cut)
    return cut


def hide_tokens(ids: Tensor, generator: torch.Generator) -> Tensor:
    """`ids` with `TOKEN_MASKING` of the pieces, never a special one, replaced by `[MASK]`."""
    hidden = (torch.rand(ids.shape, generator=generator) < TOKEN_MASKING) & (ids >= SPECIAL_IDS)
    return ids.masked_fill(hidden, MASK_ID)


def loss_of(logits: Tensor, batch: Sequence[Row]) -> Tensor:
    """Cross entropy with the soft labels and, for rows with teacher logits, KL divergence from the teacher.

    It is the mean over the rows, each times its weight.
    """
    where = logits.device
    losses = functional.cross_entropy(logits, torch.tensor([row.target for row in batch]).to(where), reduction="none")
    taught = [at for at, row in enumerate(batch) if row.teacher is not None]
    if taught:
        teacher = torch.tensor([batch[at].teacher for at in taught]).to(where)
        places = torch.tensor(taught).to(where)
        wanted = functional.log_softmax(teacher / TEMPERATURE, dim=-1)
        given = functional.log_softmax(logits[places] / TEMPERATURE, dim=-1)
        # T^2 keeps the gradient's size independent of T (the paper's section 2).
        soft = functional.kl_div(given, wanted, reduction="none", log_target=True).sum(-1) * TEMPERATURE**2
        losses = losses.index_copy(0, places, TEACHER_WEIGHT * soft + (1 - TEACHER_WEIGHT) * losses[places])
    return (losses * torch.tensor([row.weight for row in batch]).to(where)).mean()


def parameter_groups(model: Classifier, rate: float) -> list[dict[str, object]]:
    """The optimiser's groups: each layer learns at 0.9 of the rate above it; biases and norms do not decay."""
    layers = len(model.encoder.encoder.layer)
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("encoder.encoder.layer."):
            depth = layers - int(name.split(".")[3])
        else:  # below the layers: embeddings, and an MPNet's table of distances
            depth = layers + 1 if name.startswith("encoder.") else 0
        groups.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "lr": rate * LAYER_DECAY**depth, "weight_decay": 0.01 if decays else 0.0}
        for (depth, decays), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]


def fit_head(model: Classifier, rows: Sequence[Row], *, epochs: int = 20, rate: float = 3e-3, seed: int) -> None:
    """Trains the head in place while the body is frozen: the first stage.

    The gradients of a fresh head would harm the pre-trained layers. A frozen body gives the same features for a row in
    every epoch, so they are computed once, of no more rows than its few weights need.
    """
    rows = random.Random(seed).sample(rows, min(HEAD_ROWS, len(rows)))
    seen = features(model, [row.ids for row in rows]).clone()
    head = model.head.cpu()  # too small a product for a GPU
    wanted = torch.tensor([row.target for row in rows])
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(head.parameters(), lr=rate)
    for _ in range(epochs):
        for index in torch.randperm(len(rows), generator=generator).split(256):
            loss = functional.cross_entropy(head(seen[index]), wanted[index])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()


def fit(
    model: Classifier,
    rows: Sequence[Row],
    schedule: Schedule,
    *,
    seed: int,
    measure: Callable[[Classifier], dict[str, float]],
    log: Log,
    kept: Path | None = None,
) -> Classifier:
    """The averaged weights of `model`, trained, after the epoch whose `measure` has the highest `accuracy`.

    The rate warms up over a tenth of the steps and falls linearly to zero. `log` gets the loss every hundred steps
    and the figures after each epoch. Training stops early after `schedule.patience` epochs without a better one.

    As often as `log` gets the loss the state is written to the file `kept`. Where that is there, training goes on from
    it, to the same weights, to the bit, as if it had not been stopped.
    """
    torch.manual_seed(seed)  # the head's dropout
    model.to(DEVICE)
    order, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    lengths = [len(row.ids) for row in rows]
    steps = schedule.epochs * -(-len(rows) // schedule.batch)
    optimiser = torch.optim.AdamW(parameter_groups(model, schedule.rate), betas=(0.9, 0.98), eps=1e-6, fused=True)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARM_UP * steps), max(0.0, (steps - step) / ((1 - WARM_UP) * steps)))
    )
    average, best = copy.deepcopy(model), copy.deepcopy(model)
    best_accuracy, best_epoch, first, step, seconds = -1.0, 0, 1, 0, 0.0
    total = torch.zeros((), dtype=torch.float64, device=DEVICE)
    parts: dict[str, checkpoint.Stateful] = {
        "model": model,
        "average": average,
        "best": best,
        "optimiser": optimiser,
        "rates": rates,
    }
    if kept is not None and (progress := checkpoint.load(kept, parts, generator)) is not None:
        best_accuracy, best_epoch, first, step, seconds, total = progress
        # The batches of the epochs that are over are drawn, as they were, for the draws after them.
        for _ in range(first - 1):
            batches_of(lengths, schedule.batch, order)
    began = time.monotonic() - seconds
    for epoch in range(first, schedule.epochs + 1):
        model.train()
        batches = batches_of(lengths, schedule.batch, order)
        for indices in batches[step - (epoch - 1) * len(batches) :]:
            batch = [rows[index] for index in indices]
            ids, mask = pad([row.ids for row in batch])
            loss = loss_of(model(*on_device((hide_tokens(ids, generator), mask))), batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            rates.step()
            step += 1
            total += loss.detach() * len(batch)  # a tensor: reading its value would make a GPU finish each step first
            # Early on the average follows closely. Otherwise it would remember the untrained weights.
            keep = min(EMA, step / (10 + step))
            get_ema_multi_avg_fn(keep)(list(average.parameters()), list(model.parameters()), step)
            if step % 100 == 0:
                seconds = time.monotonic() - began
                done = {"epoch": epoch, "step": step, "steps": steps}
                log(done | {"loss": round(loss.item(), 4), "seconds": round(seconds)})
                if kept is not None:
                    progress = (best_accuracy, best_epoch, epoch, step, seconds, total)
                    checkpoint.save(kept, parts, generator, progress)
        figures = measure(average)
        log({"epoch": epoch, "mean_loss": round(total.item() / len(rows), 5), **figures})
        if figures["accuracy"] > best_accuracy:
            best.load_state_dict(average.state_dict())
            best_accuracy, best_epoch = figures["accuracy"], epoch
        elif epoch - best_epoch >= schedule.patience:
            break
        total = torch.zeros_like(total)
    return best
