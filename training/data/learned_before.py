"""Prints a line for each turn that is kept aside now and that `cloud@3.0.0` learned from, before any was kept aside.

The models that came after it go on from its weights. Its generator is that of commit 536455f, so this runs in a
checkout of it, named by PYTHONPATH, and what it prints is `training/grammar/learned_before.txt`:

    git worktree add ../old 536455f
    PYTHONPATH=../old python -P training/data/learned_before.py > training/grammar/learned_before.txt

A line is the SHA-256 of a turn, so that nobody who looks for the turn's words finds them here.
"""

import hashlib
import random

from training.data.generator import generate
from training.data.grammar import Grammar, load

TEXTS, SEED = 48_000, 1
"""What that commit's `training/configs/continued.toml` asked for."""

KEPT_ASIDE = 20
"""As in `training/data/grammar.py` now; that commit's has no such number."""


def main() -> None:
    """Makes the texts again, and notes the templates that they begin with."""
    drawn: set[str] = set()
    expand = Grammar.expand

    def noting(self: Grammar, template: str, rng: random.Random) -> str:
        drawn.add(template)
        return expand(self, template, rng)

    Grammar.expand = noting  # type: ignore[method-assign]
    grammar = load()
    generate(TEXTS, SEED, grammar)
    turns = {text for start in grammar.starts for text in start.texts if "{" not in text}
    digests = [hashlib.sha256(turn.encode()) for turn in turns & drawn]
    print("\n".join(sorted(d.hexdigest() for d in digests if int.from_bytes(d.digest()[:8], "big") % KEPT_ASIDE == 0)))


if __name__ == "__main__":
    main()
