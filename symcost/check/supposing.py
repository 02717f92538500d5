"""What a document's words suppose: which model, which convention, which optimizer, and which others are near."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symcost.check.catalogue import VARIANTS, Supposed
from symcost.check.knowledge import Knowledge

_GATED = re.compile(r"swiglu|geglu|gated|\bglu\b|W_?3\b|gate_proj|llama|mistral|qwen", re.IGNORECASE)
_UNGATED = re.compile(r"\bgelu\b|gpt-?[23]?\b|megatron|\bopt\b|bloom|layer ?norm|ungated|relu", re.IGNORECASE)
_MEGATRON = re.compile(r"dropout|megatron|korthikanti|\bmask", re.IGNORECASE)
_EVERY = re.compile(r"every (?:listed )?(?:op|output|result)|cs336|all (?:intermediate )?outputs", re.IGNORECASE)
_FLASH = re.compile(r"flash", re.IGNORECASE)
_CHECKPOINT = re.compile(r"checkpoint|recomput", re.IGNORECASE)

_UNTIED = re.compile(r"separate (?:input and output|embedding|output)|untied|not tied|not shared|two embedding|"
                     r"(?:input|word) and output embeddings? (?:are|is) (?:separate|not)", re.IGNORECASE)  # fmt: skip


def suppositions(text: str, knowledge: Knowledge, model: str | None, under: str | None) -> Iterator[Supposed]:
    """Models and conventions to hold a document against, the likeliest first; those after the first are others.

    What the caller names comes first and alone decides the first.
    """
    letters = {meaning for _, _, meaning in knowledge.legend}
    ties = [] if "d_ff" in letters or re.search(r"d_\{?(?:\\text\{)?ff|intermediate_size|d_ff", text) and not re.search(
        r"d_ff`?\s*=\s*`?\$?\s*4|4\s*\*?\s*d_model|d_\{ff\}\s*=\s*4", text) else [("d_ff", "4*d")]  # fmt: skip
    if "h_kv" not in letters:
        ties.append(("h_kv", "h"))
    if "c_max" not in letters:
        ties.append(("c_max", "c"))
    gated, ungated = len(_GATED.findall(text)), len(_UNGATED.findall(text))
    families = ["cs190c", "gpt"] if gated >= ungated else ["gpt", "cs190c"]
    if "h_kv" in letters or "d_ff" in letters and families[0] == "cs190c":
        families = ["llama", *families]
    first = under or ("every-output" if _EVERY.search(text) else
                      "megatron-2022" if _MEGATRON.search(text) and families[0] == "gpt" else "textbook")  # fmt: skip
    models = [model] if model else []
    models += [each for each in families if each not in models]
    models += [each for each in VARIANTS if each not in models]
    if _UNTIED.search(text):
        models = [each for each in models if not VARIANTS[each].architecture.tied] if not model else models
    conventions = [first] + [each for each in ("textbook", "megatron-2022", "every-output") if each != first]
    seen = set()
    for convention in conventions:
        for each in models:
            own = _ties(each, ties)
            supposed = Supposed(each, convention, ties=own)
            if supposed not in seen:
                seen.add(supposed)
                yield supposed
    options = (["+flash"] if _FLASH.search(text) else []) + (["+checkpoint"] if _CHECKPOINT.search(text) else [])
    own = _ties(models[0], ties)
    for option in [*options, *(each for each in ("+flash", "+checkpoint") if each not in options)]:
        yield Supposed(models[0], f"{first}{option}", ties=own)
    for convention in ("torch-eager", "torch-compile"):
        yield Supposed(models[0], convention, ties=own)
    for optimizer in ("adamw-torch",):
        yield Supposed(models[0], first, optimizer=optimizer, ties=own)
    for precision in ("mixed-16", "mixed-18", "bf16"):
        yield Supposed(models[0], first, precision=precision, ties=own)


def _ties(model: str, ties: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The ties that a model does not fix itself."""
    fixed = {symbol.name for symbol in VARIANTS[model].ties} if model in VARIANTS else set()
    return tuple((name, form) for name, form in ties if name not in fixed)
