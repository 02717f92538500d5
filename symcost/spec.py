"""A model written by hand, in TOML or as a dict: the words of `model`, checked all at once by pydantic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from sympy import Expr

from symcost.errors import ConfigError, SymcostError, nearest
from symcost.model import (
    LETTERS,
    Architecture,
    Attention,
    Block,
    Experts,
    FeedForward,
    LatentAttention,
    Model,
)
from symcost.notation.reading import read_expression
from symcost.symbols import GLOSSARY, letter

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
Count = Annotated[int, Field(gt=0)]


@with_config(STRICT)
@dataclass(frozen=True)
class Kind:
    """One kind of block: `attention` or `latent_attention`, `feed_forward` or `experts`."""

    attention: Attention | None = None
    latent_attention: LatentAttention | None = None
    feed_forward: FeedForward | None = None
    experts: Experts | None = None
    name: str = ""
    times: str = "L"


@with_config(STRICT)
@dataclass(frozen=True)
class Lora:
    """Adapters: their rank and the matrices that have one; alpha changes no count."""

    r: Count | None = None
    on: tuple[str, ...] = ("Q", "V")
    alpha: float | None = None


@with_config(STRICT)
@dataclass(frozen=True)
class Spec(Kind, Architecture):
    """The keys of a spec: those of an architecture, those of its one kind of block or a list of `blocks`,
    numbers and ties by letter, and what is frozen. `like` is a model to begin with.
    """

    like: str = ""
    source: str = ""
    blocks: tuple[Kind, ...] = ()  # type: ignore[assignment]
    numbers: dict[str, Count] = field(default_factory=dict)
    ties: dict[str, str | Count] = field(default_factory=dict)
    lora: Lora | None = None
    freeze: tuple[str, ...] = ()
    quantised: str | None = None


for part in (Attention, LatentAttention, FeedForward, Experts, Architecture):
    with_config(STRICT)(part)


def from_spec(spec: Mapping[str, Any], name: str, place: str = "spec") -> Model:
    """The model that a spec describes. Raises ConfigError naming every field that is wrong.

    >>> from_spec({"norm": "layer", "ties": {"d_ff": "4*d", "d_k": "d/h"}}, "mine").ties
    {d_ff: 4*d, d_k: d/h}
    """
    try:
        read = TypeAdapter(Spec).validate_json(json.dumps(dict(spec), default=repr))
    except ValidationError as error:
        raise ConfigError(f"{place}: " + "; ".join(_faults(error)) + ".") from None
    faults = [*_letters(read)]
    if faults:
        raise ConfigError(f"{place}: " + "; ".join(faults) + ".")
    begins = _begins(read, place)
    given = {each.name for each in fields(Architecture)} & spec.keys() - {"blocks"}
    architecture = replace(begins.architecture, **{each: getattr(read, each) for each in given})
    one = replace(begins.architecture.blocks[0], name="", times="L")
    if read.blocks or spec.keys() & {each.name for each in fields(Kind)} - {"name"}:
        kinds = read.blocks or (replace(read, name=""),)
        architecture = replace(architecture, blocks=tuple(_block(kind, one) for kind in kinds))
    ties = {letter(each).symbol: _form(text) for each, text in read.ties.items()}
    kept = {tied: form for tied, form in begins.ties.items() if tied.name not in read.numbers}
    numbers = {each: number for each, number in begins.numbers.items() if each not in read.ties}
    made = Model(
        read.name or name,
        architecture,
        {**kept, **ties},
        {**numbers, **read.numbers},
        read.source or begins.source or place,
    )
    try:
        _ = made.loss
        if read.lora is not None:
            made = made.with_adapters(read.lora.on, read.lora.r)
        if read.freeze:
            made = made.with_frozen(*read.freeze)
        return made if read.quantised is None else made.stored_as(read.quantised)
    except ConfigError as error:
        raise ConfigError(f"{place}: {str(error).removeprefix(f'{made.name}: ')}") from None


def _begins(read: Spec, place: str) -> Model:
    if not read.like:
        return Model("", Architecture())
    from symcost.families import known_models, load  # the spec is read by families, so this one looks back

    if read.like not in LETTERS and read.like not in known_models():
        near = nearest(read.like, [*LETTERS, *known_models()], "See symcost list models.")
        raise ConfigError(f"{place}: like: '{read.like}' is not a model. {near}")
    return load(read.like)


def _block(kind: Kind, otherwise: Block) -> Block:
    """A kind of block; what it does not say is as in `otherwise`."""
    attends = kind.latent_attention or kind.attention or otherwise.attention
    return Block(attends, kind.experts or kind.feed_forward or otherwise.feed_forward, kind.name, kind.times)


def _form(text: str | int) -> Expr:
    return read_expression(str(text))


def _letters(read: Spec) -> Iterator[str]:
    """What is wrong with the letters that numbers, ties and counts of blocks are given for."""
    for where, names in (
        ("numbers", read.numbers),
        ("ties", read.ties),
        ("times", [k.times for k in read.blocks]),
    ):
        for name in names:
            if name not in GLOSSARY:
                near = nearest(name, GLOSSARY, "Write d, L, d_ff …").rstrip(".")
                yield f"{where}: '{name}' is not a letter of the glossary. {near}"
    for name in read.numbers.keys() & read.ties.keys():
        yield f"ties: '{name}' has a number too: give one of the two"
    for name, text in read.ties.items():
        try:
            _form(text)
        except SymcostError as error:
            yield f"ties.{name}: {str(error).rstrip('.')}"


def _faults(error: ValidationError) -> Iterator[str]:
    """Each fault in words: the field, what was expected, what was found, the nearest field there is."""
    for fault in error.errors():
        path = [str(each) for each in fault["loc"]]
        where, found = ".".join(path), fault.get("input")
        match fault["type"]:
            case "unexpected_keyword_argument" | "extra_forbidden":
                yield f"{where}: this field is not understood. {nearest(path[-1], _fields(path))}".rstrip(".")
            case "literal_error":
                expected = fault["ctx"]["expected"]
                yield f"{where}: expected {expected}, found {found!r}"
            case "greater_than" | "int_type" | "int_from_float":
                yield f"{where}: expected a positive whole number, found {found!r}"
            case "bool_type":
                yield f"{where}: expected true or false, found {found!r}"
            case _:
                wanted = (
                    fault["msg"]
                    .replace("Input should be ", "")
                    .replace("a valid array", "a list")
                    .replace("a valid ", "a ")
                )
                yield f"{where}: expected {wanted}, found {found!r}"


def _fields(path: list[str]) -> list[str]:
    """The fields that there are beside the last one of a path."""
    parts = {"attention": Attention, "latent_attention": LatentAttention, "feed_forward": FeedForward,
             "experts": Experts, "lora": Lora, "blocks": Kind}  # fmt: skip
    inside = [parts[each] for each in path[:-1] if each in parts]
    return [each.name for each in fields(inside[-1] if inside else Spec)]
