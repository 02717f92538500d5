"""Multi-head attention with grouped key and value heads."""

from symcost.ops import attention_core, dropout, linear, parameter, repeat_heads, rotate
from symcost.tensors import Tensor


def attention(
    x: Tensor,
    table: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    grouped: bool = False,
    drops: bool = False,
    biased: str = "",
) -> Tensor:
    """x [b c d] → y [b c d], through h query heads and h_kv key and value heads of width d_k.

    `table` holds RoPE's angles and `mask` what a token may not look at. Where heads are `grouped`, each key and
    value head serves h/h_kv query heads. `drops` drops weights and results; `biased` names the projections that
    have a bias, as in "QKV" or "QKVO".

    Source: Vaswani et al. 2017, section 3.2; Ainslie et al. 2023 (grouped heads); Su et al. 2021 (RoPE).
    """
    W_Q = parameter("W_Q", "d h d_k")
    W_K = parameter("W_K", "d h_kv d_k" if grouped else "d h d_k")
    W_V = parameter("W_V", "d h_kv d_k" if grouped else "d h d_k")
    W_O = parameter("W_O", "h d_k d")
    to_heads = "b c d, d h d_k -> b h c d_k"
    to_groups = "b c d, d h_kv d_k -> b h_kv c d_k" if grouped else to_heads

    Q = linear("Q", to_heads, x, W_Q, biased="Q" in biased)
    K = linear("K", to_groups, x, W_K, biased="K" in biased)
    V = linear("V", to_groups, x, W_V, biased="V" in biased)
    if table is not None:
        Q = rotate("Q_rotated", Q, table)
        K = rotate("K_rotated", K, table)
    if grouped:
        K = repeat_heads("K_repeated", K)
        V = repeat_heads("V_repeated", V)

    O = attention_core("O", Q, K, V, mask, drops)
    y = linear("y", "b h c d_k, h d_k d -> b c d", O, W_O, biased="O" in biased)
    return dropout("y_dropped", y) if drops else y
