"""The run: its steps, its FLOPs, what the GPUs need for it, and what that costs."""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, Mul

from symcost.notation.numbers import rounded, scientific
from symcost.report.blocks import Block, Math, Paragraph, Section, line
from symcost.report.lecture.talk import Talk, named
from symcost.report.steps import together
from symcost.symbols import GLOSSARY, D, epochs, n, peak, price
from symcost.tables.runs import RUNS
from symcost.terms import Number
from symcost.training import TOKENS

SEEN = " tokens; the run takes as many steps as it needs to see all of them."
LEFT_OUT = "; what is computed again does not count as work of the model:"


def run(talk: Talk) -> Section:
    timed = _by_steps(talk, "training_time")
    share = talk.letter("HFU" if "HFU" in talk.costs["training_time"].letters else "MFU")
    left_out = timed is not None and named("F_again") in timed.free_symbols
    achieved = line(
        talk.letter("n"), " GPUs work at ", share, " times their peak", LEFT_OUT if left_out else ":"
    )
    blocks: list[Block] = [
        Paragraph(line("A step sees ", talk.form(talk.costs.tokens_of_step), SEEN)),
        *talk.result("steps"),
        *talk.result("training_flops", _by_steps(talk, "training_flops")),
        Paragraph(achieved),
        *talk.result("training_time", timed, both=True),
        *_rounding(talk),
        *talk.result("gpu_hours", talk.verified("gpu_hours", n * named("T_training") / 3600)),
        *_published(talk),
    ]
    quantities = ["steps", "training_flops", "training_time", "gpu_hours"]
    if "price" not in talk.numbers:
        return Section(line("Training time"), tuple(blocks), code=talk.recipe.show(*quantities))
    blocks += talk.result("cost", talk.verified("cost", price * named("H")))
    return Section(line("Training time and money"), tuple(blocks), code=talk.recipe.show(*quantities, "cost"))


def _by_steps(talk: Talk, quantity: str) -> Expr | None:
    """The run's FLOPs or time in the FLOPs of one step, whichever way it is made of them."""
    letters = {letter: GLOSSARY[letter].symbol for letter in talk.costs[quantity].letters}
    steps = epochs * D / (TOKENS * letters.get("accumulation", 1))
    rate = Mul(*(symbol for letter, symbol in letters.items() if letter in ("n", "MFU", "HFU", "peak")))
    candidates = (named("F_step"), named("F_step") - named("F_again"))
    forms = (talk.verified(quantity, steps * step / rate) for step in candidates)
    return next((form for form in forms if form is not None), None)


def _rounding(talk: Talk) -> list[Block]:
    """Where the source of the numbers rounds a coefficient before it goes on: with what it then finds."""
    example, value = talk.example, talk.value("training_time")
    coefficient = epochs * D / (n * peak)
    whole = talk.board.value(coefficient)
    if example is None or example.rounds is None or value is None or whole is None:
        return []
    cut = _cut(Fraction(whole), example.rounds)
    found = Fraction(value) * cut / Fraction(whole)
    words = f" first, which gives {rounded(found, 4)} s; it prints {example.printed}."
    return [
        Paragraph(
            line(
                "The source rounds ",
                together(talk.form(coefficient), _scientific(whole, example.rounds + 2), sign="="),
                " to ",
                _scientific(cut, example.rounds),
                f"{words} The exact value is {rounded(value, 4)} s.",
            )
        )
    ]


def _published(talk: Talk) -> list[Block]:
    """What the model's makers report of their run, to hold the result against."""
    made = RUNS.get(talk.costs.model.name)
    if made is None or made.gpu_hours is None or talk.value("gpu_hours") is None:
        return []
    mfu = f", MFU {rounded(made.mfu[0])} to {rounded(made.mfu[1])}" if made.mfu else ""
    words = (
        f"{made.gpu_hours:,} GPU-hours for {made.tokens:,} tokens on {made.gpu}{mfu}. Source: {made.source}."
    )
    return [Paragraph(line(f"Published for this model: {words}"))]


def _cut(value: Fraction, digits: int) -> Fraction:
    """A value below one, rounded to so many digits."""
    unit = Fraction(10) ** (digits - 1)
    while value * unit < 10 ** (digits - 1):
        unit *= 10
    return round(value * unit) / unit


def _scientific(value: Number, digits: int) -> Math:
    return Math(scientific(value, digits, "latex"), scientific(value, digits))
