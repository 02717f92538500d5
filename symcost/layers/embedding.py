"""Token embedding, with or without learned positions."""

from symcost.ops import add, gather, index, parameter
from symcost.tensors import Tensor


def embedding(tokens: Tensor, W_E: Tensor) -> Tensor:
    """tokens [b c] → x [b c d]: rows of the table. A look-up costs no FLOPs; its gradient reads the ids."""
    return gather("x_0", W_E, tokens, "b c d")


def positions(tokens: Tensor, W_E: Tensor) -> Tensor:
    """tokens [b c] → x [b c d], a learned row added for each of up to c_max positions.

    Source: Radford et al. 2019, GPT-2, section 2.3.
    """
    W_P = parameter("W_P", "c_max d")
    x = gather("x_token", W_E, tokens, "b c d")
    p = gather("x_position", W_P, index("positions", "c"), "b c d")
    return add("x_0", x, p)
