"""Feed-forward layer of two matrices with an activation function between them."""

from collections.abc import Callable

from symcost.ops import dropout, linear, parameter
from symcost.tensors import Tensor


def mlp(
    x: Tensor, *, activation: Callable[[str, Tensor], Tensor], biased: bool = False, drops: bool = False
) -> Tensor:
    """x [b c d] → z [b c d], through an inner width of d_ff.

    `activation` is the op between the matrices: `gelu`, `gelu_tanh`, `silu` or `relu`.

    Source: Vaswani et al. 2017, section 3.3.
    """
    W_1 = parameter("W_1", "d d_ff")
    W_2 = parameter("W_2", "d_ff d")

    U = linear("U", "b c d, d d_ff -> b c d_ff", x, W_1, biased=biased)
    H = activation("H", U)
    z = linear("z", "b c d_ff, d_ff d -> b c d", H, W_2, biased=biased)
    return dropout("z_dropped", z) if drops else z
