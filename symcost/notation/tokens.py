"""The signs and words of a formula, understood one by one: which letters are a name, which word is a unit.

`scan` cuts a text into marks by their look. `understand` then walks over the marks from left to right and hands the
grammar its pieces: a run of letters becomes one name if the vocabulary (the glossary, the words of the field, the
document's own legend) knows it, else a product of letters; a word after a number becomes a unit; `175B` one number.
What neither knows is refused with its column: a wrong reading would be worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from symcost.errors import ReadError
from symcost.notation.units import SCALE_WORDS, SUFFIXES, Unit, unit, word
from symcost.symbols import GLOSSARY, QUANTITIES, letter_for

Form: TypeAlias = Literal["latex", "text", "code"]

LONGEST = 4000  # characters
DEEPEST = 60  # brackets
MOST_DIGITS = 1200
LONGEST_UNIT = 40


def fault(start: int, found: str, mend: str) -> ReadError:
    """The error at offset `start`: where, what was found, how to mend it."""
    return ReadError(" ".join(f"column {start + 1}: {found}. {mend}.".split()), start + 1)


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as it was printed: its digits and what they are scaled by (a power of ten, a suffix, 1/100 for %).

    >>> number = PrintedNumber("3.79", Fraction(10) ** 25)
    >>> number.value == 379 * 10**23, number.decimals, number.step == 10**23, number.significant
    (True, 2, True, 3)
    """

    digits: str
    scale: Fraction = Fraction(1)
    percent: bool = False

    @property
    def value(self) -> Fraction:
        return Fraction(self.digits) * self.scale

    @property
    def decimals(self) -> int:
        """Digits after the point."""
        return len(self.digits.partition(".")[2])

    @property
    def step(self) -> Fraction:
        """What one unit of the last printed digit is worth."""
        return abs(self.scale) / 10**self.decimals

    @property
    def significant(self) -> int:
        """Printed digits that say something; the trailing zeros of a whole number do not."""
        whole, point, decimals = self.digits.partition(".")
        return len((whole + decimals).lstrip("0") if point else whole.strip("0")) or 1

    def times(self, scale: Fraction) -> PrintedNumber:
        return PrintedNumber(self.digits, self.scale * scale, self.percent)


class Mark(NamedTuple):
    """A stretch of the text by its look. `gap`: 0 nothing stands before it, 1 a blank, 2 a blank that shows."""

    kind: str
    text: str
    start: int
    end: int
    gap: int


class Piece:
    """A mark understood: what the grammar is fed."""

    __slots__ = ("end", "start", "text", "type", "value")

    def __init__(self, type: str, text: str, start: int, end: int, value: Any = None) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end
        self.value = value


# The vocabulary: single letters need none.

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell".split()
)
_GREEK_SIGNS = {
    unicodedata.lookup(f"GREEK {'CAPITAL' if name[0].isupper() else 'SMALL'} LETTER "
                       f"{name.upper().replace('LAMBDA', 'LAMDA')}"): name
    for name in GREEK - {"ell"}
} | {"ℓ": "ell", "ϵ": "epsilon", "ϕ": "phi", "µ": "mu"}  # fmt: skip

FUNCTIONS = {
    "floor": "floor", "ceil": "ceil", "ceiling": "ceil", "sqrt": "sqrt", "min": "min", "max": "max",
    "log": "log", "ln": "log", "log2": "log2", "lg": "log2", "log10": "log10",
}  # fmt: skip

_FIELD = """
    mem total time cost computation compute hardware efficiency utilisation utilization throughput bandwidth average
    mean state states rank ranks loss logits logit token epoch embd embed embedding attn heads head layer layers block
    blocks opt optim optimizer grad grads activ model models hidden width depth size length ctx vocab microbatch
    microbatches global local weight weights bias biases achieved required available used free device devices node
    nodes flops speed dollars dtype precision master copy copies replica replicas shard shards stage stages inference
    sample samples sequences
"""
_SHORT = frozenset("seq dim bsz mem mfu hfu gpu gpus tpu tpus ffn mlp mha gqa day days bytes hrs tok".split())
_STOP = frozenset(
    "a an and are as at be but by for from if in is it not of on one or so that the then this to was we when where "
    "which with you per else than has gives some only each both into over its all can about".split()
)  # words that join others: in no name, and a formula that holds them is prose


def _vocabulary() -> frozenset[str]:
    phrases = [_FIELD, *QUANTITIES]
    phrases += (phrase for letter in GLOSSARY.values() for phrase in (letter.meaning, *letter.words))
    words = {found.lower() for phrase in phrases for found in re.findall(r"[A-Za-z]+", phrase)}
    return frozenset(found for found in words - _STOP if len(found) > 3 or found in _SHORT)


WORDS = _vocabulary()


def is_word(run: str) -> bool:
    """Whether the field uses this run of letters as a word.

    >>> [run for run in ("tokens", "Mem", "FLOPs", "seq", "bcd", "sbhL") if is_word(run)]
    ['tokens', 'Mem', 'FLOPs', 'seq']
    """
    return run.lower() in WORDS or (len(run) > 3 and word(run) is not None)


def _looks_like_prose(run: str) -> bool:
    """Whether a run that nobody declared is more likely a word than a product of letters."""
    if len(run) < 4:
        return len(run) > 2 and run.lower() in _STOP
    spelled = run[1:].islower() or run.isupper() or re.search(r"[a-z][A-Z][a-z]", run)
    vowels = sum(letter in "aeiou" for letter in run.lower())
    return len(run) > 9 or run.lower() in _STOP or (vowels >= 2 and spelled is not None and bool(spelled))


# How the marks look.

_DIGITS = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_GROUPED = (
    r"[0-9]{1,3}(?:(?:\{,\}|[,'’\u2009\u202f]|\\[,!])[0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
    r"|[0-9]{1,3}(?:_[0-9]{3})+(?![0-9])"
)
_UPRIGHT = r"(?:text(?:rm|sf|tt|normal|up|bf|it)?|math(?:rm|sf|tt)|operatorname\*?|[mh]box)"
_BRACED = r"\{(?:[^{}\\]|\\[^A-Za-z]|\{[^{}]*\})*\}"
_TEXT = rf"\\{_UPRIGHT}\s*(?P<text>{_BRACED})"
_SMALL = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "+-01234567890123456789")
_RAISED = r"(?P<sup>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
_SETTING = (  # commands that only set type
    r"displaystyle|textstyle|scriptstyle|left|right|[bB]igg?[lrm]?|limits|nonumber|notag|mathrel|mathbin|rm"
)
_ENVIRONMENTS = "aligned|alignedat|align|split|gathered|gather|equation|multline|displaymath"

