"""Prunes a WordPiece vocabulary to the pieces that the text uses, and the embedding table with it.

Two thirds of a MiniLM's weights are the embeddings of 30,522 pieces, most of which customers never write.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer

from models.text import normalise

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MPNET_SPECIAL = ("<s>", "<pad>", "</s>", "[UNK]", "<mask>")
"""An MPNet's, in the order of their ids: it counts positions from the id of its padding, which must stay 1."""

_NAMES = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<mask>": "[MASK]"}
"""What a worker calls them."""


def choose_pieces(tokenizer: Tokenizer, texts: Iterable[str], size: int, special: Sequence[str] = SPECIAL) -> list[str]:
    """At most `size` pieces: `special`, then, in their old order, single characters and the most frequent.

    WordPiece takes the longest piece that matches and gives up on a word (`[UNK]`) when nothing does. So that no word
    which was readable becomes unknown, every character that the corpus has stays, both at the start of a word and,
    with `##`, inside one.
    """
    vocabulary = tokenizer.get_vocab()
    counts: Counter[str] = Counter()
    characters = {chr(code) for code in range(33, 127)}
    for encoding in tokenizer.encode_batch([normalise(text) for text in texts], add_special_tokens=False):
        counts.update(encoding.tokens)
    for piece in counts:
        if piece not in special:
            characters.update(piece.removeprefix("##"))
    kept = set(special)
    kept.update(piece for char in characters for piece in (char, f"##{char}") if piece in vocabulary)
    for piece, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(kept) >= size:
            break
        kept.add(piece)
    return [*special, *sorted(kept.difference(special), key=vocabulary.__getitem__)]


def prune_tokenizer(tokenizer: Tokenizer, pieces: list[str]) -> Tokenizer:
    """`tokenizer` over `pieces` alone, numbered in their order, without padding or truncation.

    An MPNet's special pieces are called as a BERT's.
    """
    ids = {_NAMES.get(piece, piece): index for index, piece in enumerate(pieces)}
    state = json.loads(tokenizer.to_str())
    state["padding"] = state["truncation"] = None
    state["model"]["vocab"] = ids
    for token in state["added_tokens"]:
        token["content"] = _NAMES.get(token["content"], token["content"])
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in ids]
    for token in state["added_tokens"]:
        token["id"] = ids[token["content"]]
    ends = state["post_processor"]
    if ends["type"] == "TemplateProcessing":
        # The template names its tokens twice: in order, and with their ids.
        for name, token in ends["special_tokens"].items():
            token["ids"] = [ids[name]]
    else:  # an MPNet's is written down as RoBERTa's
        names = {end: _NAMES.get(ends[end][0], ends[end][0]) for end in ("cls", "sep")}
        ends |= {end: [name, ids[name]] for end, name in names.items()}
    return Tokenizer.from_str(json.dumps(state))
