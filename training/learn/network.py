"""The network of teacher and student alike: an encoder, the mean of its token vectors, one linear layer."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

from models.text import normalise
from schemas.errors import UsageError
from schemas.records import LABELS
from training.learn import narrow

MAX_TOKENS = 256
"""What the worker reads of a text, [CLS] and [SEP] included."""

# Plain matrix products: they export to ONNX as operators that INT8 quantisation knows, and on a CPU, at the 29 tokens
# of a tweet, they are a tenth faster than the fused kernel.
ATTENTION = "eager"


# A GPU where PyTorch finds one: MPNet-base learned from 860 texts a second on an H200 that three processes shared, and
# from two on one of our cores.
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# By the `model_type` of a configuration. Only BERT is exported to ONNX: of an MPNet none is shipped.
ENCODERS = {"bert": (BertConfig, BertModel), "mpnet": (MPNetConfig, MPNetModel)}


class Classifier(nn.Module):
    """Scores token ids `[batch, tokens]` with their mask (1 for a token, 0 for padding) as logits `[batch, 3]`."""

    def __init__(self, encoder: BertModel | MPNetModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.config.hidden_size, len(LABELS))
        # Small, so that the first steps change the head more than the pre-trained layers.
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def pooled(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The mean of each text's token vectors, `[batch, hidden]`."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The logits."""
        logits: Tensor = self.head(self.dropout(self.pooled(input_ids, attention_mask)))
        return logits


def build(config: dict[str, object]) -> Classifier:
    """An untrained network of the shape that a BERT's or MPNet's `config` names."""
    configuration, encoder = ENCODERS[str(config["model_type"])]
    whole = encoder(configuration(**config, attn_implementation=ATTENTION), add_pooling_layer=False)
    return Classifier(narrow.narrow(whole))


def save(model: Classifier, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes weights, configuration and tokenizer; the folder appears only when all three are whole.

    Where another process has made it meanwhile, that one stays.
    """
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    torch.save(model.cpu().state_dict(), partial / "model.pt")
    model.encoder.config.to_json_file(partial / "config.json")
    tokenizer.save(str(partial / "tokenizer.json"))
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(partial)


def load(folder: Path) -> tuple[Classifier, Tokenizer]:
    """The network and tokenizer that `save` wrote. Raises UsageError: the folder is not there."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such model; run the step that makes it, or `edgewise train all`")
    model = build(json.loads((folder / "config.json").read_text("utf-8")))
    model.load_state_dict(torch.load(folder / "model.pt", weights_only=True))
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of `texts`, normalised and cut to `MAX_TOKENS` as the worker does it."""
    rows = [encoding.ids for encoding in tokenizer.encode_batch([normalise(text) for text in texts])]
    return [ids if len(ids) <= MAX_TOKENS else ids[: MAX_TOKENS - 1] + ids[-1:] for ids in rows]


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask `[batch, longest]`; padding has id 0, whatever piece that is, and the mask hides it."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(mask.shape, np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(rows), np.int64, lengths.sum())
    return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))


def on_device(tensors: Iterable[Tensor]) -> list[Tensor]:
    """`tensors` on `DEVICE`."""
    return [each.to(DEVICE) for each in tensors]


def predict(model: Classifier, rows: Sequence[Sequence[int]], batch_size: int = 64) -> Tensor:
    """The logits `[rows, 3]` in the rows' order; batches are of like length, so that little is padded."""
    return _in_batches(model, model, rows, batch_size)


def features(model: Classifier, rows: Sequence[Sequence[int]], batch_size: int = 64) -> Tensor:
    """What the head sees of each row, `[rows, hidden]`."""
    return _in_batches(model, model.pooled, rows, batch_size)


def _in_batches(
    model: Classifier, run: Callable[[Tensor, Tensor], Tensor], rows: Sequence[Sequence[int]], batch_size: int
) -> Tensor:
    model.to(DEVICE).eval()
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    with torch.inference_mode():  # the move to a GPU stays outside: weights moved inside could not be trained
        found = torch.cat([run(*on_device(pad([rows[index] for index in batch]))) for batch in batches]).cpu()
    result = torch.empty_like(found)
    result[order] = found
    return result
