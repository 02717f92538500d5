"""Named layouts, each a few rules with a source, and how names are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from symcost.errors import UnknownName, UsageError, nearest
from symcost.layouts.pipeline import GPIPE, INTERLEAVED, ONE_F_ONE_B
from symcost.layouts.placing import ACTIVATIONS, FLAT, GRADIENTS, LEARNED, PARAMETERS, STATES, Layout, Split
from symcost.symbols import GLOSSARY, SYMBOLS
from symcost.tables import by_name

SHARD = "shard"  # the devices that share one copy of what is learned, where there are several copies
EXPERTS = ("d_expert",)

SHOEYBI = "Shoeybi et al. 2019, Megatron-LM, section 3"
KORTHIKANTI = (
    "Korthikanti et al. 2022, Reducing Activation Recomputation in Large Transformer Models, section 4.2.2"
)
ZERO = "Rajbhandari et al. 2020, ZeRO, section 5"

BATCH = Split("b", "dp")
WIDTHS = tuple(Split(axis, "tp") for axis in ("h", "h_kv", "d_ff", "d_expert", "d_shared", "v"))
TOKENS_BESIDE_D = Split("c", "tp", of=frozenset({ACTIVATIONS}), beside=("d",))


def _zero(name: str, *split: str, note: str = "") -> Layout:
    return Layout(
        name,
        ("dp",),
        (BATCH, *(Split(FLAT, "dp", of=frozenset({each})) for each in split)),
        ZERO,
        note,
        own_data=("dp",),
    )


LAYOUTS: Mapping[str, Layout] = by_name(
    (
        Layout("single", source="one device", note="everything on one device"),
        Layout(
            "ddp", ("dp",), (BATCH,), "Li et al. 2020, PyTorch Distributed, section 3",
            "every device has all parameters and its own sequences", own_data=("dp",),
        ),
        _zero("zero-1", STATES, note="optimizer states are split"),
        _zero("zero-2", STATES, GRADIENTS, note="optimizer states and gradients are split"),
        _zero(
            "zero-3", STATES, GRADIENTS, PARAMETERS,
            note="optimizer states, gradients and parameters are split, and parameters gathered for each block",
        ),
        replace(
            _zero("fsdp", STATES, GRADIENTS, PARAMETERS, note="zero-3 as PyTorch has it"),
            source="Zhao et al. 2023, PyTorch FSDP, section 3.2",
        ),
        Layout(
            "hsdp", ("dp", SHARD), (BATCH, Split("b", SHARD), Split(FLAT, SHARD, of=LEARNED)),
            "Zhao et al. 2023, PyTorch FSDP, section 3.2.2",
            "dp copies of the model, each over n/dp devices",
            sizes={SHARD: SYMBOLS["n"] / SYMBOLS["dp"]}, own_data=("dp", SHARD),
        ),
        Layout("megatron-tp", ("tp",), WIDTHS, SHOEYBI, "heads, inner width and vocabulary are split"),
        Layout(
            "megatron-tp-sp", ("tp",), (*WIDTHS, TOKENS_BESIDE_D), KORTHIKANTI,
            "heads, inner width and vocabulary are split, and tokens in tensors of width d of which nothing else is",
        ),
        Layout(
            "pp-gpipe", ("pp",), (), GPIPE.source, "blocks over stages, all forward passes first",
            schedule=GPIPE,
        ),
        Layout("pp-1f1b", ("pp",), (), ONE_F_ONE_B.source, "one forward, one backward", schedule=ONE_F_ONE_B),
        Layout(
            "pp-interleaved", ("pp",), (), INTERLEAVED.source, "each device has several chunks of blocks",
            schedule=INTERLEAVED,
        ),
        Layout(
            "cp-ring", ("cp",), (Split("c", "cp", of=frozenset({ACTIVATIONS})),),
            "Liu et al. 2023, Ring Attention, section 3",
            "tokens are split; keys and values pass round a ring", rings=("cp",),
        ),
        Layout(
            "ulysses", ("cp",),
            (Split("c", "cp", of=frozenset({ACTIVATIONS}), beside=("d", "d_c", "d_cq")),
             Split("h", "cp", of=frozenset({ACTIVATIONS})), Split("h_kv", "cp", of=frozenset({ACTIVATIONS}))),
            "Jacobs et al. 2023, DeepSpeed Ulysses, section 3",
            "tokens are split, but heads inside attention",
        ),
        Layout(
            "ep", ("ep",),
            (Split("E", "ep", of=LEARNED, beside=EXPERTS),
             Split("k", "ep", of=frozenset({ACTIVATIONS}), beside=("d", *EXPERTS)), Split("b", "ep")),
            "Lepikhin et al. 2020, GShard, section 3.2",
            "experts are split, each device has its own sequences",
            own_data=("ep",),
        ),
    )
)  # fmt: skip


class Composed(NamedTuple):
    """A name for several layouts at once."""

    parts: str
    source: str


COMPOSED: Mapping[str, Composed] = {
    "3d": Composed("megatron-tp+pp-1f1b+ddp", "Narayanan et al. 2021, section 2"),
    "4d": Composed(
        "megatron-tp-sp+cp-ring+pp-1f1b+zero-1", "Grattafiori et al. 2024, Llama 3, section 3.3.2"
    ),
    "5d": Composed(
        "megatron-tp-sp+cp-ring+ep+pp-1f1b+zero-1", "Liu et al. 2025, MoE Parallel Folding, abstract"
    ),
}


def layout(name: str | Layout) -> Layout:
    """The layout of that name: `megatron-tp-sp+pp-1f1b+zero-1`, with sizes and options: `megatron-tp,tp=8`.

    Options are `stage=first`, `last` or its number, `blocks=7:8:8:7` (uneven stages) and `ceilings`, which
    rounds up what does not divide. Raises UnknownName, or UsageError where a mesh axis would split twice.

    >>> layout("megatron-tp+zero-1,tp=8").mesh
    ('tp', 'dp')
    """
    if isinstance(name, Layout):
        return name
    names, *options = [part.strip() for part in name.split(",")]
    single = [each.strip() for each in names.split("+")]
    written = "+".join(COMPOSED[each].parts if each in COMPOSED else each for each in single)
    parts = []
    for each in written.split("+"):
        if each not in LAYOUTS:
            raise UnknownName(f"'{each}' is not a layout. {nearest(each, [*LAYOUTS, *COMPOSED])}")
        parts.append(LAYOUTS[each])
    made = parts[0]
    for part in parts[1:]:
        made = _both(made, part)
    return _with_options(replace(made, name=names), options)


def _both(one: Layout, other: Layout) -> Layout:
    twice = [mesh for mesh in one.mesh if mesh in other.mesh]
    if twice:
        axes = sorted({rule.axis for rule in (*one.rules, *other.rules) if rule.over in twice})
        over = f", which splits {', '.join(axes)}" if axes else ""
        raise UsageError(
            f"layout {one.name}+{other.name}: both lay out {', '.join(twice)}{over}; a mesh axis is laid out "
            "once. Leave out one of them."
        )
    sizes = {**one.sizes, **other.sizes}
    if SHARD in sizes:
        mesh = [mesh for mesh in (*one.mesh, *other.mesh) if mesh != SHARD]
        sizes[SHARD] = SYMBOLS["n"]
        for each in mesh:
            sizes[SHARD] = sizes[SHARD] / SYMBOLS[each]
    return replace(
        one, name=f"{one.name}+{other.name}", mesh=one.mesh + other.mesh, rules=one.rules + other.rules,
        source="; ".join(filter(None, (one.source, other.source))), note="; ".join((one.note, other.note)),
        sizes=sizes, own_data=one.own_data + other.own_data, rings=one.rings + other.rings,
        schedule=other.schedule if "pp" in other.mesh else one.schedule,
    )  # fmt: skip


def _with_options(made: Layout, options: list[str]) -> Layout:
    numbers: dict[str, int] = {}
    for option in options:
        key, _, value = (part.strip() for part in option.partition("="))
        if key == "ceilings" and not value:
            made = replace(made, ceilings=True)
        elif key == "stage" and value:
            made = made.on(value)
        elif key == "blocks" and value and all(each.isdigit() for each in value.split(":")):
            made = replace(made, blocks=tuple(int(each) for each in value.split(":")))
        elif key in GLOSSARY and value.isdigit() and int(value) > 0:
            numbers[key] = int(value)
        else:
            letters = ", ".join(f"{mesh}=8" for mesh in made.mesh[:2]) or "tp=8"
            raise UsageError(
                f"layout {made.name}: expected a size of the mesh ({letters}), stage=last, blocks=7:8:7 "
                f"or ceilings, found '{option}'."
            )
    for mesh in (key for key in numbers if key in ("dp", "tp", "pp", "cp", "ep") and key not in made.mesh):
        raise UsageError(
            f"layout {made.name}: {mesh} is no axis of its mesh, which has {', '.join(made.mesh) or 'none'}."
        )
    if made.blocks:
        numbers.setdefault("pp", len(made.blocks))
        if numbers["pp"] != len(made.blocks):
            raise UsageError(
                f"layout {made.name}: blocks names {len(made.blocks)} stages, but pp = {numbers['pp']}."
            )
    return made.numbered(**numbers)
