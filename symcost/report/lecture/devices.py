"""One device of a layout: what it sends and for which op, and between which bounds a step takes its time."""

from __future__ import annotations

from fractions import Fraction

from symcost.layouts.timing import StepTime
from symcost.notation.numbers import rounded, with_unit
from symcost.report.blocks import Block, Code, Inline, Line, Math, Paragraph, Section, Table, line
from symcost.report.lecture.talk import NAMES, Talk, named
from symcost.report.steps import name
from symcost.tables.gpus import Gpu
from symcost.terms import Number
from symcost.training.across import Across, link_of

SENT = "A tensor that is needed elsewhere, or otherwise than it lies, is sent in each step:"
MOVED = (
    "In its memory a device reads weights on both ways, writes and reads activations and gradients, and reads "
    "and writes the optimizer's states:"
)
TIMED = "What it computes, moves and sends takes, at the rates that are printed of the GPU and its links:"
PARTS = sum(named(NAMES[part]) for part in ("static_memory", "activation_memory"))
BOUNDS = "A step takes no less than where all of this overlaps, and no more than where nothing does:"


def devices(talk: Talk) -> list[Section]:
    """Messages and the time of a step, where the costs are those of one device of a layout."""
    if talk.across is None:
        return []
    timed = [] if talk.step_time is None or talk.gpu is None else [_time(talk, talk.step_time, talk.gpu)]
    return [_messages(talk, talk.across), *timed]


def _messages(talk: Talk, costs: Across) -> Section:
    """Every message with the op that asks for it, and the bytes of all of them."""
    rows = tuple(
        (
            line(Code(message.asks)),
            line(message.when),
            line(f"{message.kind} over {'·'.join(message.over)}"),
            line(_tensor(message.tensor)),
            line(message.because),
            line(talk.form(term.amount)),
            line(talk.form(term.times)),
        )
        for message, term in zip(costs.derivation.messages, costs["message_bytes"], strict=True)
    )
    columns = ("asked for by", "when", "message", "tensor", "because", "bytes sent", "times")
    blocks: tuple[Block, ...] = (
        Paragraph(line(SENT)),
        Table(columns, rows, "llllwrr"),
        *talk.result("message_bytes"),
    )
    code = talk.recipe.terms("message_bytes") + talk.recipe.show("message_bytes")
    return Section(line("Messages between devices"), blocks, code=code)


def _tensor(called: str) -> Math:
    """W_Q, or ∂W_Q of its gradient."""
    bare = name(called.removeprefix("∂"))
    return Math(rf"\partial {bare.latex}", called) if called != bare.text else bare


def _time(talk: Talk, time: StepTime, gpu: Gpu) -> Section:
    """The parts of a step's time with their rates, and the two bounds."""
    title = line("The time of one step on ", Code(gpu.name))
    parts = Table(("part", "what", "rate", "time"), tuple(_parts(talk, time, gpu)), "lrrr")
    rows = tuple(
        (line(words), line(with_unit(each, "s")), *(line(_percent(of(each))) for of in (time.mfu, time.hfu)))
        for words, each in (("all at once", time.overlapped), ("one after the other", time.serial))
    )
    blocks = (
        Paragraph(line(MOVED)),
        *talk.result("memory_traffic", talk.verified("memory_traffic", 2 * PARTS)),
        Paragraph(line(TIMED)),
        parts,
        Paragraph(line(BOUNDS)),
        Table(("bound", "time", "MFU", "HFU"), rows, "lrrr"),
        Paragraph(line(f"What binds is {time.binds}.")),
    )
    return Section(title, blocks, code=talk.recipe.timed(talk.links))


def _parts(talk: Talk, time: StepTime, gpu: Gpu) -> list[tuple[Line, ...]]:
    """What a device computes, moves and sends, and how long it waits."""
    assert talk.across is not None
    peak = gpu.peak_for(talk.costs.precision.matmul)

    def row(part: str, what: Inline, rate: str, seconds: Fraction) -> tuple[Line, ...]:
        return line(part), line(what), line(rate), line(with_unit(seconds, "s"))

    def carried(rate: Number) -> str:
        return f"{with_unit(rate, 'bytes', decimal=True)}/s"

    rows = [
        row("compute", talk.name("step_flops"), with_unit(peak, "FLOP/s"), time.compute),
        row("memory", talk.name("memory_traffic"), carried(gpu.bandwidth), time.memory),
    ]
    for over, sent in talk.across.sent_over().items():
        rate, amount = link_of(gpu, over, talk.links), Fraction(talk.value(sent) or 0)
        words = f"{with_unit(amount, 'bytes')} over {'·'.join(over)}"
        rows.append(row("messages", words, carried(rate), amount / rate))
    if time.bubble:
        waits = max(time.compute, time.memory) * time.bubble
        rows.append(row("pipeline bubble", talk.form(talk.costs["bubble"].total), "–", waits))
    return rows


def _percent(share: Fraction) -> str:
    return f"{rounded(100 * share, 1)} %"
