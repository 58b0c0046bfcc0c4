"""Tiny networks and made-up texts to train them on."""

import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import RobertaProcessing, TemplateProcessing
from transformers import MPNetConfig, MPNetModel

from training.data.corpus import Example
from training.learn import network, vocabulary

WORDS = {
    0: ["awful", "late", "lost", "rude"],
    1: ["flight", "gate", "ticket", "when"],
    2: ["great", "thanks", "love", "kind"],
}
UNUSED = ["zebra", "##quux", "submarine"]


def tokenizer() -> Tokenizer:
    characters = [chr(code) for code in range(97, 123)]
    pieces = [*vocabulary.SPECIAL, *characters, *(f"##{char}" for char in characters), "@", "user", *UNUSED]
    pieces += [word for words in WORDS.values() for word in words]
    made = Tokenizer(WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))  # type: ignore[arg-type]
    made.normalizer = BertNormalizer()  # type: ignore[assignment]
    made.pre_tokenizer = BertPreTokenizer()  # type: ignore[assignment]
    made.post_processor = TemplateProcessing(  # type: ignore[assignment]
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.add_special_tokens(list(vocabulary.SPECIAL))
    return made


def build(size: int) -> network.Classifier:
    torch.manual_seed(3)
    return network.build(
        {
            "model_type": "bert",
            "vocab_size": size,
            "hidden_size": 32,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "max_position_embeddings": 256,
        }
    )


def examples(count: int = 192) -> list[Example]:
    rng = random.Random(1)
    made = []
    for number in range(count):
        label = number % 3
        words = rng.choices(WORDS[label], k=rng.randint(1, 4)) + rng.choices(WORDS[1], k=rng.randint(0, 3))
        made.append(Example(str(number), "@user " + " ".join(words), label, agreement=0.9))
    return made


def mpnet(folder: Path) -> Path:
    """Writes the files of a tiny MPNet to `folder`, as a hub has them."""
    torch.manual_seed(3)
    words = [word for words in WORDS.values() for word in words]
    characters = [chr(code) for code in range(97, 123)]
    # The published order: the mask comes last, the unknown piece is BERT's, and <unk> is there for nothing.
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *UNUSED, "[UNK]", *characters, *(f"##{char}" for char in characters)]
    pieces += ["@", "user", *words, "<mask>"]
    made = Tokenizer(WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))  # type: ignore[arg-type]
    made.normalizer = BertNormalizer()  # type: ignore[assignment]
    made.pre_tokenizer = BertPreTokenizer()  # type: ignore[assignment]
    made.post_processor = RobertaProcessing(sep=("</s>", 2), cls=("<s>", 0))  # type: ignore[assignment, call-arg]
    made.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])
    config = MPNetConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=514,
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    return folder
