"""Forms as functions over arrays: factored, in float64, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

from sympy import Add, Expr, Function, Integer, Max, Min, Poly, Symbol, lambdify

BLOCK = 16_384  # points: their intermediate arrays stay in the processor's cache
GREATER, LESSER = Function("greater"), Function("lesser")  # of two, where sympy's Max and Min take any number


class Compiled:
    """Forms in `symbols` as one function of as many arrays, numbers or lists; it pickles, and so travels.

    NumPy's arrays are gone through in blocks of 16 k points and computed in float64, whole numbers too: no
    product overflows an integer, and a result is right to about 1 part in 10¹⁵. Any other kind of array
    (Dask, JAX) goes through unchanged and comes back as its own. Arrays may be open grids: (8, 1) and (100,).

    >>> from symcost.symbols import b, c, d
    >>> Compiled((b * c * d,), (b, c, d))(2, [[10], [100]], [1, 2]).tolist()
    [[20.0, 40.0], [200.0, 400.0]]
    """

    def __init__(self, forms: Sequence[Expr], symbols: Sequence[Symbol]) -> None:
        self.forms, self.symbols = tuple(forms), tuple(symbols)
        self._functions: dict[str, Callable[..., list[Any]]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.forms, self.symbols)

    def __call__(self, *values: Any) -> Any:
        """One array for each form, or the array itself where there is one form."""
        if len(values) != len(self.symbols):
            names = ", ".join(symbol.name for symbol in self.symbols)
            raise TypeError(f"expected {len(self.symbols)} values ({names}), found {len(values)}")
        arrays = [in_floats(each) for each in values]
        libraries = {type(each).__module__.partition(".")[0]: each for each in arrays}
        of_jax = libraries.get("jax", libraries.get("jaxlib"))
        if of_jax is not None:
            results = self._written("jax", of_jax.__array_namespace__())(*arrays)
        elif libraries.keys() <= {"numpy"}:
            results = self._in_blocks(arrays)
        else:
            results = self._for_numpy(*arrays)
        return results[0] if len(self.forms) == 1 else tuple(results)

    @property
    def _for_numpy(self) -> Callable[..., list[Any]]:
        import numpy

        return self._written("numpy", numpy)

    def _written(self, module: str, library: Any) -> Callable[..., list[Any]]:
        """The forms as one Python function in a library's words, what they have in common computed once."""
        if module not in self._functions:
            own = {"greater": library.maximum, "lesser": library.minimum}
            forms = [_two_by_two(factored(form, self.symbols)) for form in self.forms]
            self._functions[module] = lambdify(self.symbols, forms, [own, module], cse=True)
        return self._functions[module]

    def _in_blocks(self, arrays: Sequence[Any]) -> list[Any]:
        import numpy

        function = self._for_numpy
        shape = numpy.broadcast_shapes(*(each.shape for each in arrays))
        results = [numpy.empty(shape) for _ in self.forms]
        for inside, outside in _blocks(arrays, results):
            for result, values in zip(outside, function(*inside), strict=True):
                result[...] = values
        return [result[()] for result in results]


def _blocks(arrays: Sequence[Any], results: Sequence[Any]) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """The same corner of every array and result; the longest axis is cut in half until it is small enough."""
    first = results[0]
    if first.size <= BLOCK:
        yield arrays, results
        return
    axis = max(range(first.ndim), key=lambda each: first.shape[each])
    half = first.shape[axis] // 2
    for part in (slice(None, half), slice(half, None)):
        yield from _blocks(
            [_cut(each, axis - first.ndim, part) for each in arrays],
            [_cut(each, axis - first.ndim, part) for each in results],
        )


def _cut(array: Any, axis: int, part: slice) -> Any:
    """A part along an axis counted from the end, where the array has that axis."""
    if array.ndim < -axis or array.shape[axis] == 1:
        return array
    return array[(..., part, *(slice(None),) * (-axis - 1))]


def in_floats(values: Any) -> Any:
    """Numbers, lists and arrays of any kind in floats; an array stays the kind that it is."""
    import numpy

    if hasattr(values, "astype") and not type(values).__module__.startswith("numpy"):
        return values if "float" in str(values.dtype) else values.astype(float)
    return numpy.asarray(values, numpy.float64)


def pointwise(function: Callable[..., Any], many: int) -> Callable[..., Any]:
    """A function of `many` single values over arrays: one point at a time, in Python's own numbers."""
    import numpy

    each = numpy.frompyfunc(function, many, 1)
    return lambda *values: each(*(numpy.asarray(value).astype(object)[()] for value in values))


def factored(form: Expr, symbols: Sequence[Symbol]) -> Expr:
    """The form with each symbol in turn taken out of what has it, the first outermost: fewer products.

    >>> from symcost.symbols import L, b, c, d
    >>> factored(L * b * c * d + L * b * c**2 + L * d, (b, c, L, d))
    L*d + b*c*(L*c + L*d)
    """
    if form.is_Add and form.is_polynomial(*symbols):
        return _nested(Poly(form, *symbols).terms(), symbols)
    return form.func(*(factored(part, symbols) for part in form.args)) if form.args else form


def _nested(summands: Sequence[tuple[tuple[int, ...], Expr]], symbols: Sequence[Symbol]) -> Expr:
    """Horner's rule in the first symbol, with coefficients nested in the others."""
    if not symbols:
        return Add(*(coefficient for _, coefficient in summands))
    by_power: dict[int, list[tuple[tuple[int, ...], Expr]]] = {}
    for (power, *others), coefficient in summands:
        by_power.setdefault(power, []).append((tuple(others), coefficient))
    powers = sorted(by_power, reverse=True)
    total: Expr = Integer(0)
    for power, below in zip(powers, [*powers[1:], 0], strict=True):
        total = symbols[0] ** (power - below) * (total + _nested(by_power[power], symbols[1:]))
    return total


def _two_by_two(form: Expr) -> Expr:
    """The same with the greatest and the least of many as the greater and the lesser of two."""
    parts = [_two_by_two(part) for part in form.args]
    if form.func in (Max, Min):
        return reduce(GREATER if form.func == Max else LESSER, parts)
    return form.func(*parts) if parts else form


__all__ = ["BLOCK", "Compiled", "factored", "in_floats", "pointwise"]
