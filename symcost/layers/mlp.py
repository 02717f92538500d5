"""Feed-forward layer of two matrices with an activation function between them."""

from symcost.ops import Layer, contract, dropout, parameter
from symcost.tensors import Tensor


def mlp(x: Tensor, *, activation: Layer, linear: Layer = contract, drops: bool = False) -> Tensor:
    """x [b c d] → z [b c d], through an inner width of d_ff.

    `activation` is the op between the matrices: `gelu`, `gelu_tanh`, `silu`, `relu` or `relu_squared`.

    Source: Vaswani et al. 2017, section 3.3.
    """
    W_1 = parameter("W_1", "d d_ff")
    W_2 = parameter("W_2", "d_ff d")

    U = linear("U", "b c d, d d_ff -> b c d_ff", x, W_1)
    H = activation("H", U)
    z = linear("z", "b c d_ff, d_ff d -> b c d", H, W_2)
    return dropout("z_dropped", z) if drops else z
