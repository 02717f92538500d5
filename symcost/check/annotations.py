"""Annotations: what an author tells the checker outright, in front matter, beside the document, or before a formula."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from sympy import Expr

from symcost.check.documents import Directive, FrontMatter
from symcost.check.meanings import PHRASES, meaning_of
from symcost.conventions import convention
from symcost.errors import SymcostError, UsageError, nearest
from symcost.families import load
from symcost.notation.reading import read_assignment
from symcost.symbols import GLOSSARY, NAME, NOTATIONS, QUANTITIES
from symcost.terms import counted

SIDECAR = ".symcost.toml"
LARGEST_SIDECAR = 2**16  # bytes
KEYS = ("model", "under", "notation", "legend", "given")
_CLAIM = re.compile(
    r"(?P<quantity>[a-z_]+)(?:\s+of\s+(?P<scope>[\w.∂]+))?(?:\s+under\s+(?P<under>[\w+-]+))?\s*\Z"
)


@dataclass(frozen=True)
class Settings:
    """What a document is read with: a model, a convention, a notation, a legend, numbers, and forms put in for letters."""

    model: str | None = None
    under: str | None = None
    notation: str | None = None
    legend: tuple[tuple[str, str], ...] = ()
    given: Mapping[str, Fraction] = field(default_factory=dict)
    ties: tuple[tuple[str, Expr], ...] = ()

    def over(self, other: Settings) -> Settings:
        """These settings, and another's where these say nothing."""
        return Settings(
            self.model or other.model,
            self.under or other.under,
            self.notation or other.notation,
            self.legend or other.legend,
            {**other.given, **self.given},
            tuple({**dict(other.ties), **dict(self.ties)}.items()),
        )


def settings(
    model: str | None = None,
    under: str | None = None,
    notation: str | None = None,
    legend: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
    place: str = "",
) -> Settings:
    """Settings whose names are known. Raises UsageError, UnknownName or UnknownSymbol, naming the place and the nearest.

    >>> settings(model="cs190c", legend={"B": "batch size"}, given={"d_ff": "4*d", "c": "4096"}).ties
    (('d_ff', 4*d),)
    """
    start = f"{place}: " if place else ""
    if model is not None:
        load(model)
    if under is not None:
        convention(under)
    if notation is not None and notation not in NOTATIONS:
        raise UsageError(f"{start}'{notation}' is no notation. {nearest(notation, NOTATIONS)}")
    letters = tuple((_name(name, start), _letter(meaning, start)) for name, meaning in (legend or {}).items())
    numbers: dict[str, Fraction] = {}
    ties: dict[str, Expr] = {}
    for name, value in (given or {}).items():
        exact = _value(name, value)
        if isinstance(exact, Expr) and exact.free_symbols:
            ties[name] = exact
        else:
            numbers[name] = Fraction(counted(name, exact))
    return Settings(model, under, notation, letters, numbers, tuple(ties.items()))


def _value(name: str, value: object) -> object:
    """A number, or a form over the letters of the glossary."""
    return read_assignment(f"{name}={value}")[1] if isinstance(value, str) else value


def _name(name: str, start: str) -> str:
    if not NAME.match(name):
        raise UsageError(f"{start}legend: expected a letter or a name, found '{name[:60]}'.")
    return name


def _letter(meaning: str, start: str) -> str:
    """The glossary's letter for `batch size`, `batch_size` or `b`."""
    known = meaning if meaning in GLOSSARY else PHRASES.get(meaning.lower()) or meaning_of(meaning)
    if not known:
        raise UsageError(
            f"{start}legend: '{meaning[:60]}' is no letter of the glossary and no word for one. {nearest(meaning, GLOSSARY)}"
        )
    return known


def of_front_matter(front: FrontMatter | None, place: str) -> Settings:
    """The `symcost:` entry of front matter. Raises UsageError for a key that is not known."""
    return _of_table(front or {}, f"{place}: front matter")


def beside(path: str) -> Settings:
    """The settings of `notes.symcost.toml` beside `notes.md`, where there is such a file. Raises UsageError."""
    file = Path(path).with_suffix(SIDECAR)
    if path in ("", "-") or not file.is_file():
        return Settings()
    if file.stat().st_size > LARGEST_SIDECAR:
        raise UsageError(
            f"{file}: expected at most {LARGEST_SIDECAR:,} bytes, found {file.stat().st_size:,}."
        )
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: expected TOML, found: {str(error).splitlines()[0]}.") from None
    except OSError as error:
        raise UsageError(f"{file}: expected a readable file, found: {error.strerror}.") from None
    return _of_table(table, str(file))


def _of_table(table: Mapping[str, Any], place: str) -> Settings:
    for name, value in table.items():
        if name not in KEYS:
            raise UsageError(f"{place}: '{name[:60]}' is no key here. {nearest(name, KEYS)}")
        if isinstance(value, Mapping) != (name in ("legend", "given")):
            wanted = "a table" if name in ("legend", "given") else "one word"
            raise UsageError(f"{place}: expected {wanted} for {name}, found {str(value)[:60]!r}.")
    given = {
        name: Fraction(str(value)) if isinstance(value, float) else value
        for name, value in table.get("given", {}).items()
    }
    texts = {name: str(value) for name, value in table.items() if name not in ("legend", "given")}
    legend = {name: str(meaning) for name, meaning in table.get("legend", {}).items()}
    try:
        return settings(**texts, legend=legend, given=given)
    except SymcostError as error:
        said = str(error).removeprefix(f"{place}: ")
        raise UsageError(f"{place}: {said}") from None


@dataclass(frozen=True)
class Annotation:
    """What a comment before a formula says that it is: `saved_activations of block under textbook`."""

    quantity: str
    scope: str = "model"
    under: str | None = None


def annotation(words: str) -> Annotation:
    """The claim that a comment makes. Raises UsageError, naming what is not known.

    >>> annotation("saved_activations of block under textbook")
    Annotation(quantity='saved_activations', scope='block', under='textbook')
    """
    found = _CLAIM.match(words)
    if found is None:
        raise UsageError(f"symcost: expected 'quantity of scope under convention', found '{words[:60]}'.")
    if found["quantity"] not in QUANTITIES:
        raise UsageError(
            f"symcost: '{found['quantity']}' is not a quantity. {nearest(found['quantity'], QUANTITIES)}"
        )
    if found["under"]:
        convention(found["under"])
    return Annotation(found["quantity"], found["scope"] or "model", found["under"])


def claims_of(directives: tuple[Directive, ...]) -> Iterator[tuple[Directive, Annotation | str]]:
    """Each comment with its claim, or with one line that says why it is none; `ignore` is not about what is claimed."""
    for directive in directives:
        if directive.text.startswith("ignore"):
            continue
        try:
            yield directive, annotation(directive.text)
        except SymcostError as error:
            yield directive, str(error)
