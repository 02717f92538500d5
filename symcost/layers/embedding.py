"""Token embedding: a row of the table for each token, and what some models do to it first."""

from symcost.ops import Layer, add, contract, dropout, gather, index, parameter, scale
from symcost.tensors import Tensor


def embedding(
    tokens: Tensor,
    W_E: Tensor,
    *,
    linear: Layer = contract,
    positions: str = "",
    scaled: bool = False,
    norm: Layer | None = None,
    drops: bool = False,
) -> Tensor:
    """tokens [b c] → x [b c d]: rows of the table W_E [v d]. A look-up costs no FLOPs; its gradient reads the
    ids.

    `positions` are the axes of the indices of up to c_max learned positions: "c", or "b c" where each
    sequence has its own. `scaled` multiplies by √d, `norm` is a norm behind the look-up, `drops` drops
    elements of x. A table [v d_emb] is followed by a product to width d.

    Source: Radford et al. 2019, GPT-2, section 2.3 (positions); Vaswani et al. 2017, section 3.4 (√d);
    Le Scao et al. 2022, BLOOM, section 3.2 (norm); Zhang et al. 2022, OPT (d_emb, in its 350M model).
    """
    width = W_E.axes[-1]
    x = gather("x_0", W_E, tokens, f"b c {width}")
    if width != "d":
        W_in = parameter("W_in", f"{width} d")
        x = linear("x_wide", f"b c {width}, {width} d -> b c d", x, W_in)
    if scaled:
        x = scale("x_scaled", x)
    if positions:
        W_P = parameter("W_P", "c_max d")
        p = gather("x_position", W_P, index("positions", positions), "b c d")
        x = add("x_placed", x, p)
    if norm is not None:
        x = norm(x, "x_first")
    return dropout("x_dropped", x) if drops else x
