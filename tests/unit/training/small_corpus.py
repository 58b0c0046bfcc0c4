"""A corpus of short sentences and long calls that a tiny artifact can score."""

from training.data.corpus import Corpus, Example

SENTENCES = [
    ("the bus is awful", 0),
    ("this was terrible service", 0),
    ("bad and late again", 0),
    ("it is broken", 0),
    ("where is my bag", 1),
    ("the good old gate", 1),
    ("great crew", 2),
    ("i love it thanks", 2),
    ("awful? no, great", 2),
]


def examples(count: int, prefix: str) -> list[Example]:
    return [
        Example(f"{prefix}-{at}", f"{SENTENCES[at % 9][0]} {at}", SENTENCES[at % 9][1], (1.0, 0.7, 0.5)[at % 3])
        for at in range(count)
    ]


def call(number: int) -> Example:
    # What it is about is said at the end; before, 300 tokens of nothing.
    word, label = (("awful", 0), ("terrible", 0), ("great", 2))[number % 3]
    return Example(f"call-{number}", f"{'a b c ' * 100}\n{f'{word} ' * 60}", label)


CORPUS = Corpus(
    "own",
    domain_train=[],
    domain_sample=[],
    domain_dev=examples(27, "dev"),
    domain_test=examples(45, "test"),
    general_name="wide",
    general_train=[],
    general_test=examples(18, "wide"),
    unlabelled=[],
    calls=[call(number) for number in range(40)],
)
