"""LM head: the final projection to the vocabulary and the cross-entropy loss."""

from symcost.ops import contract, cross_entropy
from symcost.tensors import Tensor


def head(x: Tensor, targets: Tensor, W: Tensor) -> Tensor:
    """x [b c d], targets [b c] → loss []; W [v d] is its own matrix or the embedding's table (tied).

    Source: Radford et al. 2019, GPT-2 (tied); Touvron et al. 2023, LLaMA (not tied).
    """
    logits = contract("logits", "b c d, v d -> b c v", x, W)
    return cross_entropy("loss", logits, targets)
