"""Rules: what holds of any model in its parameters alone, on one device or on one of many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache

from sympy import expand

from symcost import ops
from symcost.check.catalogue import Entry, Key
from symcost.check.meshes import MESH
from symcost.check.polynomials import Coefficient, Monomial, Summands, key, summands, times, total
from symcost.check.recipes import RECIPES, SHARED, Recipe, Share, laid_out, share
from symcost.model import parameters_of
from symcost.symbols import accumulation
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import bytes_per_parameter
from symcost.tensors import Tensor

RULE_OF_THUMB: Mapping[str, int] = {"forward_flops": 2, "backward_flops": 4, "training": 6}
THUMB = "the rule of thumb of {} FLOPs a parameter and token, which leaves out attention's products"
ONCE, EACH_TIME = "gradients once in a step", "gradients after every micro-batch"
ALL_PARAMETERS: Summands = {(("N", 1),): 1}


def rules(letters: Collection[str] = ()) -> Mapping[Key, list[Entry]]:
    """What holds of any model, by its form; of one device of many for a form in sizes of their mesh.

    >>> [entry.quantity for entry in rules()[key({(("N", 1),): 16})]][:2]
    ['static_memory', 'static_memory']
    """
    return _rules(frozenset(letters) & (MESH | {accumulation.name}))


@cache
def _rules(mesh: frozenset[str]) -> Mapping[Key, list[Entry]]:
    table: dict[Key, list[Entry]] = {}
    for entry in _on_devices(mesh) if mesh else (*_bytes(), *_flops()):
        if entry.table:
            table.setdefault(key(entry.table), []).append(entry)
    return table


def _bytes() -> Iterator[Entry]:
    for recipe in RECIPES.values():
        precision, remark = recipe.precision, f"precision {recipe.precision.name}"
        yield _rule("parameter_memory", precision.parameter, "N", remark)
        yield _rule("gradient_memory", precision.gradient, "N", remark)
        yield _rule("optimizer_memory", recipe.kept, "N", str(recipe), recipe=recipe)
        whole = bytes_per_parameter(recipe.optimizer, precision)
        yield _rule("static_memory", whole, "N", str(recipe), recipe=recipe)


def _flops() -> Iterator[Entry]:
    """2, 4, 6 and 8 FLOPs a parameter and token, and those of the optimizer."""
    yield from _of_a_matrix()
    for optimizer in OPTIMIZERS.values():
        remark, recipe = f"optimizer {optimizer.name}", RECIPES[optimizer.name, "bf16"]
        yield _rule("optimizer_flops", optimizer.flops_per_parameter, "N", remark, recipe=recipe)
    for quantity, each in RULE_OF_THUMB.items():
        yield _rule(quantity, each, "N", THUMB.format(each), per="token")
        for tokens in ("N D", "N b c", "N c"):
            yield _rule(quantity, each, tokens, THUMB.format(each))
        yield _rule("training_time", each, "N D /n /peak /MFU", THUMB.format(each))
        yield Entry(quantity, (), {_monomial("N"): each, _monomial("L c d"): 2 * each}, (), None, per="token",
                    remark="parameters and attention products")  # fmt: skip
        yield Entry(quantity, (), {_monomial("N"): each, _monomial("L c d"): each}, (), None, per="token",
                    remark="parameters and attention products over half the square")  # fmt: skip
    yield _rule("training", 8, "N", THUMB.format(8) + ", blocks computed again", per="token")
    yield _rule("training", 8, "N D", THUMB.format(8) + ", blocks computed again")
    yield _rule("training_time", 8, "N D /n /peak /MFU", THUMB.format(8) + ", blocks computed again")


def _on_devices(mesh: Collection[str]) -> Iterator[Entry]:
    """What each stage of ZeRO leaves on one of many devices, which share the parameters by a mesh besides."""
    for stage, layout in laid_out(mesh):
        part = share(layout)
        of_stage = f"ZeRO stage {stage}, " if stage != "0" else ""
        yield _of_parameters("parameters", part.parameter, f"layout {layout}", stage)
        yield from _sent(part, f"layout {layout}", stage)
        if accumulation.name in mesh:
            many = share(layout, several=True)
            yield from _sent(many, f"layout {layout}, {ONCE}", stage)
            yield from _sent(many.reducing_each, f"layout {layout}, {EACH_TIME}", stage)
        for recipe in SHARED:
            for quantity, each in part.bytes(recipe).items():
                yield _of_parameters(quantity, each, f"{of_stage}{recipe}", stage, recipe)


def _sent(part: Share, remark: str, stage: str) -> Iterator[Entry]:
    """The elements that a device sends, among so many devices or among many."""
    yield _of_parameters("messages", part.messages, remark, stage)
    yield _of_parameters("messages", of_many(part.messages), f"for many devices, {remark}", stage)


def of_many(each: Summands) -> Summands:
    """What is left where ever more data-parallel devices share it."""
    return {monomial: value for monomial, value in each.items() if ("dp", -1) not in monomial}


def _of_parameters(
    quantity: str, each: Summands, remark: str, stage: str, recipe: Recipe | None = None
) -> Entry:
    table = times(each, ALL_PARAMETERS) or {}
    return Entry(quantity, (), table, (), None, remark=remark, recipe=recipe, stage=stage)


def _of_a_matrix() -> Iterator[Entry]:
    """What holds of any matrix, and of an adapter beside it."""
    x, W = Tensor("x", ("b", "c", "d_in")), ops.parameter("W", "d_in d_out")
    y = ops.linear("y", "b c d_in, d_in d_out -> b c d_out", x, W, adapted={"W"})
    found = {tensor: summands(expand(tensor.size)) or {} for _, tensor in parameters_of(y)}
    yield Entry("parameters", (), found.pop(W), (), None, remark="one matrix")
    yield Entry("adapter_parameters", (), total(found.values()), (), None, remark="beside one matrix")


def _monomial(letters: str) -> Monomial:
    """`N D /n` as powers of letters."""
    return tuple(sorted((name.lstrip("/"), -1 if name.startswith("/") else 1) for name in letters.split()))


def _rule(
    quantity: str,
    each: Coefficient,
    letters: str,
    remark: str,
    per: str = "",
    recipe: Recipe | None = None,
) -> Entry:
    table = {_monomial(letters): each} if each else {}
    return Entry(quantity, (), table, (), None, per=per, remark=remark, recipe=recipe)
