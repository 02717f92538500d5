"""Multi-head attention with grouped key and value heads."""

from symcost.ops import (
    Layer,
    attention_core,
    clamp,
    contract,
    dropout,
    parameter,
    repeat_heads,
    rotate,
    split,
    spread_head,
)
from symcost.tensors import Tensor


def attention(
    x: Tensor,
    table: Tensor | None = None,
    mask: Tensor | None = None,
    slopes: Tensor | None = None,
    *,
    linear: Layer = contract,
    grouped: bool = False,
    one_group: bool = False,
    packed: bool = False,
    clamped: bool = False,
    qk_norm: Layer | None = None,
    capped: bool = False,
    sinks: bool = False,
    drops: bool = False,
    drops_result: bool = False,
) -> Tensor:
    """x [b c d] → y [b c d], through h query heads and h_kv key and value heads of width d_k.

    `table` holds RoPE's angles, `mask` what a token may not look at, `slopes` what ALiBi adds to the scores.
    Where heads are `grouped`, each key and value head serves h/h_kv query heads, all of them where there is
    `one_group`; `packed` makes queries, keys and values with one matrix. They may be `clamped`, and queries
    and keys normed. Scores may be `capped` softly and meet learned `sinks`. `drops` drops weights,
    `drops_result` elements of y.

    Source: Vaswani et al. 2017, section 3.2; Ainslie et al. 2023 (grouped heads); Su et al. 2021 (RoPE);
    Press et al. 2021 (ALiBi); Henry et al. 2020 (norms of queries and keys).
    """
    queries, keys = "b h c d_k", "b h_kv c d_k" if grouped else "b h c d_k"
    W_O = parameter("W_O", "h d_k d")

    if packed:
        W_QKV = parameter("W_QKV", "d h+2h_kv d_k" if grouped else "d 3h d_k")
        heads = W_QKV.axes[1]
        QKV = linear("QKV", f"b c d, d {heads} d_k -> b {heads} c d_k", x, W_QKV)
        QKV = clamp("QKV_clamped", QKV) if clamped else QKV
        Q, K, V = split("Q", QKV, queries), split("K", QKV, keys), split("V", QKV, keys)
    else:
        W_Q = parameter("W_Q", "d h d_k")
        W_K = parameter("W_K", "d h_kv d_k" if grouped else "d h d_k")
        W_V = parameter("W_V", "d h_kv d_k" if grouped else "d h d_k")
        Q = linear("Q", f"b c d, d h d_k -> {queries}", x, W_Q)
        K = linear("K", f"b c d, {' '.join(W_K.axes)} -> {keys}", x, W_K)
        V = linear("V", f"b c d, {' '.join(W_V.axes)} -> {keys}", x, W_V)
        if clamped:
            Q, K, V = clamp("Q_clamped", Q), clamp("K_clamped", K), clamp("V_clamped", V)

    if qk_norm is not None:
        Q = qk_norm(Q, "Q_norm")
        K = qk_norm(K, "K_norm")
    if table is not None:
        Q = rotate("Q_rotated", Q, table)
        K = rotate("K_rotated", K, table)
    if grouped:
        repeat = spread_head if one_group else repeat_heads
        K = repeat("K_repeated", K)
        V = repeat("V_repeated", V)

    s = parameter("sinks", "h") if sinks else None
    O = attention_core("O", Q, K, V, mask, drops, slopes=slopes, capped=capped, sinks=s)
    y = linear("y", "b h c d_k, h d_k d -> b c d", O, W_O)
    return dropout("y_dropped", y) if drops_result else y
