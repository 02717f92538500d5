"""The transformer block: attention and a feed-forward layer, each behind a norm and inside a residual connection."""

from collections.abc import Callable

from symcost.ops import add, branch, part
from symcost.tensors import Tensor

Layer = Callable[..., Tensor]


def block(x: Tensor, *shared: Tensor, norm: Layer, attention: Layer, mlp: Layer) -> Tensor:
    """x [b c d] → x_out [b c d]; `shared` is what all blocks read alike (a mask, RoPE's angles).

    Source: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", figure 1b (pre-norm).
    """

    def attends(x: Tensor, *shared: Tensor) -> Tensor:
        return part("attention", attention, part("norm_1", norm, x), *shared)

    def feeds(x_res: Tensor) -> Tensor:
        return part("mlp", mlp, part("norm_2", lambda x: norm(x, "x_ffin"), x_res))

    x_res = add("x_res", x, branch("branch_1", attends, x, *shared))
    return add("x_out", x_res, branch("branch_2", feeds, x_res))
