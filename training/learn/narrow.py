"""Networks narrower than a BERT's shapes allow: fewer heads of the same size, word vectors of a lower rank."""

from torch import Tensor, nn
from transformers import BertModel

HEADS, RANK = "heads_kept", "embedding_rank"
"""What a network's configuration calls them; a whole network's has neither."""


class LowRank(nn.Module):
    """Word vectors as the product of a narrow table and one matrix (ALBERT, Lan et al. 2020, section 3.1)."""

    def __init__(self, pieces: int, rank: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(pieces, rank, padding_idx=0)
        self.widen = nn.Linear(rank, width, bias=False)

    def forward(self, input_ids: Tensor) -> Tensor:
        """The vectors `[batch, tokens, width]` of the ids `[batch, tokens]`."""
        vectors: Tensor = self.widen(self.table(input_ids))
        return vectors


def narrow(encoder: BertModel) -> BertModel:
    """`encoder` with the parts of its layers replaced as its configuration says; their weights are then random."""
    config = encoder.config
    width = config.hidden_size
    if (heads := getattr(config, HEADS, None)) is not None:
        for layer in encoder.encoder.layer:
            attention = layer.attention.self
            attention.num_attention_heads = heads
            attention.all_head_size = inside = heads * attention.attention_head_size
            for name in ("query", "key", "value"):
                setattr(attention, name, nn.Linear(width, inside))
            layer.attention.output.dense = nn.Linear(inside, width)
    if (rank := getattr(config, RANK, None)) is not None:
        encoder.embeddings.word_embeddings = LowRank(config.vocab_size, rank, width)
    return encoder
