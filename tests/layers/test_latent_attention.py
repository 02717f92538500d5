"""Latent attention by itself. Source: DeepSeek-AI 2024, DeepSeek-V2, equations 9 to 19."""

from functools import partial

import pytest
from sympy import expand

from symcost import ops
from symcost.layers.latent_attention import latent_attention
from symcost.symbols import b, c, d, d_k, h, symbol

d_c, d_cq, d_n, d_r, d_v = (symbol(name) for name in ["d_c", "d_cq", "d_n", "d_r", "d_v"])


@pytest.fixture
def latent(alone):
    def build(**arguments):
        layer = partial(latent_attention, **arguments)
        return alone(lambda x: layer(x, ops.constant("angles", "2 c d_r")))

    return build


def test_its_matrices_are_those_of_the_paper_and_two_norms(latent):
    """W^DQ, W^UQ and W^QR; W^DKV, W^UK, W^UV and W^KR; W^O."""
    paper = d * d_cq + d_cq * h * d_k + d * d_c + d_c * h * d_n + d_c * h * d_v + d * d_r + h * d_v * d
    assert latent().parameters == expand(paper + d_cq + d_c)


def test_queries_may_be_made_without_a_latent(latent):
    without = latent(latent_queries=False).parameters
    assert latent().parameters - without == d * d_cq + d_cq + d_cq * h * d_k - d * h * d_k


def test_all_heads_share_the_rotated_part_of_the_keys_but_the_scores_read_whole_keys(latent):
    scores, values = 2 * b * h * c**2 * d_k, 2 * b * h * c**2 * d_v
    down = d * (d_cq + d_c + d_r)
    up = d_cq * h * d_k + d_c * h * (d_n + d_v)
    assert latent().forward == expand(2 * b * c * (down + up + h * d_v * d) + scores + values)


def test_backward_is_twice_forward(latent):
    assert latent().backward == expand(2 * latent().forward)
