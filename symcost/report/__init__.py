"""Reports: one derivation, written out in the format asked for."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sympy import Expr

from symcost import __version__
from symcost.conventions import Convention
from symcost.errors import UnknownName, UsageError, nearest
from symcost.families import load
from symcost.model import Model
from symcost.notation import code
from symcost.report.blocks import Document, Equation, Math, Paragraph, Section, Substitution, line
from symcost.report.findings import findings_document
from symcost.report.lecture import EXAMPLES, NAMES, OF_ONE_DEVICE, Talk, lecture
from symcost.report.recipe import Recipe
from symcost.report.steps import Board, name, valued
from symcost.report.writers import FORMATS, Format, format_of, format_of_file, write
from symcost.solve import Limit
from symcost.symbols import GLOSSARY, NOTATIONS
from symcost.tables.gpus import Gpu
from symcost.tables.gpus import gpu as gpu_called
from symcost.terms import Number, Terms
from symcost.training import ON_REQUEST, Costs, derive
from symcost.training.across import Across, Links, check_links
from symcost.training.ranking import MESH

__all__ = [
    "FORMATS", "Document", "Format", "document", "findings_document", "format_of", "format_of_file", "report", "report_files",
    "side_by_side", "steps", "write", "write_file", "write_files",
]  # fmt: skip

BROUGHT = {*ON_REQUEST, *MESH, "chunks"}  # letters that change the forms where they have a number
BESIDE = {
    "md": "svg",
    "myst": "svg",
    "marp": "svg",
    "tex": "pdf",
}  # the pictures that lie beside a format's file


def document(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    under: str | Convention = "textbook",
    given: Mapping[str, Any] | None = None,
    optimizer: str = "adamw",
    precision: str | None = None,
    notation: str = "lecture",
    gpu: str | Gpu | None = None,
    layout: str = "single",
    links: Links | None = None,
) -> Document:
    """The derivation of a model as a document; where no number is given, those of the model's own source.

    Under a `layout` it is that of one device; `links` are as in `step_time`, for the bounds of a step's time.
    Raises UsageError for links without a GPU and a layout.
    """
    known = load(model)
    if notation not in NOTATIONS:
        raise UnknownName(f"'{notation}' is not a notation. {nearest(notation, NOTATIONS)}")
    bare = not given and gpu is None and layout == "single"
    example = EXAMPLES.get(known.name) if bare else None
    card = gpu_called(gpu) if isinstance(gpu, str) else gpu
    numbers: dict[str, Any] = dict(given or {})
    if example is not None:
        card, numbers = gpu_called(example.gpu), dict(example.numbers)
    costs = derive(known, under=under, given=numbers, optimizer=optimizer, precision=precision, layout=layout)
    if links:
        _check_links(links, costs, card)
    put: dict[str, Number] = {letter: value for letter, value in costs.numbers.items() if letter in numbers}
    recipe = Recipe(
        _as_asked(model, known),
        _options(
            under=under, given=_forms(numbers, put), optimizer=optimizer, precision=precision, layout=layout
        ),
        dict(put),
        notation,
    )
    put = {**costs.numbers, **put}
    if card is not None:
        put.setdefault("peak", card.peak_for(costs.precision.matmul))
        if card.price is not None:
            put.setdefault("price", card.price)
    return lecture(Talk(costs, put, card, NOTATIONS[notation], example, recipe, links or {}))


def _check_links(links: Links, costs: Costs, card: Gpu | None) -> None:
    if card is None or not isinstance(costs, Across):
        raise UsageError(
            "links: expected a GPU and a layout, for the time of a step under it. Give both, or no links."
        )
    check_links(links, costs.layout.mesh)


def side_by_side(one: Document, other: Document) -> Document:
    """Two reports as one document: a page's controls stand side by side, the derivations one after the other.

    >>> both = side_by_side(document("cs190c"), document("cs190c", under="torch-eager"))
    >>> both.title
    'What it costs to train cs190c under textbook and cs190c under torch-eager'
    """
    names = [
        f"{talk.costs.model.name} under {talk.costs.convention.name}" for talk in one.talks + other.talks
    ]
    parts = [
        (
            Section(line(name), (Paragraph(line(each.subtitle)),)),
            *(replace(section, talk=at) for section in each.sections),
        )
        for at, (name, each) in enumerate(zip(names, (one, other), strict=True))
    ]
    return Document(
        f"What it costs to train {' and '.join(names)}",
        f"Derived by symcost {__version__}.",
        (*parts[0], *parts[1]),
        (*one.summary, *other.summary),
        " and ".join(names),
        one.talks + other.talks,
    )


def _as_asked(model: object, known: Model) -> Any:
    """What a notebook gives to `derive` for the model."""
    return model if isinstance(model, Mapping) else known.name if isinstance(model, Model) else str(model)


def _forms(given: Mapping[str, Any], numbers: Mapping[str, Number]) -> dict[str, str]:
    """The forms among what is given (d_ff = 4*d), and the numbers that bring a letter in, as text."""
    forms = {letter: value for letter, value in given.items() if letter not in numbers or letter in BROUGHT}
    return {letter: code(value) if isinstance(value, Expr) else str(value) for letter, value in forms.items()}


def _options(
    under: str | Convention, given: dict[str, str], optimizer: str, precision: str | None, layout: str
) -> dict[str, Any]:
    """The options that differ from what `derive` supposes."""
    chosen: dict[str, Any] = (
        {"under": under if isinstance(under, str) else under.name} if under != "textbook" else {}
    )
    chosen |= {"given": given} if given else {}
    chosen |= {"optimizer": optimizer} if optimizer != "adamw" else {}
    chosen |= {"precision": precision} if precision is not None else {}
    return chosen | ({"layout": layout} if layout != "single" else {})


def report(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    to: str = "md",
    output: str | Path | None = None,
    templates: str | Path | None = None,
    **options: Any,
) -> str | bytes:
    """The derivation of a model in a format (bytes for PDF); `output` is the file to write it to as well.

    The options are those of `document`: under, given, optimizer, precision, notation, gpu, layout, links.
    `templates` is a folder with a template of one's own. The file is written whole or not at all.
    Raises UnknownName for a format that is none.

    >>> report("cs190c").splitlines()[0]
    '# What it costs to train cs190c'
    """
    chosen = format_of(to, templates)
    made = chosen.write(document(model, **options))
    if output is not None:
        write_file(Path(output), made)
    return made


def report_files(
    model: str | Path | Mapping[str, Any] | Model | Document,
    *,
    to: str | Iterable[str] = ("md",),
    output: str | Path = ".",
    execute: bool = False,
    plots: bool = True,
    templates: str | Path | None = None,
    **options: Any,
) -> list[Path]:
    """Writes the report of a model in several formats to a folder, all or none; its answer is the files.

    `model` may be a document that was made before. `execute` runs the notebook (extra `notebook`). The plots
    that the numbers suffice for lie as files beside Markdown, MyST, Marp and LaTeX, and stand inside a PDF, unless
    `plots` is false; a page draws its own. The other options are those of `document`.
    Raises UnknownName for a format that is none, UsageError where a program or a package is missing.
    """
    names = [name.strip() for name in to.split(",")] if isinstance(to, str) else list(to)
    chosen = list({name: format_of(name, templates) for name in names}.values())
    if execute and "ipynb" not in names:
        raise UsageError(
            "execute: expected the format ipynb among those asked for, found " + ", ".join(names) + "."
        )
    made = model if isinstance(model, Document) else document(model, **options)
    stem = file_stem(made.name)
    files: dict[Path, str | bytes] = {}
    if plots and not {"pdf", *BESIDE}.isdisjoint(names):
        from symcost.report.pictures import with_pictures

        made = with_pictures(made, stem)
        for kind in sorted({BESIDE[name] for name in names if name in BESIDE}):
            files |= {Path(output) / f"{each.name}.{kind}": each.drawn(kind) for each in made.pictures}
    for each in chosen:
        content = each.write(made)
        if execute and each.name == "ipynb":
            from symcost.report.notebook import executed

            content = executed(str(content))
        files[Path(output) / f"{stem}{each.suffix}"] = content
    write_files(files)
    return list(files)


def file_stem(name: str) -> str:
    """A model's name as a file may be called: `../x y` is no way out of the folder.

    >>> file_stem("../x y"), file_stem("llama-3.1-8b")
    ('x-y', 'llama-3.1-8b')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "model"


