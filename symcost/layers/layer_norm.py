"""LayerNorm: each token centred and divided by its standard deviation, times a gain, plus a shift."""

from symcost import ops
from symcost.ops import parameter
from symcost.tensors import Tensor


def layer_norm(x: Tensor, name: str = "x_norm") -> Tensor:
    """x [b c d] → x_norm [b c d].

    Source: Ba, Kiros and Hinton 2016, "Layer Normalization", equation 4.
    """
    g = parameter("g", x.axes[-1])
    s = parameter("s", x.axes[-1])
    return ops.layer_norm(name, x, g, s)
