"""The student: three of the teacher's layers, taught by the teacher's logits on every labelled text."""

import copy
import random
from collections.abc import Sequence

from tokenizers import Tokenizer
from torch import nn

from training import loop, network
from training.corpus import Corpus, Example
from training.finetune import measure_on
from training.network import Classifier

# Every second layer, from the first: the last one is the most tied to the teacher's own head.
LAYERS = (0, 2, 4)
TRANSFER_EPOCHS, TRANSFER_RATE = 1, 1e-4
DOMAIN_EPOCHS, DOMAIN_RATE = 2, 6e-5
# The transfer epoch is two thirds airline; two cores set the number of tweets, for each costs the teacher's pass too.
AIRLINE_COPIES, TWEETS = 3, 12_000


def student_of(teacher: Classifier) -> Classifier:
    """Return a copy of ``teacher`` with only :data:`LAYERS` of its layers."""
    student = network.build(teacher.encoder.config.to_dict() | {"num_hidden_layers": len(LAYERS)})
    student.encoder.embeddings = copy.deepcopy(teacher.encoder.embeddings)
    student.encoder.encoder.layer = nn.ModuleList(copy.deepcopy(teacher.encoder.encoder.layer[at]) for at in LAYERS)
    student.head = copy.deepcopy(teacher.head)
    return student


def taught_rows(teacher: Classifier, tokenizer: Tokenizer, examples: Sequence[Example]) -> list[loop.Row]:
    """Return ``examples`` as training rows with the teacher's logits."""
    ids = network.encode(tokenizer, [example.text for example in examples])
    logits = network.predict(teacher, ids).tolist()
    return [
        loop.Row(ids=row, target=example.target, teacher=taught)
        for row, example, taught in zip(ids, examples, logits, strict=True)
    ]


def distill(
    general: Classifier,
    teacher: Classifier,
    tokenizer: Tokenizer,
    data: Corpus,
    seed: int,
    log: loop.Log,
) -> Classifier:
    """Return the student: an epoch over both sets, for breadth, then airline alone.

    ``general`` is the teacher before it saw airline tweets: it labels SemEval, and the student starts from its layers,
    because fine-tuning on one domain narrows what a teacher knows of the rest. ``teacher`` labels the airline rows.
    """
    airline = taught_rows(teacher, tokenizer, data.airline_train)
    chosen = random.Random(seed).sample(data.semeval_train, min(TWEETS, len(data.semeval_train)))
    tweets = taught_rows(general, tokenizer, chosen)
    measure = measure_on(tokenizer, data.airline_dev)
    student = loop.fit(
        student_of(general),
        airline * AIRLINE_COPIES + tweets,
        epochs=TRANSFER_EPOCHS,
        rate=TRANSFER_RATE,
        seed=seed + 2,
        measure=measure,
        log=log,
    )
    return loop.fit(student, airline, epochs=DOMAIN_EPOCHS, rate=DOMAIN_RATE, seed=seed + 3, measure=measure, log=log)
