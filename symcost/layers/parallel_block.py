"""The parallel block: attention and the feed-forward layer read the same input side by side."""

from symcost.ops import Layer, add, branch, part
from symcost.tensors import Tensor


def parallel_block(
    x: Tensor, *shared: Tensor, norm: Layer, attention: Layer, mlp: Layer, norms: str = "one"
) -> Tensor:
    """x [b c d] → x_out [b c d]: x + attention(norm(x)) + mlp(norm(x)), with "one" norm for both or "two".

    Source: Wang and Komatsuzaki 2021, GPT-J (one norm); Black et al. 2022, GPT-NeoX, section 2.1 (two norms).
    """

    def attends_and_feeds(x: Tensor, *shared: Tensor) -> Tensor:
        x_norm = part("norm_1", norm, x)
        y = part("attention", attention, x_norm, *shared)
        x_ffin = part("norm_2", lambda x: norm(x, "x_ffin"), x) if norms == "two" else x_norm
        return add("y_and_z", y, part("mlp", mlp, x_ffin))

    return add("x_out", x, branch("branch_1", attends_and_feeds, x, *shared))
