"""Feed-forward layer with a SiLU gate (SwiGLU)."""

from symcost.ops import gate, linear, parameter
from symcost.tensors import Tensor


def swiglu(x: Tensor, *, biased: bool = False) -> Tensor:
    """x [b c d] → z [b c d], through an inner width of d_ff.

    The gate SiLU(G)·U is one step; a convention may take it apart into SiLU and a product.

    Source: Shazeer 2020, "GLU Variants Improve Transformer", section 2.
    """
    W_1 = parameter("W_1", "d d_ff")
    W_3 = parameter("W_3", "d d_ff")
    W_2 = parameter("W_2", "d_ff d")

    G = linear("G", "b c d, d d_ff -> b c d_ff", x, W_1, biased=biased)
    U = linear("U", "b c d, d d_ff -> b c d_ff", x, W_3, biased=biased)
    H = gate("H", G, U)
    return linear("z", "b c d_ff, d_ff d -> b c d", H, W_2, biased=biased)
