"""Published sources: their claims, as a corpus file in TOML holds them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from symcost.errors import UsageError, nearest
from symcost.notation.marks import Form
from symcost.symbols import NOTATIONS

LARGEST = 2**20  # characters of a corpus file
_DEEP = re.compile(r"(?<![\w\-])(?:[\w\-]++\s*+\.\s*+){40}")

FORMS = ("latex", "code", "text")
TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("form", "notation", "under", "optimizer", "precision", "layout", "quantity", "limit"), (str,)
    ),
    **dict.fromkeys(("legend", "given"), (dict,)),
    "model": (str, dict),
    "scope": (str, list),
    "about": (bool,),
}
WORDS = {str: "text", dict: "a table", list: "a list", bool: "true or false"}
VERDICTS = ("holds", "approximates", "depends", "differs", "unchecked", "no claim")


@dataclass(frozen=True)
class Claim:
    """One formula of a source, as it stands there, and what it is said to be.

    `legend` gives the source's letters in ours: a letter, a form, a number, or a quantity (`saved_activations of
    block on zero-1`); `notation` brings a whole legend. `quantity` is a quantity, a form over quantities and letters
    (`(forward_flops + backward_flops)/(b*c)`), or a letter to be solved for within `limit`. `scope` is a place or
    several that are added. Where `under`, `optimizer` or `precision` is not named, the source names none: the form
    is held against the default first, then against the others. `about`: the source says so in words.
    """

    id: str
    says: str
    place: str
    verdict: str
    why: str
    form: Form = "latex"
    notation: str = "lecture"
    legend: Mapping[str, str | int | float] = field(default_factory=dict)
    model: str | Mapping[str, Any] = "cs190c"
    under: str | None = None
    optimizer: str | None = None
    precision: str | None = None
    layout: str = "single"
    given: Mapping[str, Any] = field(default_factory=dict)
    quantity: str = ""
    scope: str | tuple[str, ...] = "model"
    limit: str = ""
    about: bool = False
    line: int = 1


@dataclass(frozen=True)
class Source:
    """A published source: its title, its authors, where it can be found, and its claims."""

    file: str
    title: str
    authors: str
    year: int
    found: str
    claims: tuple[Claim, ...]


def read_corpus(text: str, file: str) -> Source:
    """The source and its claims. Raises UsageError naming the claim and the key that is wrong."""
    if len(text) > LARGEST:
        raise UsageError(
            f"{file}: expected at most {LARGEST:,} characters, found {len(text):,}. Split the corpus."
        )
    if _DEEP.search(text):
        raise UsageError(f"{file}: expected keys of a few parts, found one of many. Write tables instead.")
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: expected TOML, found: {str(error).splitlines()[0]}.") from None
    about, claims = data.get("source"), data.get("claim")
    if not isinstance(about, dict) or not isinstance(claims, list):
        raise UsageError(
            f"{file}: expected a table [source] and claims in [[claim]]. See formulas/ for examples."
        )
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"says\s*=", line)]
    found = tuple(
        _claim(claim, f"{file}: claim {position}", lines[position - 1] if len(lines) == len(claims) else 1)
        for position, claim in enumerate(claims, 1)
    )
    doubled = {claim.id for claim in found if sum(other.id == claim.id for other in found) > 1}
    if doubled:
        raise UsageError(
            f"{file}: expected one claim of each id, found several: {', '.join(sorted(doubled))}."
        )
    try:
        return Source(
            file, str(about["title"]), str(about["authors"]), int(about["year"]), str(about["found"]), found
        )
    except KeyError as error:
        raise UsageError(f"{file}: [source] lacks {error.args[0]}.") from None


def _claim(data: Any, place: str, line: int) -> Claim:
    names = [each.name for each in fields(Claim) if each.name != "line"]
    if not isinstance(data, dict):
        raise UsageError(f"{place}: expected a table, found {data!r}.")
    place = f"{place} ({data['id']})" if "id" in data else place
    for name in data:
        if name not in names:
            raise UsageError(f"{place}: '{name}' is not a key of a claim. {nearest(name, names)}")
    lacking = [
        name for name in ("id", "says", "place", "verdict", "why") if not isinstance(data.get(name), str)
    ]
    if lacking:
        raise UsageError(f"{place}: expected text for {', '.join(lacking)}, found none.")
    for name, kinds in TYPES.items():
        if name in data and not isinstance(data[name], kinds):
            words = " or ".join(WORDS[kind] for kind in kinds)
            raise UsageError(f"{place}: expected {words} for {name}, found {data[name]!r}.")
    for name, known in (("notation", NOTATIONS), ("form", FORMS), ("verdict", VERDICTS)):
        if name in data and data[name] not in known:
            raise UsageError(f"{place}: {name}: '{data[name]}' is not known. {nearest(data[name], known)}")
    if isinstance(data.get("model"), str) and re.search(r"[/\\]|\.(?:json|toml)\Z", data["model"]):
        raise UsageError(
            f"{place}: model: expected a known model or a table, found a path. Name the model, or write its keys."
        )
    scope = data.get("scope", "model")
    return Claim(
        **{**data, "scope": tuple(map(str, scope)) if isinstance(scope, list) else scope, "line": line}
    )


def scope_words(claim: Claim) -> str:
    """Its place or places, in words."""
    return claim.scope if isinstance(claim.scope, str) else " + ".join(claim.scope)
