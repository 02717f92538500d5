"""Units of bytes, FLOPs, time, money and counts: their spellings, what they measure, how large they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

DIMENSIONS = ("byte", "FLOP", "s", "USD", "token", "param", "element", "device", "J")

MINUTE, HOUR, DAY = 60, 3600, 86400

SUFFIXES: Mapping[str, int] = MappingProxyType(
    {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
)  # 175B, 40K: a count, never a unit
SCALE_WORDS: Mapping[str, int] = MappingProxyType(
    {
        "thousand": 10**3,
        "million": 10**6,
        "billion": 10**9,
        "trillion": 10**12,
        "quadrillion": 10**15,
        "万": 10**4,
        "亿": 10**8,
        "万亿": 10**12,
    }
)

_DECIMAL = {"k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LONG = {
    "kilo": 10**3,
    "mega": 10**6,
    "giga": 10**9,
    "tera": 10**12,
    "peta": 10**15,
    "exa": 10**18,
    "zetta": 10**21,
}
_LONG_BINARY = {"kibi": 2**10, "mebi": 2**20, "gibi": 2**30, "tebi": 2**40, "pebi": 2**50}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it was printed: `spelling`, its size in base units, its exponents in the order of DIMENSIONS.

    >>> unit("GiB").scale, unit("FLOP/s").powers
    (Fraction(1073741824, 1), {'FLOP': 1, 's': -1})
    """

    spelling: str
    scale: Fraction
    dimension: tuple[int, ...]

    @property
    def powers(self) -> dict[str, int]:
        """The base units with their exponents, those that are not zero."""
        return {name: power for name, power in zip(DIMENSIONS, self.dimension, strict=True) if power}

    def measures(self, other: Unit) -> bool:
        """Whether both measure the same kind of thing: GiB and bytes, days and hours."""
        return self.dimension == other.dimension

    def __mul__(self, other: Unit) -> Unit:
        both = zip(self.dimension, other.dimension, strict=True)
        return Unit(
            f"{self.spelling}·{other.spelling}", self.scale * other.scale, tuple(a + b for a, b in both)
        )

    def __pow__(self, exponent: int) -> Unit:
        """The unit in a denominator (−1) or under a power."""
        if exponent == 1:
            return self
        return Unit(
            f"1/({self.spelling})" if exponent == -1 else f"({self.spelling})^{exponent}",
            self.scale**exponent,
            tuple(power * exponent for power in self.dimension),
        )


def _simple(spelling: str, dimension: str, scale: int | Fraction = 1, per: str = "") -> Unit:
    return Unit(spelling, Fraction(scale), tuple((name == dimension) - (name == per) for name in DIMENSIONS))


def _spellings() -> Iterator[Unit]:
    """Every word that is a unit by itself."""
    for word in ("B", "byte", "bytes", "Byte", "Bytes"):
        yield _simple(word, "byte")
        for prefix, power in _DECIMAL.items():
            yield _simple(prefix + word, "byte", 10**power)
        for prefix, power in _BINARY.items():
            yield _simple(prefix + word, "byte", 2**power)
    for word in ("byte", "bytes"):
        yield from (_simple(prefix + word, "byte", size) for prefix, size in (_LONG | _LONG_BINARY).items())
    for word in ("bit", "bits"):
        yield _simple(word, "byte", Fraction(1, 8))
        yield from (
            _simple(prefix + word, "byte", Fraction(10**power, 8)) for prefix, power in _DECIMAL.items()
        )

    for word in ("FLOP", "FLOPs", "flop", "flops", "Flop", "Flops", "FLOPS"):
        per = "s" if word == "FLOPS" else ""  # the last S is the second
        yield _simple(word, "FLOP", 1, per)
        for prefix, power in _DECIMAL.items():
            yield _simple(prefix + word, "FLOP", 10**power, per)
        yield from (_simple(prefix + word, "FLOP", size, per) for prefix, size in _LONG.items())
    for prefix, power in _DECIMAL.items():
        for tail in ("-day", "-days"):
            yield _simple(f"{prefix}F{tail}", "FLOP", DAY * 10**power)
    yield from (_simple(f"FLOPday{s}", "FLOP", DAY) for s in ("", "s"))

    for scale, words in (
        (1, "s sec secs second seconds"),
        (Fraction(1, 10**3), "ms millisecond milliseconds"),
        (Fraction(1, 10**6), "us µs μs microsecond microseconds"),
        (Fraction(1, 10**9), "ns nanosecond nanoseconds"),
        (MINUTE, "min mins minute minutes"),
        (HOUR, "h hr hrs hour hours"),
        (DAY, "day days"),
        (7 * DAY, "week weeks"),
        (365 * DAY, "year years"),
    ):
        yield from (_simple(word, "s", scale) for word in words.split())
    for prefix, size in {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}.items():
        yield _simple(f"{prefix}Wh", "J", HOUR * size)
        yield _simple(f"{prefix}W", "J", size, "s")
        yield from (_simple(prefix + word, "J", size) for word in ("joule", "joules"))
        yield from (_simple(prefix + word, "J", size, "s") for word in ("watt", "watts"))
    for dimension, words in (
        ("USD", "USD $ dollar dollars"),
        ("token", "token tokens"),
        ("param", "param params parameter parameters"),
        ("element", "element elements number numbers value values entry entries"),
        ("device", "GPU GPUs device devices chip chips TPU TPUs accelerator accelerators"),
        (
            "",
            "layer layers block blocks head heads step steps sequence sequences sample samples epoch epochs",
        ),
        ("", "expert experts iteration iterations example examples pass passes position positions"),
    ):
        yield from (_simple(word, dimension) for word in words.split())


