"""A copy of a network without the heads and neurons that matter least, and with word vectors of a lower rank."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.config.config import Pruning
from training.learn import loop, network
from training.learn.narrow import HEADS, RANK
from training.learn.network import Classifier, on_device, pad

BATCH = 32


def prune(model: Classifier, rows: Sequence[loop.Row], pruning: Pruning) -> Classifier:
    """A copy of the BERT `model` cut as `pruning` says; `rows` show what matters.

    What stays has its weights, so that the copy answers worse, and no worse than by what is missing. Train it.
    """
    config = model.encoder.config
    narrow = network.build(
        config.to_dict()
        | {HEADS: pruning.heads, "intermediate_size": pruning.feed_forward}
        | ({RANK: pruning.embeddings} if pruning.embeddings else {})
    )
    size = config.hidden_size // config.num_attention_heads
    matter = importance(model, rows)
    with torch.no_grad():
        _copy_embeddings(model, narrow, rows)
        narrow.head.load_state_dict(model.head.state_dict())
        layers = zip(model.encoder.encoder.layer, narrow.encoder.encoder.layer, *matter, strict=True)
        for source, target, heads, neurons in layers:
            inside = (_best(heads, pruning.heads)[:, None] * size + torch.arange(size)).flatten()
            for name in ("query", "key", "value"):
                _copy(getattr(source.attention.self, name), getattr(target.attention.self, name), outputs=inside)
            _copy(source.attention.output.dense, target.attention.output.dense, inputs=inside)
            kept = _best(neurons, pruning.feed_forward)
            _copy(source.intermediate.dense, target.intermediate.dense, outputs=kept)
            _copy(source.output.dense, target.output.dense, inputs=kept)
            for before, after in ((source.attention.output, target.attention.output), (source.output, target.output)):
                after.LayerNorm.load_state_dict(before.LayerNorm.state_dict())
    return narrow


def importance(model: Classifier, rows: Sequence[loop.Row]) -> tuple[list[Tensor], list[Tensor]]:
    """How much the loss on `rows` would change without each head, `[heads]`, and neuron, `[neurons]`, of each layer.

    By a first-order estimate: the mean over the texts of |sum of activation x gradient| (Michel et al. 2019, "Are
    Sixteen Heads Really Better than One?", section 4.1; Molchanov et al. 2019 for neurons).
    """
    layers = list(model.encoder.encoder.layer)
    count = model.encoder.config.num_attention_heads
    seen: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        given[0].retain_grad()
        seen[module] = given[0]

    watched = [(layer.attention.output.dense, layer.output.dense) for layer in layers]
    hooks = [module.register_forward_pre_hook(keep) for pair in watched for module in pair]
    model.to(network.DEVICE).eval()
    heads = [torch.zeros(count) for _ in layers]
    neurons = [torch.zeros(layer.output.dense.in_features) for layer in layers]
    order = sorted(range(len(rows)), key=lambda at: len(rows[at].ids))
    for start in range(0, len(order), BATCH):
        batch = [rows[at] for at in order[start : start + BATCH]]
        loss = loop.loss_of(model(*on_device(pad([row.ids for row in batch]))), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        for at, (context, product) in enumerate(watched):
            heads[at] += _effect(seen[context]).unflatten(-1, (count, -1)).sum(-1).abs().sum(0)
            neurons[at] += _effect(seen[product]).abs().sum(0)
    for hook in hooks:
        hook.remove()
    model.zero_grad(set_to_none=True)
    return heads, neurons


def low_rank(table: Tensor, counts: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The narrow table `[pieces, rank]` and the matrix `[width, rank]` whose product is nearest to `table`.

    Nearest by the squared error of each piece's vector times its count (Eckart and Young 1936).
    """
    _, vectors = torch.linalg.eigh(table.T @ (table * counts[:, None]))
    widest = vectors[:, -rank:]
    return table @ widest, widest


def _effect(values: Tensor) -> Tensor:
    """Of each text and channel, what the loss would lose without it: `[texts, channels]`."""
    gradient: Tensor = values.grad  # type: ignore[assignment]  # `retain_grad` was asked for
    return (values.detach() * gradient).sum(1).cpu()


def _best(scores: Tensor, count: int) -> Tensor:
    return scores.topk(count).indices.sort().values


def _copy(source: nn.Linear, target: nn.Linear, *, inputs: Tensor | None = None, outputs: Tensor | None = None) -> None:
    weight, bias = source.weight.cpu(), source.bias.cpu()
    if inputs is not None:
        weight = weight[:, inputs]
    if outputs is not None:
        weight, bias = weight[outputs], bias[outputs]
    target.weight.copy_(weight)
    target.bias.copy_(bias)


def _copy_embeddings(model: Classifier, narrow: Classifier, rows: Sequence[loop.Row]) -> None:
    source, target = model.encoder.embeddings.cpu(), narrow.encoder.embeddings
    for name in ("position_embeddings", "token_type_embeddings", "LayerNorm"):
        getattr(target, name).load_state_dict(getattr(source, name).state_dict())
    table = source.word_embeddings.weight
    if not hasattr(narrow.encoder.config, RANK):
        target.word_embeddings.weight.copy_(table)
        return
    ids = torch.tensor([token for row in rows for token in row.ids])
    # A piece that these texts lack counts a little: others have it.
    counts = torch.bincount(ids, minlength=len(table)).float().sqrt() + 0.5
    found, widest = low_rank(table, counts, getattr(narrow.encoder.config, RANK))
    target.word_embeddings.table.weight.copy_(found)
    target.word_embeddings.widen.weight.copy_(widest)
