"""Feed-forward layer with a SiLU gate (SwiGLU), or another."""

from symcost import ops
from symcost.ops import Layer, contract, dropout, parameter, split
from symcost.tensors import Tensor


def swiglu(
    x: Tensor,
    *,
    gate: Layer = ops.gate,
    width: str = "d_ff",
    packed: bool = False,
    linear: Layer = contract,
    drops: bool = False,
) -> Tensor:
    """x [b c d] → z [b c d], through an inner width of d_ff, unless another is given.

    `packed` makes both branches with one matrix.

    The gate SiLU(G)·U is one step; a convention may take it apart into SiLU and a product. With `gelu_gate`
    this is GEGLU.

    Source: Shazeer 2020, "GLU Variants Improve Transformer", section 2.
    """
    W_2 = parameter("W_2", f"{width} d")

    if packed:
        W_13 = parameter("W_13", f"d 2{width}")
        GU = linear("GU", f"b c d, d 2{width} -> b c 2{width}", x, W_13)
        G, U = split("G", GU, f"b c {width}"), split("U", GU, f"b c {width}")
    else:
        W_1 = parameter("W_1", f"d {width}")
        W_3 = parameter("W_3", f"d {width}")
        G = linear("G", f"b c d, d {width} -> b c {width}", x, W_1)
        U = linear("U", f"b c d, d {width} -> b c {width}", x, W_3)
    H = gate("H", G, U)
    z = linear("z", f"b c {width}, {width} d -> b c d", H, W_2)
    return dropout("z_dropped", z) if drops else z
