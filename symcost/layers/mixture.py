"""Mixture of experts: a router sends each token to k of E feed-forward layers."""

from symcost import ops
from symcost.layers.swiglu import swiglu
from symcost.ops import (
    Layer,
    add,
    combine,
    constant,
    contract,
    dispatch,
    multiply,
    normalise,
    parameter,
    part,
    pick,
    route,
    sigmoid,
    softmax,
    top,
)
from symcost.tensors import Tensor


def mixture(
    x: Tensor,
    *,
    gate: Layer = ops.gate,
    linear: Layer = contract,
    scores: Layer = softmax,
    scores_of_chosen: bool = False,
    normalised: bool = False,
    balanced: bool = False,
    weighs_input: bool = False,
    shared: str = "",
    shared_gate: bool = False,
) -> Tensor:
    """x [b c d] → z [b c d]: the sum of what the k experts of each token answer, each of inner width
    d_expert.

    An expert is a gated feed-forward layer. The router's logits become weights by `scores`, over all experts
    or over the chosen alone, and may be `normalised`; they multiply an expert's answer, or its input. A
    router that is `balanced` adds a bias to choose by, which a rule of its own moves: no parameter but a
    table. `shared` is the width of the experts that every token is sent to; they are one feed-forward layer,
    which may have a gate of its own.

    Source: Shazeer et al. 2017, section 2; Jiang et al. 2024, Mixtral, section 2.1; DeepSeek-AI 2024,
    DeepSeek-V2, equations 20 to 22 (shared experts); DeepSeek-AI 2024, DeepSeek-V3, equation 16 (the bias).
    """
    W_R = parameter("W_R", "d E")
    R = linear("R", "b c d, d E -> b c E", x, W_R)
    p = R if scores_of_chosen else scores("p", R)
    by = p
    if balanced:
        by = ops.bias("p_balanced", p, constant("balance", "E"))
    chosen = top("chosen", by, "b c k")
    w = pick("w", p, chosen, "b c k")
    w = scores("w_scored", w) if scores_of_chosen else w
    w = normalise("w_normed", w) if normalised else w

    z = part("experts", _experts(gate, linear, weighs_input), x, w, chosen)
    if not shared:
        return z
    always = part("shared", lambda x: swiglu(x, gate=gate, width=shared, linear=linear), x)
    if shared_gate:
        W_S = parameter("W_S", "d 1")
        always = multiply("shared_gated", always, sigmoid("s", linear("S", "b c d, d 1 -> b c 1", x, W_S)))
    return add("z_all", z, always)


def _experts(gate: Layer, linear: Layer, weighs_input: bool) -> Layer:
    def experts(x: Tensor, w: Tensor, chosen: Tensor) -> Tensor:
        W_1 = parameter("W_1", "E d d_expert")
        W_3 = parameter("W_3", "E d d_expert")
        W_2 = parameter("W_2", "E d_expert d")

        pairs = route("pairs", chosen)
        x_e = dispatch("x_e", x, pairs)
        w_e = pick("w_e", w, pairs, "b c k")
        if weighs_input:
            x_e = multiply("x_weighted", x_e, w_e)
        G = linear("G", "b c k d, E d d_expert -> b c k d_expert", x_e, W_1, chosen="E")
        U = linear("U", "b c k d, E d d_expert -> b c k d_expert", x_e, W_3, chosen="E")
        H = gate("H", G, U)
        z_e = linear("z_e", "b c k d_expert, E d_expert d -> b c k d", H, W_2, chosen="E")
        if not weighs_input:
            z_e = multiply("z_weighted", z_e, w_e)
        return combine("z", z_e, pairs)

    return experts
