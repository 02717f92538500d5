"""Narayanan et al. 2021, Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM."""

from sympy import Rational, expand, simplify

from symcost.symbols import SYMBOLS

b, s, h, a, L, v, m = (SYMBOLS[name] for name in ("b", "c", "d", "h", "L", "v", "accumulation"))
t, p, chunks = (SYMBOLS[name] for name in ("tp", "pp", "chunks"))


def test_parameters(megatron):
    """Section 5.1, equation 2: 12Lh²(1 + 13/(12h) + (V + s)/(12Lh)); the final norm's 2h are left out
    there.
    """
    whole = megatron("single", c_max="c")["parameters"].total
    published = 12 * L * h**2 * (1 + Rational(13, 12) / h + (v + s) / (12 * L * h))
    assert expand(whole - published) == 2 * h


def test_flops_of_an_iteration_with_blocks_computed_again(megatron):
    """Section 5.1, equation 3: 96BsLh²(1 + s/6h + V/16Lh)."""
    costs = megatron("single", "+checkpoint")
    done = sum(costs[name].total for name in ("forward_flops", "backward_flops", "recompute_flops"))
    assert expand(done - 96 * b * s * L * h**2 * (1 + s / (6 * h) + v / (16 * L * h))) == 0


def test_all_devices_together_compute_what_the_model_does(megatron):
    first = megatron("megatron-tp+pp-1f1b")
    whole = megatron("single")["forward_flops"].total
    last = first.on("last")["forward_flops"].total
    assert simplify(t * ((p - 1) * first["forward_flops"].total + last) - whole) == 0


def test_bubble(megatron):
    """Sections 2.2.1 and 2.2.2."""
    assert simplify(megatron("pp-1f1b")["bubble"].total - (p - 1) / m) == 0
    assert simplify(megatron("pp-gpipe")["bubble"].total - (p - 1) / m) == 0
    assert simplify(megatron("pp-interleaved")["bubble"].total - (p - 1) / (m * chunks)) == 0


def test_gpipe_holds_every_micro_batch(megatron):
    """Section 2.2.1: all m, where 1F1B holds p at most."""
    stages = {name: megatron(name)["activation_memory"].where(lambda term: "block" in term.place).total
              for name in ("pp-gpipe", "pp-1f1b")}  # fmt: skip
    assert simplify(stages["pp-gpipe"] / stages["pp-1f1b"] - m / p) == 0


def test_the_last_stage_of_1f1b_holds_one_micro_batch(megatron):
    last = megatron("pp-1f1b").on("last")["activation_memory"].where(lambda term: "block" in term.place)
    one = megatron("single")["activation_memory"].where(lambda term: "block" in term.place)
    assert expand(last.total - one.total / p) == 0


def test_an_interleaved_pipeline_sends_more_by_its_chunks(megatron):
    """Section 2.2.2: the communication increases by the number of chunks. A stage in the middle."""
    sent = {
        name: sum(message.size * message.times for message in megatron(name).on("middle").derivation.messages)
        for name in ("pp-1f1b", "pp-interleaved")
    }
    assert simplify(sent["pp-1f1b"] - 2 * m * b * s * h) == 0
    assert simplify(sent["pp-interleaved"] / sent["pp-1f1b"] - chunks) == 0


def test_four_all_reduces_a_block(megatron):
    """Shoeybi et al. 2019, section 3: two forward, two backward, of bsh elements each; 8bsh(t − 1)/t
    elements sent (Narayanan et al. 2021, section 3.2).
    """
    costs = megatron("megatron-tp")
    block = [message for message in costs.derivation.messages if message.place.startswith("block")]
    assert [(message.kind, message.when, message.size) for message in block] == [
        ("all-reduce", when, b * s * h) for when in ("forward", "forward", "backward", "backward")
    ]
    sent = sum(message.sent(costs.layout) for message in block)
    assert simplify(sent - 8 * b * s * h * (t - 1) / t) == 0
