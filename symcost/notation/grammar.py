"""The grammar of cost formulas, and the building of an exact expression while it is read.

The grammar is small because the pieces it is fed are already understood (`tokens`): which letters are one
name, which word is a unit, which sign multiplies. It is LALR(1), so every formula has one reading, found in
linear time and without recursion; an expression is built as soon as a rule is complete, and nothing is
expanded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from sympy import Add, Expr, Integer, Max, Min, Mul, Pow, Rational, S, Symbol, ceiling, floor, log

from symcost.notation.marks import fault
from symcost.notation.tokens import Piece, PrintedNumber
from symcost.notation.units import Unit

GRAMMAR = r"""
%declare NUMBER NAME UNIT ENDUNIT PLUS MINUS TIMES SLASH FLOORDIV CARET SUP REL COMMA
%declare LPAR RPAR LSQB RSQB LBRACE RBRACE LFLOOR RFLOOR LCEIL RCEIL FRAC SQRT FUNC

chain: REL? part (REL part)*
shape: LSQB sum (COMMA sum)* RSQB | LPAR sum (COMMA sum)+ RPAR
part: sum ENDUNIT?

?sum: term | MINUS term -> minus | sum PLUS term -> plus | sum MINUS term -> less
?term: group | term TIMES signed -> times | term SLASH signed -> over | term FLOORDIV signed -> whole
?signed: group | MINUS signed -> negative
?group: power | group power -> beside | group UNIT -> measured
?power: atom | atom CARET exponent -> power | atom SUP -> raised
?exponent: power | MINUS exponent -> negative
?atom: one | bracket | rounded | fraction | root | call
?one: NUMBER -> number | NAME -> name
bracket: LPAR sum RPAR | LSQB sum RSQB | LBRACE sum RBRACE
rounded: LFLOOR sum RFLOOR | LCEIL sum RCEIL
fraction: FRAC LBRACE sum RBRACE LBRACE sum RBRACE
root: SQRT LBRACE sum RBRACE
call: FUNC LPAR sum (COMMA sum)* RPAR | FUNC LSQB sum (COMMA sum)* RSQB
    | FUNC LBRACE sum (COMMA sum)* RBRACE | FUNC one