_WORDS: Mapping[str, Unit] = MappingProxyType({found.spelling: found for found in _spellings()})
_WORD = re.compile(r"\$|[A-Z]F-days?\b|[A-Z]+\d+(?=[ -](?:h|hours?|days?)\b)|[A-Za-zµμ]+")
_JOINT = re.compile(r"\s*/\s*|\s+per\s+|\s*[·⋅×*]\s*|[-‑–]|\s+")
_SECONDS = DIMENSIONS.index("s")
_FLOPS = DIMENSIONS.index("FLOP")


def word(spelling: str) -> Unit | None:
    """The unit that is spelled by this one word, or None. A capital first letter changes nothing (Hours)."""
    lower = spelling.lower() if spelling[:1].isupper() and len(spelling) > 2 else ""
    return _WORDS.get(spelling) or _WORDS.get(lower)


@lru_cache(maxsize=1024)
def unit(text: str) -> Unit | None:
    """The unit that `text` spells, or None: words joined by `/`, `per`, `-` or `·`; `of …` at the end is cut.

    A hyphen multiplies: FLOP-days and FLOP/s-days are both (FLOP/s)·days, so FLOPs. A year has 365 days.

    >>> unit("PFLOP/s-days").scale == unit("PFLOP-days").scale == 86400 * 10**15
    True
    >>> unit("bytes per parameter").powers
    {'byte': 1, 'param': -1}
    >>> unit("sbh") is None
    True
    """
    spelled = text.strip()
    rest = re.sub(r"\s+of\s+[A-Za-z][A-Za-z ]*\Z", "", spelled)
    scale, dimension = Fraction(1), [0] * len(DIMENSIONS)
    sign, position, joint = 1, 0, ""
    while True:
        found = _WORD.match(rest, position)
        one = found and _one(found.group(), rest[found.end() :])
        if found is None or one is None:
            return None
        if joint == "/":
            sign = -1
        power = list(one.dimension)
        if joint == "-" and power[_SECONDS] == 1 and dimension[_FLOPS] == 1:
            sign = 1
            if not dimension[_SECONDS]:  # FLOP-days: the /s is not written, but meant
                power[_SECONDS] = 0
        if joint == "/" and dimension[_FLOPS] == 1 and "FLOPS" in rest and one.spelling == "s":
            power[_SECONDS] = 0  # FLOPS/s says it twice
        scale *= one.scale**sign
        dimension = [old + sign * new for old, new in zip(dimension, power, strict=True)]
        position = found.end()
        if position == len(rest):
            return Unit(spelled, scale, tuple(dimension))
        between = _JOINT.match(rest, position)
        if between is None:
            return None
        position = between.end()
        joint = {"/": "/", "per": "/", "": " "}.get(between.group().strip(), "-")
        if joint == " " and one.powers != {"device": 1}:  # GPU hours; other words side by side are prose
            return None


def _one(spelling: str, after: str) -> Unit | None:
    if re.fullmatch(r"[A-Z]+\d+", spelling) and after:
        return _simple(spelling, "device")  # A100-hours
    return word(spelling)
