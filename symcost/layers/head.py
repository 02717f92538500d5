"""LM head: the final projection to the vocabulary and the cross-entropy loss."""

from symcost.ops import Layer, contract, cross_entropy, parameter, scale, soft_cap
from symcost.tensors import Tensor


def head(
    x: Tensor,
    targets: Tensor,
    W: Tensor,
    *,
    linear: Layer = contract,
    scaled: bool = False,
    capped: bool = False,
) -> Tensor:
    """x [b c d], targets [b c] → loss []; W [v d] is its own matrix or the embedding's table (tied).

    The logits may be `scaled` by a number or `capped` softly. A table [v d_emb] is preceded by a product.

    Source: Radford et al. 2019, GPT-2 (tied); Touvron et al. 2023, LLaMA (not tied); Gemma Team 2024, Gemma
    2, section 2 (cap).
    """
    width = W.axes[-1]
    if width != "d":
        W_out = parameter("W_out", f"d {width}")
        x = linear("x_narrow", f"b c d, d {width} -> b c {width}", x, W_out)
    logits = linear("logits", f"b c {width}, v {width} -> b c v", x, W)
    if scaled:
        logits = scale("logits_scaled", logits)
    if capped:
        logits = soft_cap("logits_capped", logits)
    return cross_entropy("loss", logits, targets)
