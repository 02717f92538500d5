"""The transformer block: attention and a feed-forward layer, each with its norms in a residual connection."""

from symcost.ops import Layer, add, branch, part
from symcost.tensors import Tensor


def block(
    x: Tensor, *shared: Tensor, norm: Layer, attention: Layer, mlp: Layer, norms: str = "before"
) -> Tensor:
    """x [b c d] → x_out [b c d]; `shared` is what all blocks read alike (a mask, RoPE's angles).

    `norms` stand "before" each layer, "after" it, "around" it, or behind the "residual" addition.

    Source: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", figure 1b (before)
    and 1a (residual); OLMo Team 2024, OLMo 2, section 2.2 (after); Gemma Team 2024, Gemma 2, section 2
    (around).
    """

    def attends(x: Tensor, *shared: Tensor) -> Tensor:
        if norms in ("before", "around"):
            x = part("norm_1", norm, x)
        y = part("attention", attention, x, *shared)
        return part("post_norm_1", lambda y: norm(y, "y_norm"), y) if norms in ("after", "around") else y

    def feeds(x_res: Tensor) -> Tensor:
        if norms in ("before", "around"):
            x_res = part("norm_2", lambda x: norm(x, "x_ffin"), x_res)
        z = part("mlp", mlp, x_res)
        return part("post_norm_2", lambda z: norm(z, "z_norm"), z) if norms in ("after", "around") else z

    x_res = add("x_res", x, branch("branch_1", attends, x, *shared))
    if norms == "residual":
        x_res = part("norm_1", norm, x_res)
    x_out = add("x_out", x_res, branch("branch_2", feeds, x_res))
    return part("norm_2", norm, x_out) if norms == "residual" else x_out
