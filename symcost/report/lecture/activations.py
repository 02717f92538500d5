"""Saved activations, step by step: the gradients, what they mention, what is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from symcost.derive import Account
from symcost.report.blocks import Block, Break, Code, Line, Math, Paragraph, Section, Table, joined, line
from symcost.report.lecture.talk import Talk, added
from symcost.report.steps import name
from symcost.terms import Term

MENTIONED = "What a gradient mentions must be kept until the way back; parameters are there in any case."
LISTED = "Under this convention the result of every listed operation is kept."
ONCE = " A tensor is kept once, for the first step that asks for it."


class Charge(NamedTuple):
    """A kept tensor's term, and the bytes of one of its elements."""

    term: Term
    bytes: int


def activations(talk: Talk) -> list[Section]:
    """What is kept, place by place, and the sum."""
    derivation, terms = talk.costs.derivation, talk.costs["saved_activations"]
    charges = {
        id(kept): Charge(term, derivation.bytes_of(kept.tensor))
        for kept, term in zip(derivation.kept, terms, strict=True)
    }
    rule = LISTED if talk.costs.convention.listed is not None else MENTIONED
    return [
        Section(line("Saved activations"), (Paragraph(line(rule, ONCE)),)),
        *_of_places(talk, charges),
        _together(talk),
    ]


def _by_place(talk: Talk) -> dict[str, list[Account]]:
    """The steps of each place, but for those that hand a tensor on under its own name and keep nothing."""
    groups: dict[str, list[Account]] = {}
    for account in talk.costs.derivation.account():
        if account.keeps or any(gradient.inputs != (gradient.result,) for gradient in account.gradients):
            groups.setdefault(account.place, []).append(account)
    return groups


def _of_places(talk: Talk, charges: Mapping[int, Charge]) -> list[Section]:
    """What each place keeps; what several kinds of block keep alike is told once."""
    alike: dict[tuple[Block, ...], list[str]] = {}
    for place, accounts in _by_place(talk).items():
        alike.setdefault(_of_place(talk, place, accounts, charges), []).append(place)
    return [
        Section(
            line("Kept by ", *joined((Code(place or "model") for place in places), " and ")), blocks, level=3
        )
        for blocks, places in alike.items()
    ]


def _of_place(
    talk: Talk, place: str, accounts: Sequence[Account], charges: Mapping[int, Charge]
) -> tuple[Block, ...]:
    uniform = len({charge.bytes for charge in charges.values()}) == 1
    columns = ("step", "its gradients", "so it keeps", "there already", "elements", "bytes each")
    rows = tuple(_row(talk, account, charges) for account in accounts)
    shown = len(columns) - uniform
    blocks: list[Block] = [Table(columns[:shown], tuple(row[:shown] for row in rows), "lwlwrr"[:shown])]
    if where := _statistics(accounts):
        blocks.append(Paragraph(where))
    own = added(term for term in talk.costs["saved_activations"] if term.place == place)
    if len(accounts) > 1 and own:
        blocks.append(Paragraph(line("Together ", talk.form(own), " elements.")))
    return tuple(blocks)


def _row(talk: Talk, account: Account, charges: Mapping[int, Charge]) -> tuple[Line, ...]:
    kept = sorted(account.keeps, key=lambda kept: kept.tensor.number)
    already = [
        line(name(tensor), f" ({why.removeprefix('is ').replace(f'{account.place}.', '')})")
        for tensor, why in account.already
    ]
    return (
        line(Code(account.label.removeprefix(f"{account.place}."))),
        joined(map(talk.gradient, account.gradients), Break()) or line("none"),
        joined(name(each.tensor.name) for each in kept) or line("nothing"),
        joined(already, Break()) or line("–"),
        line(talk.form(added(charges[id(each)].term for each in kept))),
        joined(dict.fromkeys(str(charges[id(each)].bytes) for each in kept)) or line("–"),
    )


def _statistics(accounts: Sequence[Account]) -> Line:
    """What the names of row statistics in these gradients mean."""
    meanings = {
        name(statistic.symbol.name): statistic.meaning
        for account in accounts
        for gradient in account.gradients
        for statistic in gradient.rule.statistics
        if statistic.symbol in gradient.rule.reads(gradient.rule.takes[gradient.slot])
    }
    told = joined([line(each, f" is {meaning}") for each, meaning in meanings.items()])
    return line("Here ", *told, ".") if told else ()


def _together(talk: Talk) -> Section:
    in_bytes = talk.multiple("activation_memory", "saved_activations", "N_A")
    blocks = (
        *talk.one_block("saved_activations", Math(r"N_{A,\mathrm{block}}", "N_A,block")),
        *talk.result("saved_activations"),
        *(talk.one_block("activation_memory", name("M_block")) if in_bytes is None else ()),
        *talk.result("activation_memory", in_bytes),
    )
    code = talk.recipe.terms("saved_activations") + talk.recipe.show("saved_activations", "activation_memory")
    return Section(line("Saved activations together"), blocks, level=3, code=code)
