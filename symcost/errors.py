"""Every error that symcost raises on purpose: one line with place, expected, found, mend."""

from __future__ import annotations

from collections.abc import Iterable


class SymcostError(Exception):
    """Any error of symcost's own. Its text is one line that a user can act on."""


class UsageError(SymcostError):
    """The call is wrong: a value, a unit or an option. Whoever typed the call can mend it."""


class UnknownName(UsageError):
    """A model, convention, quantity, GPU … that is not in its table. Whoever typed the name can mend it."""


class UnknownSymbol(UsageError):
    """A letter that is not in the glossary. Whoever wrote the formula can mend it, or define the letter."""


class MissingValue(UsageError):
    """A number was asked for, but some letters have none. Whoever asked can give them."""


class NoLimit(UsageError):
    """There is no largest value to solve for: the letter is not in the form, or it lowers it."""


class ReadError(UsageError):
    """A formula or a value that could not be read; `column` is the place, from 1. Its writer can mend it."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.column = column


class ConfigError(UsageError):
    """A model's config or spec that is broken or not understood. Whoever wrote the file can mend it."""


class AxisError(SymcostError):
    """A tensor that does not have the axes an op reads it by. Whoever wrote the layer can mend it."""


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The mend for an unknown name: `Did you mean 'N_p'?`, or else `otherwise`.

    >>> nearest("cs190", ["cs190c", "llama"])
    "Did you mean 'cs190c'?"
    """
    import difflib

    names = list(known)
    lower = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower(), lower, n=2, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(f"'{lower[match]}'" for match in close) + "?"
    return otherwise or "Known are: " + ", ".join(names) + "."
