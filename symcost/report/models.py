"""The models table: what is derived for published shapes, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from symcost.families import load
from symcost.training import derive

HEAD = (
    "model",
    "tokens",
    "parameters",
    "FLOPs forward",
    "FLOPs forward and backward",
    "bytes kept",
    "measured",
)


def models_table(measured: Mapping[str, Mapping[str, Any]], *, under: str = "hf-eager") -> str:
    """A Markdown table, one line a model: every count derived for one sequence, and whether it was measured
    so.

    A measurement holds a `config`, the tokens `c`, and what was measured of `parameters`, `forward`, `both`
    and `saved`; what was not measured is derived all the same and named.
    """
    lines = ["| " + " | ".join(HEAD) + " |", "|---|" + "---:|" * (len(HEAD) - 2) + "---|"]
    for name, fact in measured.items():
        costs = derive(load(fact["config"]), under=under)
        at = {"b": 1, "c": fact["c"]}
        forward = costs["forward_flops"].at(**at)
        derived = {
            "parameters": costs["parameters"].at(),
            "forward": forward,
            "both": forward + costs["backward_flops"].at(**at),
            "saved": costs["activation_memory"].at(**at),
        }
        cells = [name, f"{fact['c']:,}", *(f"{number:,}" for number in derived.values())]
        lines.append("| " + " | ".join([*cells, "; ".join(_verdicts(derived, fact))]) + " |")
    return "\n".join(lines) + "\n"


def _verdicts(derived: Mapping[str, Any], fact: Mapping[str, Any]) -> Iterator[str]:
    """Whether all counts are equal, which differ and by what, and which were not measured."""
    words = {"parameters": "parameters", "forward": "forward", "both": "both ways", "saved": "bytes kept"}
    known = [each for each in derived if each in fact]
    differ = [each for each in known if derived[each] != fact[each]]
    if not differ:
        yield "all equal" if len(known) == len(derived) else "equal"
    for each in differ:
        yield f"{words[each]}: {fact[each]:,} ({derived[each] - fact[each]:+,})"
    missing = [words[each] for each in derived if each not in fact]
    if missing:
        yield f"not measured: {', '.join(missing)}"