_LATEX = re.compile(
    rf"""
    (?P<space>(?:[\s~&\u200b]|\\[,;:!>\ \n]|\\\\(?:\[[^\]]*\])?|\{{\}}
        |\\(?:q?quad|thinspace|enspace|enskip|hfill|{_SETTING})(?![A-Za-z])
        |\\(?:label|tag|[hv]space)\*?\{{[^{{}}]*\}}
        |\\(?:begin|end)\{{(?:{_ENVIRONMENTS})\*?\}}(?:\[[tcb]\]|\{{[0-9]\}})?)+)
    |(?P<number>{_GROUPED}|{_DIGITS}(?:[eE][+-]?[0-9]+)?)
    |(?P<ident>[A-Za-z]+(?:\\_[A-Za-z0-9]+)+)
    |(?P<word>[A-Za-z]+)
    |{_TEXT}
    |\\(?:mathbf|mathit|boldsymbol|bm|mathnormal)\s*(?P<bold>\{{[A-Za-z]+\}})
    |\\(?P<command>[A-Za-z]+)
    |{_RAISED}
    |(?P<sign>==|\*\*|=>|->|<=|>=|:=|\\[$%{{}}\#]|.)
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(
    rf"""
    (?P<space>[\s\u200b]+)
    |(?P<number>{_GROUPED}|{_DIGITS}(?:\ ?[eE][+-]?[0-9]+|\s*e\s*pow\s*\(?[0-9]+\)?)?|e\s*pow\s*\(?[0-9]+\)?)
    |(?P<dotted>(?:[A-Za-z_][A-Za-z0-9_]*\.)+[A-Za-z][A-Za-z0-9_]*)
    |(?P<ident>[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[A-Za-z]+_\{{[^{{}}]*\}}|[A-Za-z]+[0-9][A-Za-z0-9]*)
    |(?P<word>[A-Za-z]+)
    |{_TEXT}
    |\\(?P<command>[A-Za-z]+)
    |<(?P<tag>/?sup)>
    |{_RAISED}
    |(?P<sign>===?|\*\*|//|=>|-+>|<=|>=|=<|<<|>>|~=|=~|:=|\\[$%]|.)
    """,
    re.VERBOSE,
)

_SIGNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    dict.fromkeys("+", ("PLUS", "+"))
    | dict.fromkeys("-−–", ("MINUS", "-"))
    | dict.fromkeys("*×·⋅∗∙•✕", ("TIMES", "×"))
    | dict.fromkeys("/÷∕⁄", ("SLASH", "/"))
    | dict.fromkeys(("^", "**"), ("CARET", "^"))
    | dict.fromkeys(("(", "\\{"), ("LPAR", "("))
    | dict.fromkeys((")", "\\}"), ("RPAR", ")"))
    | dict.fromkeys(("\\$", "$"), ("MONEY", "$"))
    | dict.fromkeys(("\\%", "%"), ("PERCENT", "%"))
    | dict.fromkeys(("=", "==", "===", ":=", "≡", "≜", "≝"), ("REL", "="))
    | dict.fromkeys(("≈", "≃", "≅", "∼", "~", "~=", "=~", "≐"), ("REL", "≈"))
    | dict.fromkeys(("≤", "⩽", "<=", "=<"), ("REL", "≤"))
    | dict.fromkeys(("≥", "⩾", ">="), ("REL", "≥"))
    | dict.fromkeys(("⇒", "⟹", "=>"), ("REL", "⇒"))
    | dict.fromkeys(("→", "⟶", "->", "-->"), ("REL", "→"))
    | {sign: ("REL", sign) for sign in "<>≪≫≠∝"}
    | {
        "[": ("LSQB", "["),
        "]": ("RSQB", "]"),
        "{": ("LBRACE", "{"),
        "}": ("RBRACE", "}"),
        ",": ("COMMA", ","),
    }
    | {
        "⌊": ("LFLOOR", "⌊"),
        "⌋": ("RFLOOR", "⌋"),
        "⌈": ("LCEIL", "⌈"),
        "⌉": ("RCEIL", "⌉"),
        "√": ("FUNC", "sqrt"),
    }
    | {"//": ("FLOORDIV", "//"), ";": ("COMMA", ";"), "\\#": ("HASH", "#")}
)
_COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {name: ("TIMES", "×") for name in ("times", "cdot", "ast", "cdotp", "bullet")}
    | {name: ("FRAC", "/") for name in ("frac", "dfrac", "tfrac", "cfrac")}
    | {"sqrt": ("SQRT", "√"), "div": ("SLASH", "/"), "lfloor": ("LFLOOR", "⌊"), "rfloor": ("RFLOOR", "⌋")}
    | {"lceil": ("LCEIL", "⌈"), "rceil": ("RCEIL", "⌉"), "lbrack": ("LSQB", "["), "rbrack": ("RSQB", "]")}
    | {
        "underbrace": ("UNDER", ""),
        "overbrace": ("UNDER", ""),
        "boxed": ("UNDER", ""),
        "underline": ("UNDER", ""),
    }
    | {name: ("REL", "=") for name in ("equiv", "triangleq", "coloneqq", "eqqcolon", "doteq")}
    | {name: ("REL", "≈") for name in ("approx", "approxeq", "sim", "simeq", "cong", "thickapprox")}
    | {name: ("REL", "≤") for name in ("le", "leq", "leqslant")}
    | {name: ("REL", "≥") for name in ("ge", "geq", "geqslant")}
    | {name: ("REL", "⇒") for name in ("Rightarrow", "implies", "Longrightarrow")}
    | {name: ("REL", "→") for name in ("rightarrow", "to", "longrightarrow", "mapsto")}
    | {"lt": ("REL", "<"), "gt": ("REL", ">"), "ll": ("REL", "≪"), "gg": ("REL", "≫"), "propto": ("REL", "∝")}
    | {"ne": ("REL", "≠"), "neq": ("REL", "≠")}
    | {name: ("FUNC", name) for name in ("min", "max", "log", "ln", "lg")}
)
_FORBIDDEN = {
    "partial": "a derivative", "nabla": "a derivative", "in": "a set", "sum": "a sum over an index",
    "prod": "a product over an index", "int": "an integral", "dots": "an elided part", "ldots": "an elided part",
    "cdots": "an elided part", "begin": "an environment that is no alignment", "end": "an environment",
}  # fmt: skip

_TURN = {"(": 1, "[": 1, "{": 1, "\\{": 1, ")": -1, "]": -1, "}": -1, "\\}": -1}


def guard(text: str) -> None:
    """Refuses what is too long or nested too deep before any work is done."""
    if len(text) > LONGEST:
        raise fault(LONGEST, f"a formula of {len(text)} characters", f"Keep it within {LONGEST}")
    depth = 0
    for found in re.finditer(r"[(\[{]|[)\]}]", text):
        depth += 1 if found.group() in "([{" else -1
        if depth > DEEPEST:
            raise fault(found.start(), f"brackets nested more than {DEEPEST} deep", "Name the inner part")


# Cutting a text into marks.

_VISIBLE = re.compile(r"~|\\[,;: ]|\\q?quad")
_TITLE = re.compile(r"(?=.*[aeiouAEIOU])[A-Z][a-z]{2,}\Z")  # Act_{total} is a word, bM_{total} is not
_ANY_LETTERS = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_UNBRACED = re.compile(r"_[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*")
_LABEL = re.compile(
    rf"\s*\^\s*(?:\{{\s*(?:(?P<letters>[A-Z]|[A-Za-z]{{2,}})|\\{_UPRIGHT}\s*(?P<braced>{_BRACED})"
    rf"|(?P<sign>\\prime|\\top|\\dagger|\\star|\*))\s*\}}"
    rf"|(?P<capital>[A-Z])|\\{_UPRIGHT}\s*(?P<text>{_BRACED})|(?P<command>\\prime|\\top|\\dagger|\\star|\*(?!\*)))"
)
_POWER_FIRST = re.compile(r"\s*\^\s*(?:([0-9])|\{\s*([0-9]+)\s*\})(?=\s*_)")  # d^2_{model}
_LOG_BASE = re.compile(r"\s*_\s*(?:\{\s*(2|10)\s*\}|(2))")
_DERIVATIVE = re.compile(r"\\[dt]?frac\s*\{\s*d\s*[A-Z]?\s*\}\s*\{\s*d\s*[A-Za-z]\s*\}")


def canonical(content: str, start: int) -> str:
    """The one spelling of a name's words: `per\\_sample` → per_sample, `t-1` → tm1, `No. GPUs` → No_GPUs."""
    spelled = re.sub(rf"\\{_UPRIGHT}|\\(?:rm|it|left|right|max|min)(?![A-Za-z])",
                     lambda found: found.group()[1:] if found.group()[1:] in ("max", "min") else "", content)  # fmt: skip
    spelled = re.sub(r"\\([A-Za-z]+)", lambda found: found[1] if found[1] in GREEK else found[0], spelled)
    spelled = re.sub(r"\\([_ ,;:&%#!-])", lambda found: "_" if found[1] == "_" else " ", spelled)
    spelled = re.sub(r"(?<=\b[A-Za-z])[-−+](?=[0-9])", lambda sign: "p" if sign[0] == "+" else "m", spelled)
    spelled = spelled.translate(_SMALL)
    if not spelled.isascii() or "\\" in spelled:
        raise fault(start, f"the name '{content.strip()}'", "Write names in Latin letters and digits")
    return re.sub(r"[^A-Za-z0-9]+", "_", spelled).strip("_")


def _closing(text: str, start: int, end: int) -> int:
    """The offset after the brace that closes the one at `start`."""
    depth = 0
    for position in range(start, end):
        if text[position] in "{}" and text[position - 1] != "\\":
            depth += 1 if text[position] == "{" else -1
            if depth == 0:
                return position + 1
    raise fault(start, "a brace that is not closed", "Close it")


class _Scanner:
    """Cuts text[start:end] into marks; only what stands inside one sign or name is decided here."""

    def __init__(self, text: str, start: int, end: int, form: Form, names: Collection[str]) -> None:
        self.text, self.end, self.form, self.names = text, end, form, names
        self.position = start
        self.marks: list[Mark] = []
        self.gap = 0
        self.brackets: list[str] = []

    def add(self, kind: str, text: str, start: int, end: int) -> None:
        self.marks.append(Mark(kind, text, start, end, self.gap))
        self.gap = 0

    def known(self, name: str) -> bool:
        return name in self.names or letter_for(name) is not None

    def run(self) -> list[Mark]:
        latex = self.form == "latex"
        match = (_LATEX if latex else _PLAIN).match
        text, end = self.text, self.end
        arguments = 0  # how many TeX arguments the last command still takes
        braces: list[tuple[int, str | None]] = []
        under: str | None = None
        while self.position < end:
            start = self.position
            found = match(text, start, end)
            if found is None:
                raise fault(start, f"the sign '{text[start]}'", "It is not read")
            kind, looks = found.lastgroup, found.group()
            if kind == "space":
                self.gap = 2 if not latex or _VISIBLE.search(looks) else max(self.gap, 1)
                self.position = found.end()
                continue
            if looks == "{":
                braces.append((arguments - 1 if arguments else 0, under))
                arguments, under = 0, None
                self.add("LBRACE", looks, start, found.end())
                self.position = found.end()
                continue
            if arguments:
                if under:
                    raise fault(start, f"'{looks}' after \\{under}", "Put it in braces")
                arguments -= 1
                self.argument(found)
                continue
            if looks == "}":
                if not braces:
                    raise fault(start, "a brace that was never opened", "Leave it out")
                arguments, skip = braces.pop()
                self.add("RBRACE", looks, start, found.end())
                self.position = found.end()
                if skip and skip.endswith("brace"):
                    self.skip_script()
                continue
            self.position = found.end()
            self.one(kind or "", looks, found)
            if latex or kind == "command":
                last = self.marks[-1].kind if self.marks else ""
                if last == "FRAC":
                    arguments = 2
                elif last == "SQRT" or (last == "CARET" and latex):
                    arguments = 1
                elif last == "UNDER":
                    under, arguments = self.marks.pop().text, 1
        if braces:
            raise fault(end, "a brace that is not closed", "Close it")
        if arguments:
            raise fault(end, "the formula ends", "Expected an argument")
        return self.marks

    def one(self, kind: str, looks: str, found: re.Match[str]) -> None:
        """One mark that is no blank and no brace."""
        start, end = found.span()
        if kind == "number":
            if "," in looks and "{,}" not in looks and self.brackets and self.brackets[-1] != "(":
                end = start + looks.index(",")  # max(128,256) and [32,128] are lists
                looks = looks[: end - start]
                self.position = end
            self.add("number", looks, start, end)
        elif kind == "word":
            self.word(looks, start)
        elif kind == "sign":
            self.sign(looks, start, end)
        elif kind == "command":
            self.command(looks[1:], start, end)
        elif kind == "text":
            self.upright(found["text"][1:-1], start, end)
        elif kind == "bold":
            self.word(found["bold"][1:-1], start)
        elif kind == "ident":
            self.identifier(looks.replace("\\_", "_"), start)
        elif kind == "sup":
            self.add("sup", looks.translate(_SMALL), start, end)
        elif kind == "times":
            before = self.marks[-1].kind if self.marks else ""
            if before in ("number", "sup", "RPAR", "RSQB", "RBRACE") and (
                self.gap or looks + "(" not in self.text[start:]
            ):
                self.add("TIMES", looks, start, end)
            else:
                again = _ANY_LETTERS.match(self.text, start, self.end)
                assert again is not None
                self.position = again.end()
                self.identifier(again.group(), start)
        elif kind == "dotted":
            if self.form != "code":
                raise fault(start, f"'{looks}'", "End the sentence before the formula")
            self.add("ident", looks.rpartition(".")[2], start, end)
        elif kind == "tag":
            self.add(*(("CARET", "^") if looks == "<sup>" else ("RPAR", ")")), start, end)
            if looks == "<sup>":
                self.add("LPAR", "(", start, end)

    def sign(self, looks: str, start: int, end: int) -> None:
        if looks in _GREEK_SIGNS:
            self.name(_GREEK_SIGNS[looks], start)
            return
        if looks not in _SIGNS:
            shown = "the end of the line" if looks == "\\" else f"the sign '{looks}'"
            raise fault(start, shown, "It belongs to no formula that symcost reads")
        kind, text = _SIGNS[looks]
        if kind in ("LPAR", "LSQB"):
            before = self.marks[-1] if self.marks else None
            call = before is not None and (before.kind == "FUNC" or before.text in FUNCTIONS)
            self.brackets.append("call" if call else text)
        elif kind in ("RPAR", "RSQB") and self.brackets:
            self.brackets.pop()
        if kind == "HASH":  # \#GPUs is a number of GPUs
            return
        self.add(kind, text, start, end)

    def command(self, name: str, start: int, end: int) -> None:
        if name in _COMMANDS:
            kind, text = _COMMANDS[name]
            if kind == "FUNC":
                base = _LOG_BASE.match(self.text, end, self.end) if name == "log" else None
                if base is not None:
                    self.position = end = base.end()
                    text = f"log{base[1] or base[2]}"
                text = FUNCTIONS[text]
            elif kind == "UNDER":
                text = name
            elif kind == "SQRT":
                root = re.compile(r"\s*\[\s*([1-9])\s*\]").match(self.text, end, self.end)
                text = root[1] if root else "2"
                self.position = end = root.end() if root else end
            elif name in ("frac", "dfrac", "tfrac") and _DERIVATIVE.match(self.text, start, self.end):
                raise fault(start, "a derivative", "Only costs are read")
            self.add(kind, text, start, end)
        elif name.removeprefix("var") in GREEK:
            self.name(name.removeprefix("var"), start)
        else:
            what = _FORBIDDEN.get(name)
            raise fault(
                start, f"'\\{name}'" + (f" ({what})" if what else ""), "symcost does not read this command"
            )

    def upright(self, content: str, start: int, end: int) -> None:
        text = content.replace("\\_", "_").replace("\\ ", " ").replace("~", " ").replace("\\%", "%")
        if text[:1].isspace():
            self.gap = 2
        spelled = self.scripts(canonical(text, start) if self.script_follows() else "", start)
        if spelled:
            self.add("name", spelled, start, self.position)
            return
        bare = text.strip()
        if re.search(r"[*+=^<>×·≈]", bare):
            raise fault(start, f"a formula inside the words '{bare}'", "Write it outside of them")
        if bare.startswith("/"):
            self.add("SLASH", "/", start, start)
        if bare.strip("/ "):
            self.add("text", bare.strip("/ "), start, end)
        if bare.endswith("/") and len(bare) > 1:
            self.add("SLASH", "/", end, end)
        if text[-1:].isspace():
            self.gap = 2

    def word(self, run: str, start: int) -> None:
        """A run of letters; a subscript, a prime or a label above belongs to its last letter, or to the whole word."""
        if not self.script_follows():
            self.add("word", run, start, self.position)
            return
        after = self.position
        longer = _UNBRACED.match(self.text, after, self.end)
        if longer and self.known(run + longer.group()):
            self.position = longer.end()
            self.add("name", run + longer.group(), start, self.position)
            return
        whole = len(run) == 1 or run in self.names or is_word(run) or _TITLE.match(run) is not None
        base, at = (run, start) if whole else (run[-1], after - 1)
        if not whole and self.text[after - 1] == "}":
            base, at = run, start  # \mathbf{...}
        spelled = self.scripts(base, at)
        if not spelled:
            self.add("word", run, start, self.position)
            return
        if at > start:
            self.add("word", run[:-1], start, at)
        self.add("name", spelled, at, self.position)
        self.power_before_subscript()
        if whole and len(run) > 1 and not (run in self.names or is_word(run)):
            self.add("doubt", f"'{run}' with its subscript is read as one name", at, self.position)

    def name(self, name: str, start: int) -> None:
        spelled = self.scripts(name, start) or name
        self.add("name", spelled, start, self.position)
        self.power_before_subscript()

    def identifier(self, name: str, start: int) -> None:
        """A name in snake_case; `bcd_ff`, if nobody knows it, is b·c·d_ff where d_ff is known."""
        first, underscore, rest = name.partition("_")
        if (
            underscore
            and len(first) > 1
            and not self.known(name)
            and self.known(first[-1] + underscore + rest)
        ):
            at = start + len(first) - 1
            self.add("word", first[:-1], start, at)
            self.add("ident", first[-1] + underscore + rest, at, self.position)
        else:
            self.add("ident" if underscore or name[-1:].isdigit() else "word", name, start, self.position)

    def script_follows(self) -> bool:
        rest = self.text[self.position : self.position + 1]
        if rest not in ("_", "^", "'", " ", "’") and not "₀" <= rest <= "₉":
            return False
        if self.form == "code":
            return rest == "_"
        return rest != " " or (self.form == "latex" and self.text[self.position :].lstrip()[:1] in ("_", "^"))

    def scripts(self, base: str, start: int) -> str:
        """`base` with its subscripts, primes and labels as one name, or nothing if none follows."""
        below, above, self.power = "", "", ""
        text, end = self.text, self.end
        while base:
            position = self.position
            power = _POWER_FIRST.match(text, position, end)
            label = _LABEL.match(text, position, end) if self.form != "code" else None
            after = re.compile(r"\s*_\s*" if self.form == "latex" else "_").match(text, position, end)
            if power and not below:
                self.power, self.power_at, self.position = power[1] or power[2], position, power.end()
            elif text[position : position + 1] in ("'", "’") and position < end:
                above, self.position = above + "_prime", position + 1
            elif position < end and "₀" <= text[position] <= "₉":
                below, self.position = below + "_" + text[position].translate(_SMALL), position + 1
            elif after and not below:
                below = "_" + self.subscript(base, after.end())
            elif label and not above and next(filter(None, label.groups()), "") not in self.names:
                sign = label["sign"] or label["command"]
                content = label["letters"] or label["capital"] or label["braced"] or label["text"] or ""
                spelled = {"\\prime": "prime", "\\top": "T", "*": "star"}.get(sign, sign[1:]) if sign else ""
                above += "_" + (spelled or canonical(content.strip("{}"), start))
                self.position = label.end()
            else:
                break
        if self.power and not below:
            self.position, self.power = self.power_at, ""
        return base + below + above if below or above else ""

    def subscript(self, base: str, position: int) -> str:
        text, end = self.text, self.end
        if position >= end:
            raise fault(end, "the formula ends", "Expected a subscript")
        if text[position] == "{":
            self.position = _closing(text, position, end)
            content = text[position + 1 : self.position - 1]
        else:
            upright = re.compile(_TEXT).match(text, position, end)
            command = re.compile(r"\\([A-Za-z]+)").match(text, position, end)
            letters = re.compile(r"[A-Za-z0-9]+").match(text, position, end)
            if upright:
                content, self.position = upright["text"][1:-1], upright.end()
            elif command and (command[1] in GREEK or command[1] in ("max", "min")):
                content, self.position = command[1], command.end()
            elif letters:
                run = letters.group()
                word = len(run) > 1 and (self.known(f"{base}_{run}") or (len(run) > 2 and is_word(run)))
                content = run if word or self.form != "latex" else run[0]
                self.position = position + len(content)
            else:
                raise fault(position, f"the subscript '{text[position]}'", "Put it in braces")
        spelled = canonical(content, position)
        if not spelled:
            raise fault(position, "an empty subscript", "Fill it or leave it out")
        return spelled

    def power_before_subscript(self) -> None:
        if self.power:
            self.marks += (
                Mark("CARET", "^", self.power_at, self.power_at + 1, 0),
                Mark("number", self.power, self.power_at + 1, self.position, 0),
            )
            self.power = ""

    power = ""
    power_at = 0

    def skip_script(self) -> None:
        """What an underbrace says is not part of the formula."""
        after = re.compile(r"\s*[_^]\s*").match(self.text, self.position, self.end)
        if after and after.end() < self.end:
            braced = self.text[after.end()] == "{"
            self.position = _closing(self.text, after.end(), self.end) if braced else after.end() + 1

    def argument(self, found: re.Match[str]) -> None:
        """One TeX argument without braces is one sign: `\\frac12`, `d^22` is d²·2; 10^12 is meant whole."""
        kind, (start, end), looks = found.lastgroup, found.span(), found.group()
        before = self.marks[-1]
        self.add("LBRACE", "{", start, start)
        self.position = start + 1
        if (
            kind == "number"
            and before.kind == "CARET"
            and self.marks[-3:-2]
            and self.marks[-3].kind == "number"
        ):
            self.position = end = (
                start + len(re.match("[0-9]+", looks).group()) if looks[0].isdigit() else end
            )  # type: ignore[union-attr]
            self.add("number", self.text[start:end], start, end)
            if end - start > 1:
                self.add(
                    "doubt",
                    f"TeX prints only the first digit of the exponent {self.text[start:end]} raised",
                    start,
                    end,
                )
        elif kind == "number":
            if not looks[0].isdigit():
                raise fault(start, f"'{looks}' as an argument", "Put it in braces")
            self.add("number", looks[0], start, start + 1)
        elif kind == "word":
            self.add("word", looks[0], start, start + 1)
        elif looks in ("-", "−") and before.kind == "CARET":
            digits = re.compile("[0-9]+").match(self.text, end, self.end)
            if digits is None:
                raise fault(start, f"the exponent '{looks}'", "Put it in braces")
            self.add("MINUS", looks, start, end)
            self.position = digits.end()
            self.add("number", digits.group(), end, digits.end())
        elif kind in ("text", "bold", "command") and looks[1:] not in _COMMANDS:
            self.position = end
            self.one(kind or "", looks, found)
        else:
            raise fault(start, f"'{looks}' as an argument", "Put it in braces")
        self.add("RBRACE", "}", self.position, self.position)


def scan(text: str, start: int, end: int, form: Form, names: Collection[str]) -> list[Mark]:
    """The marks of text[start:end], from left to right. Raises ReadError at a sign that is in no formula."""
    return _Scanner(text, start, end, form, names).run()


@lru_cache(maxsize=64)
def _plain_letters() -> dict[int, str]:
    """Mathematical italic and bold letters (ℎ, 𝑑) and their plain ones."""
    found = {code: unicodedata.normalize("NFKC", chr(code)) for code in (0x210E, *range(0x1D400, 0x1D800))}
    return {code: plain for code, plain in found.items() if len(plain) == 1 and plain.isascii()}


def plain(text: str) -> str:
    """`text` with mathematical letters made plain, sign for sign, so that positions stay."""
    return text if text.isascii() else text.translate(_plain_letters())


# Understanding the marks.

_ENDS = frozenset(
    "NUMBER NAME UNIT SUP RPAR RSQB RBRACE RFLOOR RCEIL".split()
)  # after these, a new one multiplies
_OPEN = frozenset("LPAR LSQB LBRACE LFLOOR LCEIL".split())
_CLOSE = frozenset("RPAR RSQB RBRACE RFLOOR RCEIL".split())
_STARTS = frozenset("number word ident name text LPAR LSQB LBRACE LFLOOR LCEIL FRAC SQRT FUNC".split())
_MARK_END = Mark("end", "", 0, 0, 0)


def literal(digits: str, start: int) -> PrintedNumber:
    """The printed number that these digits are: `10{,}000`, `3.6e25`, `15'311`, `epow10`.

    >>> literal("3.6e25", 0).value == 36 * 10**24
    True
    """
    bare = re.sub(r"\{,\}|\\[,!]|[,'’_\u2009\u202f]", "", digits)
    mantissa, _, exponent = re.sub(
        r"\s*e\s*(?:pow)?\s*\(?", "e", bare.rstrip(")"), flags=re.IGNORECASE
    ).partition("e")
    if len(mantissa) + abs(int(exponent or 0)) > MOST_DIGITS:
        raise fault(start, "a number of too many digits", f"Keep it within {MOST_DIGITS}")
    return PrintedNumber(mantissa or "1", Fraction(10) ** int(exponent or 0))


class _Slash(NamedTuple):
    """A division that is still open: where its sign is among the pieces, and how it was written."""

    at: int
    glued: bool
    numeric: bool  # nothing but a number above


class _Understanding:
    """Walks over the marks and writes the pieces; every choice that could be another is noted as a doubt."""

    def __init__(self, marks: list[Mark], form: Form, names: Collection[str]) -> None:
        self.marks, self.form, self.names = marks, form, names
        self.latex = form == "latex"
        self.out: list[Piece] = []
        self.doubts: list[tuple[int, str]] = []
        self.divisions: list[_Slash | None] = [None]
        runs = [mark.text for mark in marks if mark.kind == "word"]
        runs = [run for run in runs if len(run) == 1 or not (is_word(run) or word(run) or run in names)]
        self.letters = Counter("".join(runs))

    def run(self) -> list[Piece]:
        at, marks = 0, self.marks
        while at < len(marks):
            mark = marks[at]
            kind = mark.kind
            if kind == "number":
                at = self.number(at)
            elif kind in ("word", "text", "ident"):
                at = self.words(at)
            elif kind == "name":
                self.put_name(mark, mark.text)
                at += 1
            elif kind == "MONEY":
                at = self.money(at)
            elif kind == "sup":
                self.put("SUP", mark, self.exponent(mark))
                at += 1
            elif kind == "doubt":
                self.doubt(mark, mark.text)
                at += 1
            elif kind == "PERCENT":
                raise fault(mark.start, "found '%'", "A percentage is a number with % after it")
            else:
                self.sign(at)
                at += 1
        self.end_units()
        return self.out

    def peek(self, at: int) -> Mark:
        return self.marks[at] if at < len(self.marks) else _MARK_END

    def doubt(self, mark: Mark, why: str) -> None:
        self.doubts.append((mark.start, why))

    @property
    def beside(self) -> bool:
        """Whether what comes next stands beside an operand, so multiplies it."""
        return bool(self.out) and self.out[-1].type in _ENDS

    def put(self, type: str, mark: Mark, value: Any = None) -> None:
        self.out.append(Piece(type, mark.text, mark.start, mark.end, value))

    def put_operand(self, type: str, mark: Mark, value: Any) -> None:
        """A number, a name or an opening bracket; where it stands beside another operand, it multiplies it."""
        if self.beside:
            self.end_division(mark)
            if len(self.out) > 1 and self.out[-2].type == "FUNC":
                raise fault(
                    mark.start, f"'{self.out[-2].text}' without brackets", "Write brackets round all it is of"
                )
        self.put(type, mark, value)

    def put_name(self, mark: Mark, name: str) -> None:
        if not name[:1].isalpha() or not name.isascii():
            raise fault(mark.start, f"the name '{mark.text}'", "A name starts with a Latin letter")
        self.put_operand("NAME", mark, name)

    def exponent(self, mark: Mark) -> int:
        if len(mark.text) > 5:
            raise fault(mark.start, f"the exponent {mark.text}", "Lower it")
        return int(mark.text)

    # Signs and the reach of a slash.

    def sign(self, at: int) -> None:
        mark, kind = self.marks[at], self.marks[at].kind
        if kind in _OPEN or kind in ("FRAC", "SQRT", "FUNC"):
            self.put_operand(kind, mark, None)
            self.out[-1].value = int(mark.text) if kind == "SQRT" else mark.text
            if kind in _OPEN:
                self.divisions.append(None)
            return
        if kind in _CLOSE and len(self.divisions) > 1:
            self.divisions.pop()
        elif kind == "SLASH" or kind == "FLOORDIV":
            after = self.peek(at + 1)
            number = bool(self.out) and self.out[-1].type == "NUMBER"
            numeric = number and (
                len(self.out) == 1 or self.out[-2].type not in (*_ENDS, "CARET", "TIMES", "SLASH")
            )
            self.divisions[-1] = _Slash(len(self.out), not mark.gap and not after.gap, numeric)
        elif kind in ("PLUS", "MINUS", "TIMES", "REL", "COMMA"):
            slash, self.divisions[-1] = self.divisions[-1], None
            if kind == "TIMES" and slash and len(self.out) > slash.at + 2 and self.form != "code":
                self.doubt(mark, f"what stands after '{mark.text}' is read as outside the denominator")
        if kind == "REL" and self.out and self.out[-1].type == "REL":
            if "≈" not in (mark.text, self.out[-1].value) or mark.text not in "=≈":
                raise fault(mark.start, f"'{mark.text}' after '{self.out[-1].text}'", "Write one relation")
            self.out[-1].value = "≈"  # `= ~9 GB`
            return
        if kind == "CARET" and len(self.out) > 1 and self.out[-2].type == "FUNC":
            raise fault(
                mark.start, f"'{self.out[-2].text}' without brackets", "Write brackets round all it is of"
            )
        self.put(kind, mark, mark.text)

    def end_division(self, mark: Mark) -> None:
        """Decides whether an operand still belongs to the denominator it stands beside: s/6h is s/(6h), 8/3 d is not."""
        slash = self.divisions[-1]
        if slash is None:
            return
        below = self.out[slash.at + 1 :]
        numbers = slash.numeric and len(below) == 1 and below[0].type == "NUMBER"
        if numbers and (mark.gap or mark.kind == "LPAR"):
            if self.latex or mark.kind == "LPAR":
                self.doubt(mark, f"a fraction of numbers before '{mark.text}' is read as a factor of it")
        elif mark.gap and slash.glued and not self.latex:
            self.doubt(mark, f"'{mark.text}' after a blank is read as outside the denominator")
        else:
            if numbers:
                self.doubt(mark, f"'{mark.text}' is read as part of the denominator")
            return
        self.out.append(Piece("TIMES", "", mark.start, mark.start, "×"))
        self.divisions[-1] = None

    # Numbers.

    def number(self, at: int, money: bool = False) -> int:
        mark = self.marks[at]
        printed = literal(mark.text, mark.start)
        if self.beside:
            last = self.out[-1]
            if last.type in ("NUMBER", "UNIT", "SUP") or (last.type == "NAME" and not self.latex):
                raise fault(mark.start, f"'{mark.text}' beside '{last.text}'", "Write the sign between them")
        start = self.scientific_denominator(at)
        at += 1
        end = mark.end
        after = self.peek(at)
        if after.kind == "PERCENT":
            printed = PrintedNumber(printed.digits, printed.scale / 100, percent=True)
            end, at = after.end, at + 1
        elif after.kind in ("word", "text") and (
            scale := SCALE_WORDS.get(after.text.lower().removesuffix("s"))
        ):
            printed, end, at = printed.times(Fraction(scale)), after.end, at + 1
        else:
            suffix, at = self.suffix(at, printed, money)
            if suffix:
                printed, end = printed.times(Fraction(suffix)), self.marks[at - 1].end
        whole = Mark("number", mark.text, mark.start, end, mark.gap)
        self.put_operand("NUMBER", whole, printed)
        if start:
            for closing in self.marks[at:start]:
                self.scientific_piece(closing)
            self.put("RPAR", Mark("RPAR", ")", self.out[-1].end, self.out[-1].end, 0))
            return start
        if money:
            found, after_unit = self.unit_from("USD", at)
            self.out.append(
                Piece("UNIT", "$", end, self.marks[after_unit - 1].end if after_unit > at else end, found)
            )
            return after_unit
        return at

    def scientific_denominator(self, at: int) -> int:
        """x / 3.12 × 10^14 means x/(3.12·10^14), except in code: the mark after the power, or 0."""
        if (
            self.form == "code"
            or not self.out
            or self.out[-1].type != "SLASH"
            or "." not in self.marks[at].text
        ):
            return 0
        following = [self.peek(at + step) for step in range(1, 8)]
        if following[0].kind != "TIMES" or following[1].text != "10":
            return 0
        kinds = [mark.kind for mark in following[2:]]
        for pattern in (["sup"], ["CARET", "number"], ["CARET", "LBRACE", "number", "RBRACE"],
                        ["CARET", "LBRACE", "MINUS", "number", "RBRACE"]):  # fmt: skip
            if kinds[: len(pattern)] == pattern:
                mark = self.marks[at]
                self.doubt(mark, f"{mark.text} × 10^… after a slash is read as one number")
                self.put("LPAR", Mark("LPAR", "(", mark.start, mark.start, 0))
                return at + 3 + len(pattern)
        return 0

    def scientific_piece(self, mark: Mark) -> None:
        if mark.kind == "number":
            self.put("NUMBER", mark, literal(mark.text, mark.start))
        elif mark.kind == "sup":
            self.put("SUP", mark, self.exponent(mark))
        else:
            self.put(mark.kind, mark, mark.text)

    def suffix(self, at: int, printed: PrintedNumber, money: bool) -> tuple[int, int]:
        """The count that one letter glued to a number stands for (175B, 40K, \\text{T}), and the mark after it."""
        mark = self.peek(at)
        letter, after = mark.text, self.peek(at + 1)
        if (
            mark.kind == "word"
            and not self.latex
            and len(letter) > 2
            and letter[0] in "KMBT"
            and not mark.gap
        ):
            rest = letter[1:]  # 16KGPU
            if word(letter) is None and word(rest) is not None and rest not in self.names:
                self.marks[at] = Mark("word", rest, mark.start + 1, mark.end, 2)
                return SUFFIXES[letter[0]], at
        if mark.kind not in ("word", "text") or letter not in SUFFIXES or (mark.gap and not money):
            return 0, at
        if mark.kind == "text" or money:
            if letter == "B" and after.kind == "SLASH" and self.spells(at + 2):
                return 0, at
            return SUFFIXES[letter], at + 1
        unit_follows = (
            after.kind in ("word", "text") and word(after.text.split()[0] if after.text else "") is not None
        )
        if after.kind in (
            "number",
            "sup",
            "CARET",
            "name",
            "ident",
            "LPAR",
            "LSQB",
            "FRAC",
            "SQRT",
            "LBRACE",
        ):
            return 0, at
        if after.kind in ("word", "text") and not (unit_follows or (after.gap == 2 and is_word(after.text))):
            return 0, at
        if letter == "B" and after.kind == "SLASH" and self.spells(at + 2):
            return 0, at
        if letter in self.names or self.letters[letter] > 1 or (letter == "k" and not unit_follows):
            return 0, at
        small = "." not in printed.digits and printed.value < 10
        if self.latex or (small and not unit_follows):
            self.doubt(
                mark,
                f"'{letter}' after a number is read as {SUFFIXES[letter]:.0e}".replace("e+0", "e").replace(
                    "e+", "e"
                ),
            )
        return SUFFIXES[letter], at + 1

    def money(self, at: int) -> int:
        mark = self.marks[at]
        if self.peek(at + 1).kind == "number":
            return self.number(at + 1, money=True)
        if self.beside and self.out[-1].type == "NUMBER":
            found, after = self.unit_from("USD", at + 1)
            self.out.append(Piece("UNIT", "$", mark.start, self.marks[after - 1].end, found))
            return after
        raise fault(mark.start, "found '$'", "A dollar sign stands before an amount")

    # Units.

    def spells(self, at: int) -> str:
        """The word at a mark, if a unit could be spelled with it."""
        mark = self.peek(at)
        return (
            mark.text
            if mark.kind in ("word", "text", "ident") and unit(mark.text.removeprefix("per "))
            else ""
        )

    def unit_from(self, spelled: str, at: int) -> tuple[Unit | None, int]:
        """The longest unit that starts with `spelled` and goes on at the marks from `at`, and the mark after it."""
        found = unit(spelled)
        while True:
            mark, after = self.peek(at), self.peek(at + 1)
            joint, reach = "", at + 2
            if mark.kind == "SLASH":
                joint = "/"
            elif mark.kind == "MINUS" and not mark.gap and not after.gap:
                joint = "-"
            elif mark.kind == "word" and mark.text == "per":
                joint = " per "
            elif mark.kind in ("word", "text") and mark.text.startswith("per "):
                joint, after, reach = " ", mark, at + 1
            elif mark.kind in ("word", "text") and unit(f"{spelled} {mark.text}") and mark.gap:
                joint, after, reach = " ", mark, at + 1
            elif found and mark.kind == "word" and mark.text == "of" and mark.gap:
                while self.peek(at).kind == "word" and (len(self.peek(at).text) > 1):
                    at += 1
                return found, at
            goes_on = joint and after.kind in ("word", "text", "MONEY") and len(spelled) < LONGEST_UNIT
            longer = unit(f"{spelled}{joint}{after.text}") if goes_on else None
            if (
                longer is None
                or (after.text == "h" and "h" in self.names)
                or (
                    len(after.text) == 1
                    and self.peek(reach).kind in ("CARET", "sup", "LPAR", "word")
                    and self.peek(reach).gap == 0
                )
            ):
                return found, at
            spelled, found, at = f"{spelled}{joint}{after.text}", longer, reach

    def unit_at(self, at: int) -> int:
        """Puts the unit that the words at a mark spell, beside an operand, and returns the mark after it; else `at`."""
        mark = self.marks[at]
        spelled = mark.text
        number = self.out[-1].type == "NUMBER"
        if len(spelled) == 1:
            if not self.is_single_unit(at, number):
                return at
        elif mark.kind == "word":
            if all(letter in self.names for letter in spelled) or self.known_name(spelled):
                return at
            short = len(spelled) == 2 and (
                spelled[1] != "B" if self.latex else not mark.gap and spelled[1] != "B"
            )
            if short or (not number and len(spelled) == 2 and (self.latex or not mark.gap)):
                return at
            if spelled in FUNCTIONS and self.peek(at + 1).kind == "LPAR":
                return at
            if len(spelled) == 2 and any(self.letters[letter] > 1 for letter in spelled):
                self.doubt(mark, f"'{spelled}' is read as a unit, though its letters stand elsewhere too")
        elif mark.kind == "ident" and not re.fullmatch("[A-Z]+[0-9]+", spelled):
            return at
        found, after = self.unit_from(spelled, at + 1)
        if found is None:
            return at
        if "FLOPS" in found.spelling and not found.spelling.endswith("/s"):
            self.doubt(mark, "FLOPS is read as FLOP/s")
        elif "FLOPday" in found.spelling:
            self.doubt(mark, "FLOPdays is read as (FLOP/s)·days")
        elif len(found.spelling) == 1 and mark.kind == "word":
            self.doubt(mark, f"'{found.spelling}' is read as a unit")
        self.out.append(Piece("UNIT", found.spelling, mark.start, self.marks[after - 1].end, found))
        return after

    def is_single_unit(self, at: int, number: bool) -> bool:
        """Whether one letter after a number is a unit: `4 B`, `24 h`, `10 s`, `16 B/param`; a declared letter is not."""
        mark, after = self.marks[at], self.peek(at + 1)
        letter = mark.text
        if not number or letter not in "Bsh":
            return False
        if mark.kind == "text":
            return True
        if letter == "B" and after.kind == "SLASH" and self.spells(at + 2):
            return True
        ends = after.kind in ("end", "REL", "TIMES", "PLUS", "MINUS", "SLASH", "RPAR", "COMMA") or (
            after.kind == "word" and after.text in ("per", "x")
        )
        return mark.gap == 2 and ends and letter not in self.names and self.letters[letter] < 2

    def end_units(self) -> None:
        """A unit at the very end of a part, the only one in it, is the unit of the whole part."""
        parts: list[list[Piece]] = [[]]
        for piece in self.out:
            if piece.type == "REL":
                parts.append([])
            else:
                parts[-1].append(piece)
        for part in parts:
            if part and part[-1].type == "UNIT" and sum(piece.type == "UNIT" for piece in part) == 1:
                part[-1].type = "ENDUNIT"

    # Names.

    def known_name(self, run: str) -> bool:
        """Whether a run of letters was declared, or is a word of the glossary (in LaTeX not `tp`, `bs` and the like)."""
        if run in self.names:
            return True
        found = letter_for(run)
        return found is not None and (len(run) > 2 or "_" in run or self.form == "code")

    def words(self, at: int) -> int:
        mark = self.marks[at]
        run = mark.text
        if self.beside:
            after = self.unit_at(at)
            if after > at:
                return after
        if run in ("x", "X") and mark.kind == "word" and self.is_times(at):
            self.put("TIMES", mark, "×")
            self.divisions[-1] = None
            return at + 1
        if mark.kind == "text":
            return self.upright(at)
        if run in FUNCTIONS and self.peek(at + 1).kind == "LPAR":
            self.put_operand("FUNC", mark, FUNCTIONS[run])
            return at + 1
        if len(run) == 1:
            self.put_name(mark, run)
            return at + 1
        if mark.kind == "ident":
            return self.identifier(at)
        if run in self.names:
            self.put_name(mark, run)
            return at + 1
        if not self.latex and run in GREEK and len(run) > 2:
            self.put_name(mark, run)
            return at + 1
        if self.known_name(run) or is_word(run) or self.is_whole_word(at):
            return self.phrase(at)
        if self.form == "code" and len(run) > 4 and _looks_like_prose(run):
            self.refuse_call(at)
            self.doubt(mark, f"'{run}' is read as one name")
            self.put_name(mark, run)
            return at + 1
        if _looks_like_prose(run) or self.in_prose(at):
            raise fault(
                mark.start, f"the word '{run}'", "Declare it, or write the formula apart from the sentence"
            )
        if letter_for(run) and not self.latex:
            self.doubt(mark, f"'{run}' is read as {'·'.join(run)}")
        for offset, letter in enumerate(run):
            start = mark.start + offset
            self.put_operand(
                "NAME", Mark("word", letter, start, start + 1, 0 if offset else mark.gap), letter
            )
        return at + 1

    def is_times(self, at: int) -> bool:
        """Whether the letter x is the sign of multiplication: between two operands, with room on both sides or digits."""
        mark, after = self.marks[at], self.peek(at + 1)
        if not self.beside or "x" in self.names or after.kind not in _STARTS:
            return False
        if self.out[-1].type == "NUMBER" and after.kind == "number":
            return True
        return not self.latex and mark.gap > 0 and after.gap > 0

    def is_whole_word(self, at: int) -> bool:
        """`tp`, `bs`, … of the glossary in plain text: one name if signs stand on both sides."""
        mark = self.marks[at]
        if self.latex or letter_for(mark.text) is None or self.beside:
            return False
        if self.peek(at + 1).kind in (*_STARTS, "CARET", "sup"):
            return False
        self.doubt(mark, f"'{mark.text}' is read as one name")
        return True

    def in_prose(self, at: int) -> bool:
        """Whether an unknown run stands in a row of words, as in a sentence."""
        mark = self.marks[at]
        before, after = (self.marks[at - 1] if at else _MARK_END), self.peek(at + 1)
        least = 3 if len(mark.text) > 2 else 99
        neighbours = [(before, mark.gap), (after, after.gap)]
        return any(
            other.kind == "word" and gap == 2 and len(other.text) >= least and other.text.islower()
            for other, gap in neighbours
        )

    def refuse_call(self, at: int) -> None:
        mark, after = self.marks[at], self.peek(at + 1)
        if after.kind == "LPAR" and mark.text not in self.names and letter_for(mark.text) is None:
            raise fault(
                mark.start, f"the function '{mark.text}'", "Known are floor, ceil, sqrt, log, min and max"
            )

    def phrase(self, at: int) -> int:
        """Words of the field side by side are one name: `states per parameter`."""
        first = self.marks[at]
        words, end = [first.text], at + 1
        while first.text not in self.names:
            mark, after = self.peek(end), self.peek(end + 1)
            if self.is_hyphen(mark, after, words[-1]):
                words.append(after.text)
                end += 2
                continue
            if mark.kind != "word" or mark.gap < 2:
                break
            if mark.text in ("per", "of") and after.kind == "word" and is_word(after.text):
                words += [mark.text, after.text]
                end += 2
            elif (
                len(mark.text) > 1
                and is_word(mark.text)
                and not (self.known_name(mark.text) and self.known_name(words[-1]))
            ):
                words.append(mark.text)
                end += 1
            elif len(mark.text) > 1 and not self.known_name(mark.text):
                raise fault(
                    mark.start,
                    f"the word '{mark.text}'",
                    "Declare it, or write the formula apart from the sentence",
                )
            else:
                break
        self.refuse_call(end - 1)
        if self.beside and self.out[-1].type == "UNIT":
            raise fault(first.start, f"the word '{first.text}' after a unit", "End the formula before it")
        whole = Mark("word", " ".join(words), first.start, self.marks[end - 1].end, first.gap)
        if not self.latex and self.out and self.out[-1].type == "NUMBER" and not self.known_name(words[0]):
            raise fault(first.start, f"the word '{words[0]}' after a number", "End the formula before it")
        self.put_name(whole, "_".join(words))
        return end

    def is_hyphen(self, mark: Mark, after: Mark, before: str) -> bool:
        """Whether a minus is the hyphen of GPU-hours or data-parallel."""
        if self.form == "code" or mark.kind != "MINUS" or mark.gap or after.gap or after.kind != "word":
            return False
        if unit(f"{before}-{after.text}"):
            return True
        return (
            not self.latex
            and is_word(after.text)
            and not (self.known_name(before) or self.known_name(after.text))
        )

    def upright(self, at: int) -> int:
        mark = self.marks[at]
        content = mark.text
        if content in FUNCTIONS and self.peek(at + 1).kind == "LPAR":
            self.put_operand("FUNC", mark, FUNCTIONS[content])
            return at + 1
        if self.beside and content.startswith("(") and content.endswith(")"):  # 2 	ext{(fp16)}: a remark
            return at + 1
        name = canonical(content, mark.start)
        words = re.findall(r"[A-Za-z]+", content)
        if not name or any(found.lower() in _STOP - {"per", "of", "a", "to", "is"} for found in words):
            raise fault(mark.start, f"the words '{content}'", "End the formula before them")
        if (
            self.beside
            and len(name) > 1
            and not (self.known_name(name) or (len(words) == 1 and is_word(name)))
        ):
            raise fault(
                mark.start, f"the words '{content}' beside the formula", "End the formula before them"
            )
        self.refuse_call(at)
        self.put_name(mark, name)
        return at + 1

    def identifier(self, at: int) -> int:
        mark = self.marks[at]
        if "_" not in mark.text and mark.text not in self.names and self.form != "code":
            raise fault(mark.start, f"'{mark.text}'", "Write a power with ^, a subscript with _")
        if self.form == "code":
            self.refuse_call(at)
        self.put_name(mark, mark.text.strip("_"))
        return at + 1


def understand(
    marks: list[Mark], form: Form, names: Collection[str]
) -> tuple[list[Piece], list[tuple[int, str]]]:
    """The pieces that the marks are, and the doubts about them with their offsets. Raises ReadError."""
    understanding = _Understanding(marks, form, names)
    return understanding.run(), understanding.doubts
