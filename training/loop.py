"""One training run: batches, loss, optimiser, averaged weights, and the choice of an epoch on dev."""

import copy
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import Classifier, pad

BATCH = 32
# Batches are cut from windows of so many, sorted by length: little padding, and yet another mix in each epoch.
WINDOW = 50 * BATCH
# All in float32: on a CPU without AMX, bfloat16 autocast takes 1.5 times as long a step.
LAYER_DECAY = 0.9
EMA = 0.99
WARM_UP = 0.1
# Distillation, Hinton et al. 2015: soft targets at T = 2, and 0.7 of the loss from the teacher.
TEMPERATURE = 2.0
TEACHER_WEIGHT = 0.7


Log = Callable[[dict[str, float]], None]
"""Takes figures of a run in progress, by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text as token ids, its target distribution and, for a student, its teacher's logits."""

    ids: Sequence[int]
    target: Sequence[float]
    teacher: Sequence[float] | None = None


def batches(rows: Sequence[Row], rng: random.Random) -> Iterator[list[Row]]:
    """Yield every row once, in batches of like length, shuffled."""
    order = list(range(len(rows)))
    rng.shuffle(order)
    cut: list[list[int]] = []
    for start in range(0, len(order), WINDOW):
        window = sorted(order[start : start + WINDOW], key=lambda index: len(rows[index].ids))
        cut += [window[at : at + BATCH] for at in range(0, len(window), BATCH)]
    rng.shuffle(cut)
    for batch in cut:
        yield [rows[index] for index in batch]


def loss_of(logits: Tensor, batch: Sequence[Row]) -> Tensor:
    """Cross entropy with the soft labels and, where the rows have teacher logits, KL divergence from the teacher."""
    hard = functional.cross_entropy(logits, torch.tensor([row.target for row in batch]))
    teacher = [row.teacher for row in batch if row.teacher is not None]
    if not teacher:
        return hard
    wanted = functional.log_softmax(torch.tensor(teacher) / TEMPERATURE, dim=-1)
    given = functional.log_softmax(logits / TEMPERATURE, dim=-1)
    # T^2 keeps the gradient's size independent of T (the paper's section 2).
    soft = functional.kl_div(given, wanted, reduction="batchmean", log_target=True) * TEMPERATURE**2
    return TEACHER_WEIGHT * soft + (1 - TEACHER_WEIGHT) * hard


def parameter_groups(model: Classifier, rate: float) -> list[dict[str, object]]:
    """Return the optimiser's groups: each layer learns at 0.9 of the rate above it; biases and norms do not decay."""
    layers = len(model.encoder.encoder.layer)
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("encoder.embeddings"):
            depth = layers + 1
        elif name.startswith("encoder.encoder.layer."):
            depth = layers - int(name.split(".")[3])
        else:
            depth = 0
        groups.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "lr": rate * LAYER_DECAY**depth, "weight_decay": 0.01 if decays else 0.0}
        for (depth, decays), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]


def fit(
    model: Classifier,
    rows: Sequence[Row],
    *,
    epochs: int,
    rate: float,
    seed: int,
    measure: Callable[[Classifier], dict[str, float]],
    log: Log,
) -> Classifier:
    """Train ``model`` and return its averaged weights after the epoch whose ``measure`` has the highest ``accuracy``.

    ``rate`` is the head's peak learning rate: it warms up over a tenth of the steps and falls linearly to zero.
    ``log`` gets the loss every hundred steps and the figures after each epoch.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    steps = epochs * -(-len(rows) // BATCH)
    optimiser = torch.optim.AdamW(parameter_groups(model, rate), betas=(0.9, 0.98), eps=1e-6, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARM_UP * steps), max(0.0, (steps - step) / ((1 - WARM_UP) * steps)))
    )
    average = copy.deepcopy(model)
    best, best_accuracy = average, -1.0
    step, began = 0, time.monotonic()
    for epoch in range(1, epochs + 1):
        total = 0.0
        model.train()
        for batch in batches(rows, rng):
            loss = loss_of(model(*pad([row.ids for row in batch])), batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            step += 1
            total += loss.item()
            # Early on the average follows closely, else it would remember the untrained weights.
            keep = min(EMA, step / (10 + step))
            with torch.no_grad():
                for mean, value in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(value, 1 - keep)
            if step % 100 == 0:
                seconds = round(time.monotonic() - began)
                log({"epoch": epoch, "step": step, "steps": steps, "loss": loss.item(), "seconds": seconds})
        figures = measure(average)
        log({"epoch": epoch, "mean_loss": total * BATCH / len(rows), **figures})
        if figures["accuracy"] > best_accuracy:
            best, best_accuracy = copy.deepcopy(average), figures["accuracy"]
    return best
