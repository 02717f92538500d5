"""Reports: one derivation, written out in the format asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.conventions import Convention
from symcost.errors import UsageError
from symcost.families import load
from symcost.model import Model
from symcost.report.document import Document
from symcost.report.lecture import EXAMPLES, Lecture
from symcost.report.writers import format_of, write
from symcost.symbols import NOTATIONS
from symcost.tables.gpus import Gpu, gpu as gpu_called
from symcost.terms import Number
from symcost.training import derive


def document(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    under: str | Convention = "textbook",
    given: Mapping[str, Any] | None = None,
    optimizer: str = "adamw",
    precision: str | None = None,
    notation: str = "lecture",
    gpu: str | Gpu | None = None,
) -> Document:
    """The derivation of a model as a document; where no number is given, those of the model's own source."""
    known = load(model)
    example = EXAMPLES.get(known.name) if not given and gpu is None else None
    card = gpu_called(gpu) if isinstance(gpu, str) else gpu
    numbers: dict[str, Any] = dict(given or {})
    if example is not None:
        card, numbers = gpu_called(example.gpu), dict(example.numbers)
    costs = derive(known, under=under, given=numbers, optimizer=optimizer, precision=precision)
    put: dict[str, Number] = dict(costs.numbers)
    if card is not None:
        put.setdefault("peak", card.peak_for(costs.precision.matmul))
    return Lecture(costs, put, card, NOTATIONS[notation], example).document()


def report(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    to: str = "md",
    output: str | Path | None = None,
    **options: Any,
) -> str:
    """The derivation of a model in a format; `output` is the file to write it to as well.

    The options are those of `document`: under, given, optimizer, precision, notation, gpu.
    The file is written whole or not at all. Raises UnknownName for a format that is none.

    >>> report("cs190c").splitlines()[0]
    '# What it costs to train cs190c'
    """
    chosen = format_of(to)
    text = write(document(model, **options), chosen.name)
    if output is not None:
        write_file(Path(output), text)
    return text


def write_file(path: Path, text: str) -> None:
    """Writes a file whole or not at all: first beside it, then moved to its place. Raises UsageError."""
    if path.is_dir():
        raise UsageError(f"{path}: expected a file to write to, found a directory. Name a file in it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path}: expected a place to write to, found: {error.strerror or error}.") from None
