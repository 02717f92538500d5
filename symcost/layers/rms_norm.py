"""RMSNorm: each token divided by its root mean square, times a learned gain."""

from symcost import ops
from symcost.ops import parameter
from symcost.tensors import Tensor


def rms_norm(x: Tensor, name: str = "x_norm") -> Tensor:
    """x [b c d] → x_norm [b c d].

    The step is one; a convention may take it apart into the row's rstd, x̂ = x·rstd and x̂·g.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
    """
    g = parameter("g", x.axes[-1])
    return ops.rms_norm(name, x, g)