def steps(
    of: Terms | Limit, numbers: Mapping[str, Any] | None = None, notation: str = "lecture"
) -> Substitution | Equation:
    """A quantity or a limit in letters, with the numbers put in, and as a value: what a notebook shows.

    >>> import symcost
    >>> steps(symcost.derive("cs190c")["parameters"].of("block"), {"d": 1024})
    N = 16d² + 2d
      = 16·1,024² + 2·1,024
      = 16,779,264 parameters
    """
    if isinstance(of, Limit):
        return _steps_of_limit(of, Board(NOTATIONS[notation], {**of.numbers, of.bound.name: of.limit}))
    board = Board(NOTATIONS[notation], of.known(numbers or {}))
    names = {**NAMES, **OF_ONE_DEVICE}
    called = board.letter("N") if of.quantity == "parameters" else name(names.get(of.quantity, of.quantity))
    unit = "parameters" if of.quantity == "parameters" else of.unit
    letters = board.factored(of.total)
    return board.substitution(called, of.total, unit, (letters,)) or Equation(called, (letters,))


def _steps_of_limit(limit: Limit, board: Board) -> Substitution | Equation:
    letter = board.letter(limit.letter)
    end = "max" if limit.largest else "min"
    called = Math(rf"{letter.latex}_{{\{end}}}", f"{letter.text}_{end}")
    unit = GLOSSARY[limit.letter].unit
    answer = valued(limit.at if limit.at is not None else 0, unit)
    if limit.form is None:
        return Equation(called, (answer,))
    if limit.integer is None:
        return Substitution(called, (board.form(limit.form),), (board.put_in(limit.form),), answer)
    kind = "floor" if limit.largest else "ceil"
    forms = [board.floored(form, kind) for form in (board.form(limit.form), board.put_in(limit.form))]
    middle = board.between(limit.form)
    between = (board.floored(middle, kind),) if middle else ()
    return Substitution(called, (forms[0],), (forms[1], *between), answer)


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all. Raises UsageError."""
    write_files({path: content})


def write_files(files: Mapping[Path, str | bytes]) -> None:
    """Writes files all or none: first beside their places, then moved there. Raises UsageError."""
    waiting: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in files.items():
            if path.is_dir():
                raise UsageError(
                    f"{path}: expected a file to write to, found a directory. Name a file in it."
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            waiting[path] = Path(temporary)
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            waiting[path].chmod(0o644)
        for path, made in waiting.items():
            made.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: expected a place to write to, found: {error.strerror or error}.") from None
    finally:
        for made in waiting.values():
            made.unlink(missing_ok=True)
