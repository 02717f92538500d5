"""Multi-head latent attention (MLA): keys and values of all heads are made from one narrow latent."""

from symcost.layers.rms_norm import rms_norm
from symcost.ops import Layer, attention_core, contract, join, parameter, rotate, split
from symcost.tensors import Tensor


def latent_attention(
    x: Tensor,
    table: Tensor,
    mask: Tensor | None = None,
    *,
    linear: Layer = contract,
    latent_queries: bool = True,
) -> Tensor:
    """x [b c d] → y [b c d], through latents of width d_c for keys and values and d_cq for queries.

    A key of width d_k is d_n elements made from the latent and d_r rotated ones that all heads share; a value
    has width d_v. One matrix makes the latent and the rotated elements, one the keys and values of all heads.
    `table` holds RoPE's angles for d_r. Queries may be made from x without a latent.

    Source: DeepSeek-AI 2024, DeepSeek-V2, section 2.1 and equations 9 to 19.
    """
    W_DKV = parameter("W_DKV", "d d_c+d_r")
    W_UKV = parameter("W_UKV", "d_c h d_n+d_v")
    W_O = parameter("W_O", "h d_v d")

    if latent_queries:
        W_DQ = parameter("W_DQ", "d d_cq")
        W_UQ = parameter("W_UQ", "d_cq h d_k")
        C_Q = rms_norm(linear("C_Q", "b c d, d d_cq -> b c d_cq", x, W_DQ), "C_Q_norm")
        Q = linear("Q", "b c d_cq, d_cq h d_k -> b h c d_k", C_Q, W_UQ)
    else:
        W_Q = parameter("W_Q", "d h d_k")
        Q = linear("Q", "b c d, d h d_k -> b h c d_k", x, W_Q)
    low = linear("low", "b c d, d d_c+d_r -> b c d_c+d_r", x, W_DKV)
    C_KV, K_R = split("C_KV", low, "b c d_c"), split("K_R", low, "b c d_r")
    KV = linear("KV", "b c d_c, d_c h d_n+d_v -> b h c d_n+d_v", rms_norm(C_KV, "C_KV_norm"), W_UKV)
    K_C, V = split("K_C", KV, "b h c d_n"), split("V", KV, "b h c d_v")

    Q = rotate("Q_rotated", Q, table)
    K = join("K", K_C, rotate("K_R_rotated", K_R, table), "b h c d_k")
    O = attention_core("O", Q, K, V, mask)
    return linear("y", "b h c d_v, h d_v d -> b c d", O, W_O)