"""

HIGHEST_POWER = 64  # of a letter
LARGEST_NUMBER = 4096  # bits of one power or literal
LARGEST_PART = 16_384  # bits of all numbers in one part

Inner: TypeAlias = "tuple[Term, ...]"


class Term(NamedTuple):
    """One addend of a sum, its sign included, and where it stands (without its sign)."""

    expr: Expr
    start: int
    end: int


class Node:
    """What has been read of a formula: a product of `factors`, or a sum of `addends`, from `start` to `end`.

    `inner` are the addends of the sums inside brackets, `units` those that were multiplied in; `printed` is
    there for a number that stands alone, `ten` for a power of ten; `degree` and `bits` bound what it can
    grow to.
    """

    __slots__ = (
        "_expr",
        "addends",
        "bits",
        "degree",
        "end",
        "factors",
        "inner",
        "printed",
        "start",
        "ten",
        "units",
    )

    def __init__(
        self, factors: Sequence[Any], start: int, end: int, degree: float = 0, bits: float = 0
    ) -> None:
        self.factors = factors
        self.start = start
        self.end = end
        self.degree = degree
        self.bits = bits
        self.addends: tuple[Term, ...] = ()
        self.inner: Inner = ()
        self.units: tuple[Unit, ...] = ()
        self.printed: PrintedNumber | None = None
        self.ten: int | None = None
        self._expr: Any = None

    @property
    def expr(self) -> Any:
        if self._expr is None:
            if self.addends:
                self._expr = Add(*[term.expr for term in self.addends])
            else:
                self._expr = self.factors[0] if len(self.factors) == 1 else Mul(*self.factors)
        return self._expr

    @property
    def terms(self) -> tuple[Term, ...]:
        return self.addends or (Term(self.expr, self.start, self.end),)

    def joined(self, other: Node, factors: Sequence[Any]) -> Node:
        """This node and the next as one product of `factors`."""
        node = Node(factors, self.start, other.end, self.degree + other.degree, self.bits + other.bits)
        node.inner = self.inside + other.inside
        node.units = self.units + other.units
        if node.bits > LARGEST_PART:
            raise fault(
                self.start, "the numbers here multiply to something too large", "Write a power of ten"
            )
        return node

    @property
    def inside(self) -> Inner:
        """The addends at any depth, once this node has become a factor."""
        return self.inner + self.addends if len(self.addends) > 1 else self.inner

    def wrapped(self, factors: Sequence[Any], start: int, end: int) -> Node:
        """This node as one factor of a new kind: in brackets, under a root."""
        node = Node(factors, start, end, self.degree, self.bits)
        node.inner = self.inside
        node.units = self.units
        return node


def rational(value: Fraction | int) -> Any:
    """The sympy number of the same value."""
    return (
        Integer(value.numerator) if value.denominator == 1 else Rational(value.numerator, value.denominator)
    )


@lru_cache(maxsize=4096)
def letter(name: str) -> Any:
    """The symbol of a document's name: positive, as all of symcost's."""
    return Symbol(name, positive=True)


def _inverse(node: Node) -> list[Any]:
    """The factors of 1/node."""
    if node.expr.is_zero:
        raise fault(node.start, "a division by zero", "Mend the denominator")
    if node.addends:
        return [Pow(node.expr, S.NegativeOne)]
    return [Pow(factor, S.NegativeOne) for factor in node.factors]


def _raise(base: Node, exponent: Any, degree: float, end: int, column: int) -> Node:
    """base ** exponent, where `exponent` is a sympy expression of that degree."""
    below = base.expr
    if below.is_Rational and (
        (below < 0 and not exponent.is_Integer) or (below == 0 and not exponent.is_positive)
    ):
        raise fault(column, f"{below} cannot be raised to {exponent}", "Mend the exponent")
    height = max(abs(exponent.p), exponent.q) if exponent.is_Rational else 1
    if below.is_number and exponent.is_number:
        if not exponent.is_Rational or base.bits * height > LARGEST_NUMBER or height > LARGEST_NUMBER:
            raise fault(
                column, f"an exponent that makes a number of more than {LARGEST_NUMBER} bits", "Lower it"
            )
        powers, steep = 0.0, base.bits * height
    else:
        if base.degree * height > HIGHEST_POWER:
            raise fault(column, f"a letter to a power above {HIGHEST_POWER}", "Lower the exponent")
        powers, steep = max(base.degree * height, 1) + degree, base.bits * height
        if degree and powers > HIGHEST_POWER:
            raise fault(column, "powers of powers", "Name the inner one")
    node = base.wrapped([Pow(below, exponent)], base.start, end)
    node.degree, node.bits = powers, steep
    if len(node.units) == 1 and exponent.is_Integer:
        node.units = (node.units[0] ** int(exponent),)
    return node


def _least(pick: Callable[..., Any], kind: Any, arguments: list[Node]) -> Any:
    expressions = [node.expr for node in arguments]
    if all(expression.is_Rational for expression in expressions):
        return pick(expressions)
    return kind(*expressions, evaluate=False)


def _logarithm(of: Node, base: Any = None) -> Any:
    if of.expr.is_Rational and of.expr <= 0:
        raise fault(of.start, f"a logarithm of {of.expr}", "Only what is positive has one")
    return log(of.expr) if base is None else log(of.expr) / log(base)


def _square_root(of: Node) -> Any:
    if of.expr.is_Rational and of.expr < 0:
        raise fault(of.start, f"a root of {of.expr}", "Only what is positive has one here")
    return Pow(of.expr, S.Half)


FUNCTIONS: dict[str, tuple[int, Callable[[list[Node]], Any]]] = {  # how many arguments at most, and the value
    "floor": (1, lambda of: floor(of[0].expr)),
    "ceil": (1, lambda of: ceiling(of[0].expr)),
    "sqrt": (1, lambda of: _square_root(of[0])),
    "log": (1, lambda of: _logarithm(of[0])),
    "log2": (1, lambda of: _logarithm(of[0], Integer(2))),
    "log10": (1, lambda of: _logarithm(of[0], Integer(10))),
    "min": (99, lambda of: _least(min, Min, of)),
    "max": (99, lambda of: _least(max, Max, of)),
}


class Builder:
    """One method for each rule of the grammar: the parts of the rule in, what they mean out."""

    def number(self, parts: list[Any]) -> Node:
        (piece,) = parts
        printed: PrintedNumber = piece.value
        value = printed.value
        bits = value.numerator.bit_length() + value.denominator.bit_length() - 1
        node = Node([rational(value)], piece.start, piece.end, 0, bits)
        node.printed = printed
        return node

    def name(self, parts: list[Any]) -> Node:
        (piece,) = parts
        return Node([letter(piece.value)], piece.start, piece.end, 1)

    def power(self, parts: list[Any]) -> Node:
        base, caret, exponent = parts
        node = _raise(base, exponent.expr, exponent.degree, exponent.end, caret.start)
        return _tens(node, base, exponent.expr)

    def raised(self, parts: list[Any]) -> Node:
        base, piece = parts
        exponent = rational(piece.value)
        return _tens(_raise(base, exponent, 0, piece.end, piece.start), base, exponent)

    def bracket(self, parts: list[Any]) -> Node:
        left, inside, right = parts
        node: Node = inside.wrapped([inside.expr], left.start, right.end)
        node.printed = inside.printed
        return node

    def rounded(self, parts: list[Any]) -> Node:
        left, inside, right = parts
        kind = floor if left.type == "LFLOOR" else ceiling
        return inside.wrapped([kind(inside.expr)], left.start, right.end)  # type: ignore[no-any-return]

    def fraction(self, parts: list[Any]) -> Node:
        start, _, above, _, _, below, right = parts
        node = _over(above, below)
        node.start, node.end = start.start, right.end
        return node

    def root(self, parts: list[Any]) -> Node:
        sign, _, inside, right = parts
        if sign.value == 2:
            value = _square_root(inside)
        else:
            value = _raise(inside, Rational(1, sign.value), 0, right.end, sign.start).expr
        return inside.wrapped([value], sign.start, right.end)  # type: ignore[no-any-return]

    def call(self, parts: list[Any]) -> Node:
        name = parts[0]
        arguments = [part for part in parts[1:] if isinstance(part, Node)]
        most, value = FUNCTIONS[name.value]
        if len(arguments) > most:
            raise fault(name.start, f"{name.value} of {len(arguments)} arguments", f"It takes {most}")
        node = Node([value(arguments)], name.start, parts[-1].end)
        for argument in arguments:
            node.degree = max(node.degree, argument.degree)
            node.bits += argument.bits
            node.inner += argument.inside
            node.units += argument.units
        return node

    def beside(self, parts: list[Any]) -> Node:
        left, right = parts
        return left.joined(right, [*left.factors, *right.factors])  # type: ignore[no-any-return]

    def times(self, parts: list[Any]) -> Node:
        left, _, right = parts
        node: Node = left.joined(right, [*left.factors, *right.factors])
        if right.ten is not None and left.printed and left.printed.scale == 1:  # 3.8 × 10²⁵ is one number
            node.printed = left.printed.times(Fraction(10) ** right.ten)
        return node

    def over(self, parts: list[Any]) -> Node:
        return _over(parts[0], parts[2])

    def whole(self, parts: list[Any]) -> Node:
        left, _, right = parts
        node = _over(left, right)
        node.factors = [floor(node.expr)]
        node._expr = None
        return node

    def measured(self, parts: list[Any]) -> Node:
        left, piece = parts
        unit: Unit = piece.value
        scale = [] if unit.scale == 1 else [rational(unit.scale)]
        size = unit.scale.numerator.bit_length() + unit.scale.denominator.bit_length()
        node: Node = left.joined(Node([], piece.start, piece.end, 0, size), [*left.factors, *scale])
        node.units = (*left.units, unit)
        return node

    def negative(self, parts: list[Any]) -> Node:
        sign, node = parts
        changed: Node = node.wrapped([-node.expr], sign.start, node.end)
        return changed

    def minus(self, parts: list[Any]) -> Node:
        sign, node = parts
        summed = _sum(node.wrapped((), sign.start, node.end), (Term(-node.expr, node.start, node.end),))
        summed.printed = node.printed and node.printed.times(Fraction(-1))
        return summed

    def plus(self, parts: list[Any]) -> Node:
        left, _, right = parts
        return _sum(
            left.joined(right, ()), (*left.terms, Term(right.expr, right.start, right.end)), left, right
        )

    def less(self, parts: list[Any]) -> Node:
        left, _, right = parts
        return _sum(
            left.joined(right, ()), (*left.terms, Term(-right.expr, right.start, right.end)), left, right
        )

    def part(self, parts: list[Any]) -> tuple[Node, Unit | None]:
        node = parts[0]
        if len(parts) == 1:
            return node, None
        node.end = parts[1].end
        return node, parts[1].value

    def chain(self, parts: list[Any]) -> list[Any]:
        return parts

    def shape(self, parts: list[Any]) -> list[Node]:
        return [part for part in parts if isinstance(part, Node)]


def _sum(node: Node, addends: Inner, left: Node | None = None, right: Node | None = None) -> Node:
    """`node` as the sum of `addends`; the sum that is on the left is only grown, not put inside."""
    node.addends = addends
    if left is not None and right is not None:
        node.inner = left.inner + right.inside
        node.degree = max(left.degree, right.degree)
    return node


def _over(above: Node, below: Node) -> Node:
    factors = [above.expr] if above.addends else above.factors
    node = above.joined(below, [*factors, *_inverse(below)])
    node.units = above.units + tuple(unit**-1 for unit in below.units)
    return node


def _tens(node: Node, base: Node, exponent: Any) -> Node:
    """Marks 10^k, and lets it stand for a printed number 1 × 10^k."""
    if base.printed and base.printed.digits == "10" and base.printed.scale == 1 and exponent.is_Integer:
        node.ten = int(exponent)
        node.printed = PrintedNumber("1", Fraction(10) ** node.ten)
    return node


@lru_cache(maxsize=1)
def _parser() -> Any:
    """The parser, built at first use (25 ms)."""
    from lark import Lark
    from lark.lexer import Lexer

    class Understood(Lexer):
        """No lexer: the pieces are fed one by one."""

        def __init__(self, configuration: Any) -> None: ...

        def lex(self, state: Any, parser: Any) -> Any:
            yield from ()

    return Lark(GRAMMAR, parser="lalr", lexer=Understood, start=["chain", "shape"], transformer=Builder())


_END = Piece("$END", "", 0, 0)


def parse(pieces: Sequence[Piece], start: str = "chain") -> Any:
    """What the pieces mean: a chain of parts and relations, or the lengths of a shape.

    Raises ReadError where a piece does not fit.
    """
    from lark.exceptions import UnexpectedToken

    state = _parser().parse_interactive(None, start=start).parser_state
    piece = _END
    try:
        for piece in pieces:
            state.feed_token(piece)
        return state.feed_token(_END, True)
    except UnexpectedToken as error:
        wanted = "a number, a letter or a bracket" if "NUMBER" in error.expected else "a sign or the end"
        if error.token is _END:
            raise fault(piece.end, "the formula ends", f"Expected {wanted}") from None
        raise fault(piece.start, f"found '{piece.text}'", f"Expected {wanted}") from None
