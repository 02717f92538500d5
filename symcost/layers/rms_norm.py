"""RMSNorm: each token divided by its root mean square, times a learned gain."""

from symcost import ops
from symcost.ops import parameter
from symcost.tensors import Tensor


def rms_norm(
    x: Tensor, name: str = "x_norm", *, learned: bool = True, around_one: bool = False, over: str = ""
) -> Tensor:
    """x [b c d] → x_norm [b c d].

    The step is one; a convention may take it apart into the row's rstd, x̂ = x·rstd and x̂·g. The mean runs
    over the last axis, or over those named in `over` (all heads of a token). A gain `around_one` is 1 + g.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
    """
    g = parameter("g", over or x.axes[-1]) if learned else None
    return ops.rms_norm(name, x, g, over=over, around_one=around_one)
