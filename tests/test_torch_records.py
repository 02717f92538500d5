"""What PyTorch, torch.compile and JAX were measured to keep and count comes out exactly."""

import tomllib
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
from sympy import Add, Integer, Max, Mul, ceiling, expand

from symcost.conventions import CONVENTIONS, LOSS_STATISTICS, convention
from symcost.derive import Derivation
from symcost.layers.swiglu import swiglu
from symcost.lower import lower
from symcost.model import Architecture, Attention, Block, FeedForward
from symcost.symbols import SYMBOLS, b, c, d, d_k, h, h_kv
from symcost.tensors import Role
from symcost.terms import evaluator

RECORDS = tomllib.loads((Path(__file__).parent / "fixtures" / "torch_2_13.toml").read_text(encoding="utf-8"))
PEAKS = RECORDS.pop("peaks")
LETTERS = ["b", "c", "d", "h", "h_kv", "d_k", "L", "v", "d_ff"]
MEASURED = ["parameters", "saved", "forward", "forward_backward", "optimizer"]
FORMS = [(name, quantity) for name, record in RECORDS.items() for quantity in record
         if quantity not in ("under", "model", "precision", "statistics", "measured")]  # fmt: skip
ROWS = [(name, row) for name, record in RECORDS.items() for row in record.get("measured", [])]


class PackedGate(FeedForward):
    """SwiGLU whose two branches are made by one matrix."""

    def layer(self, linear, drops):
        return partial(swiglu, packed=True, linear=linear)


@cache
def derived(name):
    """The derivation of a record's model under its convention."""
    record = RECORDS[name]
    parts = dict(record.get("model", {}))
    attention, feeds = parts.pop("attention", {}), parts.pop("feed_forward", {})
    feed_forward = PackedGate() if feeds.pop("packed", False) else FeedForward(**feeds)
    parts |= {"drops": frozenset(parts["drops"])} if "drops" in parts else {}
    model = Architecture((Block(Attention(**attention), feed_forward),), **parts)
    under = convention(record["under"])
    if record.get("statistics") == "loss":
        under = replace(under, statistics=LOSS_STATISTICS)
    return Derivation(lower(model.loss(), under), record.get("precision", "fp32"))


def total(terms):
    """The sum of terms, with d_k = d/h and as many key heads as query heads unless they are grouped."""
    return expand(Add(*(term.total for term in terms)))


def quantity(name, asked):
    found = derived(name)
    casts = {id(kept) for kept in found.kept if kept.tensor.role is Role.ACTIVATION and kept.tensor.learned}
    match asked:
        case "parameters":
            return total(found.parameters)
        case "parameter_tensors":
            return Add(*(tensor.times for tensor in found.program.parameters))
        case "saved":
            return total(found.activation_memory)
        case "elements":
            return total(found.activation_memory) / 4
        case "buffers":
            return total(found.buffers)
        case "weight_casts":
            memory = zip(found.kept, found.activation_memory, strict=True)
            return total(term for kept, term in memory if id(kept) in casts)
        case "forward":
            return total(found.forward_flops)
        case "forward_backward":
            return total((*found.forward_flops, *found.backward_flops, *found.recompute_flops))
        case "optimizer":  # AdamW: two states in the weights' type, and a step counter for each tensor
            return 2 * found.bytes_of(found.program.parameters[0]) * total(found.parameters) + 4 * quantity(
                name, "parameter_tensors"
            )
    raise AssertionError(asked)


def read(form):
    """A form of the fixture: "4 L b h c^2 + 8 b c" as an expression."""
    letters = SYMBOLS | {"c32": 32 * ceiling(c / 32), "b1": Max(0, 2 - b)}
    summands = form.replace(" - ", " + -").split(" + ")
    return Add(*(Mul(*(_factor(part, letters) for part in summand.split())) for summand in summands))


def _factor(part, letters):
    if part.lstrip("-").isdigit():
        return Integer(int(part))
    name, _, power = part.partition("^")
    return letters[name] ** int(power or 1)


@pytest.mark.parametrize(("name", "asked"), FORMS)
def test_a_measured_form_is_derived(name, asked):
    heads = {d_k: d / h} if "d_k" in RECORDS[name][asked] else {d_k: d / h, h_kv: h}
    difference = quantity(name, asked) - read(RECORDS[name][asked])
    assert expand(difference.xreplace(heads).xreplace({d_k: d / h})) == 0


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_measured_numbers_are_derived(name, row):
    numbers = dict(zip(LETTERS, row, strict=False))
    expected = dict(zip(MEASURED, row[len(LETTERS) :], strict=True))
    found = {asked: evaluator(quantity(name, asked))(numbers) for asked, number in expected.items() if number}
    assert found == {asked: number for asked, number in expected.items() if number}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name in PEAKS for row in PEAKS[name]])
def test_the_fullest_moments_of_a_step_are_derived_to_the_byte(name, row):
    """All but one peak lie at the loss's backward pass. In the smallest fused model it lies in the gradient of
    the gate, whose hand-written function makes four tensors of its size at once, which is not derived."""
    numbers = dict(zip(["b", "c", "d", "h", "L", "v", "d_ff"], row, strict=False))
    numbers |= {"h_kv": numbers["h"], "d_k": numbers["d"] // numbers["h"]}
    after_forward, update, peak, above = row[7:]

    parameters = evaluator(quantity(name, "parameters"))(numbers)
    static = {"parameter_memory": 4 * parameters, "gradient_memory": 4 * parameters}
    static["optimizer_memory"] = evaluator(quantity(name, "optimizer"))(numbers)
    moments = {
        moment.name: evaluator(total(moment.terms))(numbers) + sum(static[held] for held in moment.holds)
        for moment in derived(name).moments()
    }
    assert moments["forward end"] == after_forward
    assert moments["optimizer step"] == update
    assert max(moments.values()) + above == peak


def test_every_convention_of_a_framework_has_a_record():
    """hf-eager and hf-sdpa are held to whole models of transformers instead."""
    used = {record["under"].split("+")[0] for record in RECORDS.values()}
    frameworks = {name for name in CONVENTIONS if name.startswith(("torch", "hf", "auto", "jax"))}
    assert frameworks - used == {"hf-sdpa"}
