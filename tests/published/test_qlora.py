"""QLoRA (Dettmers et al. 2023): memory to train a Llama of 65 billion parameters."""

import symcost
from symcost.families import load
from symcost.symbols import GB

LLAMA = "llama-1-65b"


def static(element):
    """Adapters of rank 64 on every matrix, as in section 4; weights, gradients and AdamW's states in GB."""
    model = load(LLAMA, adapters={"r": 64, "on": ["all"]}, quantised=element)
    return symcost.derive(model, precision="bf16")["static_memory"].at() / GB


def test_sixteen_bit_finetuning_takes_more_than_780_gigabytes():
    """Section 1: 2 + 2 bytes for weights and gradients, 8 for Adam's states."""
    assert round(symcost.derive(LLAMA, precision="mixed-12")["static_memory"].at() / GB) == 783


def test_four_bits_and_adapters_leave_it_below_48_gigabytes():
    """Section 1: less than 48 GB, activations included. What is static is 41 GB: matrices of the blocks in 4
    bits and their constants, embedding, head and norms in 16, adapters and their states.
    """
    assert 40 < static("nf4-double") < 41 < 48


def test_quantising_the_constants_saves_about_three_gigabytes():
    """Section 3: 0.373 bits a parameter."""
    assert round(static("nf4") - static("nf4-double")) == 3
