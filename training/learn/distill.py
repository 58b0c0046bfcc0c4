"""The students: smaller networks that learn from the teachers' logits on every text there is, labelled or not."""

import copy
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.data.corpus import Corpus, Example
from training.learn import loop, network
from training.learn.network import Classifier

# The domain's rows come three times in each epoch: of the general tweets there are six times as many.
DOMAIN_COPIES = 3


def keep_layers(teacher: Classifier, layers: Sequence[int]) -> Classifier:
    """A copy of `teacher` with only `layers` of its encoder, in that order."""
    student = network.build(teacher.encoder.config.to_dict() | {"num_hidden_layers": len(layers)})
    student.encoder.embeddings = copy.deepcopy(teacher.encoder.embeddings)
    student.encoder.encoder.layer = nn.ModuleList(copy.deepcopy(teacher.encoder.encoder.layer[at]) for at in layers)
    student.head = copy.deepcopy(teacher.head)
    return student


def between(first: Classifier, last: Classifier, share: float) -> Classifier:
    """A copy of `last` whose weights lie between those of `first`, which it was trained from, and its own.

    A `share` of 0 is `first`, of 1 `last` (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
    https://arxiv.org/abs/2109.01903, which takes a half where nothing says more).
    """
    there, mixed = first.to(network.DEVICE).state_dict(), copy.deepcopy(last)
    mixed.load_state_dict({name: torch.lerp(there[name], own, share) for name, own in last.state_dict().items()})
    return mixed


def ensemble(logits: Sequence[Tensor]) -> Tensor:
    """The teachers' mean log-probabilities, `[rows, 3]`. Not of logits: their level is each teacher's own."""
    return torch.stack([rows.log_softmax(-1) for rows in logits]).mean(0)


def taught(tokenizer: Tokenizer, examples: Sequence[Example], logits: Tensor) -> list[loop.Row]:
    """Labelled `examples` as training rows with their teacher's `logits`."""
    ids = network.encode(tokenizer, [example.as_read for example in examples])
    return [
        loop.Row(ids=row, target=example.target, teacher=teacher, weight=example.weight)
        for row, example, teacher in zip(ids, examples, logits.tolist(), strict=True)
    ]


def taught_alone(tokenizer: Tokenizer, texts: Sequence[str], logits: Tensor) -> list[loop.Row]:
    """Texts without a label as training rows: the teacher's probabilities stand in for one."""
    ids = network.encode(tokenizer, texts)
    targets = logits.softmax(-1).tolist()
    return [
        loop.Row(ids=row, target=target, teacher=teacher)
        for row, target, teacher in zip(ids, targets, logits.tolist(), strict=True)
    ]


def other_rows(tokenizer: Tokenizer, data: Corpus, general: Tensor, unlabelled: Tensor) -> list[loop.Row]:
    """What a student learns from beside the domain's labelled texts, while it is broadened.

    The logits are in the corpus's order. General tweets are labelled by the teacher that has not seen the domain yet:
    fine-tuning on one domain narrows what a teacher knows of the rest.
    """
    return taught(tokenizer, data.general_train, general) + taught_alone(tokenizer, data.unlabelled, unlabelled)
