"""Cuts a formula into marks by their look: numbers, letters, names with subscripts, signs, commands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

from symcost.errors import ReadError
from symcost.notation.vocabulary import FUNCTIONS, GREEK, GREEK_SIGNS, is_word
from symcost.symbols import letter_for

Form: TypeAlias = Literal["latex", "text", "code"]

LONGEST = 4000  # characters
DEEPEST = 60  # brackets


class Mark(NamedTuple):
    """A stretch of the text by its look. `gap`: 0 nothing stands before it, 1 a blank, 2 one that shows."""

    kind: str
    text: str
    start: int
    end: int
    gap: int


def fault(start: int, found: str, mend: str) -> ReadError:
    """The error at offset `start`: where, what was found, how to mend it."""
    return ReadError(" ".join(f"column {start + 1}: {found}. {mend}.".split()), start + 1)


def guard(text: str) -> None:
    """Refuses what is too long or nested too deep before any work is done."""
    if len(text) > LONGEST:
        raise fault(LONGEST, f"a formula of {len(text)} characters", f"Keep it within {LONGEST}")
    depth = 0
    for found in re.finditer(r"[(\[{]|[)\]}]", text):
        depth += 1 if found.group() in "([{" else -1
        if depth > DEEPEST:
            raise fault(found.start(), f"brackets nested more than {DEEPEST} deep", "Name the inner part")


@cache
def _plain_letters() -> dict[int, str]:
    """Mathematical italic and bold letters (ℎ, 𝑑) and their plain ones."""
    found = {code: unicodedata.normalize("NFKC", chr(code)) for code in (0x210E, *range(0x1D400, 0x1D800))}
    return {code: letter for code, letter in found.items() if len(letter) == 1 and letter.isascii()}


def plain(text: str) -> str:
    """`text` with mathematical letters made plain, sign for sign, so that positions stay."""
    return text if text.isascii() else text.translate(_plain_letters())


# The signs and commands: a line is the kind of the mark, what it means, and how it is written.

_SIGNS_TABLE = """
    PLUS     +   +
    MINUS    -   - − –
    TIMES    ×   * × · ⋅ ∗ ∙ • ✕
    SLASH    /   / ÷ ∕ ⁄
    FLOORDIV //  //
    CARET    ^   ^ **
    LPAR     (   ( \\{
    RPAR     )   ) \\}
    LSQB     [   [
    RSQB     ]   ]
    LBRACE   {   {
    RBRACE   }   }
    LFLOOR   ⌊   ⌊
    RFLOOR   ⌋   ⌋
    LCEIL    ⌈   ⌈
    RCEIL    ⌉   ⌉
    FUNC     sqrt √
    COMMA    ,   , ;
    MONEY    $   $ \\$
    PERCENT  %   % \\%
    HASH     #   \\#
    REL      =   = == === := ≡ ≜ ≝
    REL      ≈   ≈ ≃ ≅ ∼ ~ ~= =~ ≐
    REL      ≤   ≤ ⩽ <= =<
    REL      ≥   ≥ ⩾ >=
    REL      ⇒   ⇒ ⟹ =>
    REL      →   → ⟶ -> -->
    REL      <   <
    REL      >   >
    REL      ≪   ≪
    REL      ≫   ≫
    REL      ≠   ≠
    REL      ∝   ∝
"""
_COMMANDS_TABLE = """
    TIMES    ×   times cdot cdotp ast bullet
    SLASH    /   div
    FRAC     /   frac dfrac tfrac cfrac
    SQRT     2   sqrt
    LFLOOR   ⌊   lfloor
    RFLOOR   ⌋   rfloor
    LCEIL    ⌈   lceil
    RCEIL    ⌉   rceil
    LSQB     [   lbrack
    RSQB     ]   rbrack
    FUNC     .   min max log ln lg
    AROUND   .   underbrace overbrace boxed underline
    REL      =   equiv triangleq coloneqq doteq
    REL      ≈   approx approxeq sim simeq cong thickapprox
    REL      ≤   le leq leqslant
    REL      ≥   ge geq geqslant
    REL      ⇒   Rightarrow implies Longrightarrow
    REL      →   rightarrow to longrightarrow mapsto
    REL      <   lt
    REL      >   gt
    REL      ≪   ll
    REL      ≫   gg
    REL      ≠   ne neq
    REL      ∝   propto
"""
_OTHER_MATHEMATICS = {
    "partial": "a derivative",
    "nabla": "a derivative",
    "in": "a set",
    "sum": "a sum over an index",
    "prod": "a product over an index",
    "int": "an integral",
    "dots": "something left out",
    "ldots": "something left out",
    "cdots": "something left out",
    "begin": "an environment that is no alignment",
}


def _table(text: str) -> dict[str, tuple[str, str]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {spelling: (kind, meaning) for kind, meaning, *spellings in rows for spelling in spellings}


_SIGNS = _table(_SIGNS_TABLE)
_COMMANDS = _table(_COMMANDS_TABLE)

# How the marks look.

_DIGITS = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_GROUPED = (
    r"[0-9]{1,3}(?:(?:\{,\}|[,'’\u2009\u202f]|\\[,!])[0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
    r"|[0-9]{1,3}(?:_[0-9]{3})+(?![0-9])"
)
_UPRIGHT = r"(?:text(?:rm|sf|tt|normal|up|bf|it)?|math(?:rm|sf|tt)|operatorname\*?|[mh]box)"
_BRACED = r"\{(?:[^{}\\]|\\[^A-Za-z]|\{[^{}]*\})*\}"
_UPRIGHT_E = rf"\\{_UPRIGHT}\{{[eE]\}}"  # 7.08\text{e}24
_TEXT = rf"\\{_UPRIGHT}\s*(?P<text>{_BRACED})"
_SMALL = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "+-01234567890123456789")
_RAISED = r"(?P<sup>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
_SETTING = (  # commands that only set type
    r"displaystyle|textstyle|scriptstyle|left|right|[bB]igg?[lrm]?|limits|nonumber|notag|mathrel|mathbin|rm"
)
_ALIGNMENTS = "aligned|alignedat|align|split|gathered|gather|equation|multline|displaymath"

_LATEX = re.compile(
    rf"""
    (?P<space>(?:[\s~&\u200b]|\\[,;:!>\ \n]|\\\\(?:\[[^\]]*\])?|\{{\}}
        |\\(?:q?quad|thinspace|enspace|enskip|hfill|{_SETTING})(?![A-Za-z])
        |\\(?:label|tag|[hv]space)\*?\{{[^{{}}]*\}}
        |\\(?:begin|end)\{{(?:{_ALIGNMENTS})\*?\}}(?:\[[tcb]\]|\{{[0-9]\}})?)+)
    |(?P<number>{_GROUPED}|{_DIGITS}(?:[eE][+-]?[0-9]+|\s*{_UPRIGHT_E}[+-]?[0-9]+)?)
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
    |(?P<times>[xX](?=\.?[0-9]|\())
    |(?P<dotted>(?:[A-Za-z_][A-Za-z0-9_]*\.)+[A-Za-z][A-Za-z0-9_]*)
    |(?P<ident>[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[A-Za-z]+[0-9][A-Za-z0-9]*)
    |(?P<word>[A-Za-z]+)
    |{_TEXT}
    |\\(?P<command>[A-Za-z]+)
    |<(?P<tag>/?sup)>
    |{_RAISED}
    |(?P<sign>===?|\*\*|//|=>|-+>|<=|>=|=<|<<|>>|~=|=~|:=|\\[$%]|.)
    """,
    re.VERBOSE,
)

_WRITTEN_E = re.compile(rf"\s*{_UPRIGHT_E}")
_VISIBLE = re.compile(r"~|\\[,;: ]|\\q?quad")
_TITLE = re.compile(r"(?=.*[aeiouAEIOU])[A-Z][a-z]{2,}\Z")  # Act_{total} is a word, bM_{total} is not
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_UNBRACED = re.compile(r"_[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*")
_MARKS_ABOVE = r"\\prime|\\top|\\dagger|\\star|\*(?!\*)"
_LABEL = re.compile(
    rf"\s*\^\s*(?:\{{\s*(?:(?P<letters>[A-Z]|[A-Za-z]{{2,}})|\\{_UPRIGHT}\s*(?P<braced>{_BRACED})"
    rf"|(?P<sign>{_MARKS_ABOVE}))\s*\}}"
    rf"|(?P<capital>[A-Z])|\\{_UPRIGHT}\s*(?P<text>{_BRACED})|(?P<command>{_MARKS_ABOVE}))"
)
_ABOVE = {"\\prime": "prime", "\\top": "T", "\\dagger": "dagger", "\\star": "star", "*": "star"}
_POWER_FIRST = re.compile(r"\s*\^\s*(?:([0-9])|\{\s*([0-9]+)\s*\})(?=\s*_)")  # d^2_{model}
_SUBSCRIPT = re.compile(r"\s*_\s*")
_SCRIPT = re.compile(r"\s*[_^]\s*")
_SIGNED_EXPONENT = re.compile(r"([eE])([+-])([0-9]+)\Z")
_LOG_BASE = re.compile(r"\s*_\s*(?:\{\s*(2|10)\s*\}|(2))")
_ROOT_INDEX = re.compile(r"\s*\[\s*([1-9])\s*\]")
_UPRIGHT_TEXT = re.compile(_TEXT)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_LETTERS = re.compile(r"[A-Za-z0-9]+")
_WHOLE = re.compile(r"[0-9]+")
_MICROSECONDS = re.compile(r"\\mu\s*(?:\\(?:text|mathrm)\s*\{\s*s\s*\}|s(?![A-Za-z_^]))")
_DERIVATIVE = re.compile(r"\\[dt]?frac\s*\{\s*d\s*[A-Z]?\s*\}\s*\{\s*d\s*[A-Za-z]\s*\}")


def canonical(content: str, start: int) -> str:
    """The one spelling of a name's words: `per\\_sample` → per_sample, `t-1` → tm1, `No. GPUs` → No_GPUs."""

    def command(found: re.Match[str]) -> str:
        return found[1] if found[1] in GREEK or found[1] in ("max", "min") else found[0]

    spelled = re.sub(rf"\\(?:{_UPRIGHT}|rm|it|left|right)(?![A-Za-z])", "", content)
    spelled = _COMMAND.sub(command, spelled).replace("\\_", "_")
    spelled = re.sub(r"\\[ ,;:&%#!-]", " ", spelled)
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


def scan(text: str, start: int, end: int, form: Form, names: Collection[str]) -> list[Mark]:
    """The marks of text[start:end], from left to right. Raises ReadError at a sign that is in no formula.

    >>> [mark.text for mark in scan("bM_{max}", 0, 8, "latex", ())]
    ['b', 'M_max']
    """
    return _Scanner(text, start, end, form, names).run()


class _Scanner:
    """Walks over the text; only what stands inside one sign or one name is decided here."""

    def __init__(self, text: str, start: int, end: int, form: Form, names: Collection[str]) -> None:
        self.text, self.position, self.end = text, start, end
        self.form, self.latex, self.names = form, form == "latex", names
        self.marks: list[Mark] = []
        self.gap = 0
        self.brackets: list[str] = []
        self.power, self.power_at = "", 0  # of d^2_{model}

    def add(self, kind: str, text: str, start: int, end: int) -> None:
        self.marks.append(Mark(kind, text, start, end, self.gap))
        self.gap = 0

    def known(self, name: str) -> bool:
        return name in self.names or letter_for(name) is not None

    def run(self) -> list[Mark]:
        text, end, latex = self.text, self.end, self.latex
        match = (_LATEX if latex else _PLAIN).match
        arguments, around = (
            0,
            "",
        )  # how many TeX arguments the last command still takes, and what stands around one
        braces: list[tuple[int, str]] = []
        while self.position < end:
            start = self.position
            found = match(text, start, end)
            assert found is not None  # any sign matches
            kind, looks = found.lastgroup or "", found.group()
            if kind == "space":
                self.gap = 2 if not latex or _VISIBLE.search(looks) else max(self.gap, 1)
                self.position = found.end()
            elif looks == "{":
                braces.append((max(arguments - 1, 0), around))
                arguments, around = 0, ""
                self.add("LBRACE", looks, start, found.end())
                self.position = found.end()
            elif around:
                raise fault(start, f"'{looks}' after \\{around}", "Put it in braces")
            elif arguments:
                arguments -= 1
                self.argument(kind, looks, found)
            elif looks == "}":
                if not braces:
                    raise fault(start, "a brace that was never opened", "Leave it out")
                arguments, closed = braces.pop()
                self.add("RBRACE", looks, start, found.end())
                self.position = found.end()
                if closed.endswith("brace"):
                    self.skip_script()
            else:
                self.position = found.end()
                self.one(kind, looks, found)
                last = self.marks[-1].kind if self.marks and (latex or kind == "command") else ""
                if last == "AROUND":
                    around, arguments = self.marks.pop().text, 1
                else:
                    arguments = {"FRAC": 2, "SQRT": 1, "CARET": int(latex)}.get(last, 0)
        if braces or arguments:
            raise fault(
                end, "the formula ends", "Expected a closing brace" if braces else "Expected an argument"
            )
        return self.marks

    def one(self, kind: str, looks: str, found: re.Match[str]) -> None:
        """One mark that is no blank and no brace; `position` is already behind it."""
        start, end = found.span()
        if kind == "number":
            self.number(looks, start)
        elif kind == "word":
            self.word(looks, start)
        elif kind == "sign":
            self.sign(looks, start, end)
        elif kind == "command":
            self.command(looks[1:], start, end)
        elif kind == "text":
            self.upright(found["text"][1:-1], start)
        elif kind == "bold":
            self.word(found["bold"][1:-1], start)
        elif kind == "ident":
            self.identifier(looks.replace("\\_", "_"), start)
        elif kind == "sup":
            self.add("sup", looks.translate(_SMALL), start, end)
        elif kind == "times":
            self.times(looks, start)
        elif kind == "dotted":
            if self.form != "code":
                raise fault(start, f"'{looks}'", "Write the formula apart from the sentence")
            self.add("ident", looks.rpartition(".")[2], start, end)
        elif looks == "<sup>":
            self.add("CARET", "^", start, end)
            self.add("LPAR", "(", start, end)
        else:
            self.add("RPAR", ")", start, end)

    # Numbers, signs, commands.

    def number(self, looks: str, start: int) -> None:
        if "," in looks and "{,}" not in looks and self.brackets and self.brackets[-1] != "(":
            looks = looks[: looks.index(",")].rstrip("\\")  # max(128,256) and [32,128] are lists
        signed = _SIGNED_EXPONENT.search(looks)
        if signed and not self.is_exponent(looks, signed):
            looks = looks[: signed.start()].rstrip()
        self.position = start + len(looks)
        self.add("number", _WRITTEN_E.sub("e", looks), start, self.position)

    def is_exponent(self, looks: str, signed: re.Match[str]) -> bool:
        """Whether a number goes on: 2e-5 and 1.97E+14 do; 2E+1 is a sum, except in code."""
        letter, sign, digits = signed.groups()
        if self.form == "code":
            return True
        if letter in self.names:
            return False
        return letter + sign == "e-" or (len(digits) > 1 and ("." in looks or not self.latex))

    def times(self, looks: str, start: int) -> None:
        """`405x10^9`; else the x starts a word."""
        before = self.marks[-1].kind if self.marks else ""
        bracket = self.text[start + 1] == "("
        if before in ("number", "sup", "RPAR", "RSQB", "RBRACE") and (self.gap or not bracket):
            self.add("TIMES", looks, start, self.position)
            return
        again = _IDENTIFIER.match(self.text, start, self.end)
        assert again is not None
        self.position = again.end()
        self.identifier(again.group(), start)

    def sign(self, looks: str, start: int, end: int) -> None:
        if looks in GREEK_SIGNS:
            self.name(GREEK_SIGNS[looks], start)
            return
        if looks not in _SIGNS:
            raise fault(start, f"the sign '{looks}'", "It belongs to no formula that symcost reads")
        kind, text = _SIGNS[looks]
        if (
            looks == "–"
            and self.marks
            and self.marks[-1].kind == "number"
            and self.text[end : end + 1].isdigit()
        ):
            raise fault(start, "a range", "Write a minus with blanks, or one of the two numbers")
        if kind in ("LPAR", "LSQB"):
            before = self.marks[-1] if self.marks else None
            called = before is not None and (before.kind == "FUNC" or before.text in FUNCTIONS)
            self.brackets.append("call" if called else text)
        elif kind in ("RPAR", "RSQB") and self.brackets:
            self.brackets.pop()
        if kind != "HASH":  # \#GPUs is the number of GPUs
            self.add(kind, text, start, end)

    def command(self, name: str, start: int, end: int) -> None:
        seconds = _MICROSECONDS.match(self.text, start, self.end)
        if seconds and self.marks and self.marks[-1].kind == "number":
            self.position = seconds.end()
            self.add("text", "µs", start, self.position)
            return
        if name.removeprefix("var") in GREEK:
            self.name(name.removeprefix("var"), start)
            return
        if name not in _COMMANDS:
            what = f" ({_OTHER_MATHEMATICS[name]})" if name in _OTHER_MATHEMATICS else ""
            raise fault(start, f"'\\{name}'{what}", "symcost does not read this command")
        kind, text = _COMMANDS[name]
        if kind == "FRAC" and _DERIVATIVE.match(self.text, start, self.end):
            raise fault(start, "a derivative", "Only costs are read")
        if kind == "FUNC":
            base = _LOG_BASE.match(self.text, end, self.end) if name == "log" else None
            text = FUNCTIONS[f"log{base[1] or base[2]}" if base else name]
            self.position = base.end() if base else end
        elif kind == "SQRT":
            index = _ROOT_INDEX.match(self.text, end, self.end)
            text, self.position = (index[1], index.end()) if index else ("2", end)
        elif kind == "AROUND":
            text = name
        self.add(kind, text, start, self.position)

    def argument(self, kind: str, looks: str, found: re.Match[str]) -> None:
        """One TeX argument without braces is one sign: `\\frac12`, `d^22` is d²·2; but 10^12 is whole."""
        start, end = found.span()
        before = self.marks[-1]
        power_of_number = before.kind == "CARET" and len(self.marks) > 1 and self.marks[-2].kind == "number"
        self.add("LBRACE", "{", start, start)
        self.position = start + 1
        whole = _WHOLE.match(self.text, start, self.end)
        negative = (
            _WHOLE.match(self.text, end, self.end) if looks in ("-", "−") and before.kind == "CARET" else None
        )
        if negative:
            self.add("MINUS", "-", start, end)
            self.add("number", negative.group(), end, negative.end())
            self.position = negative.end()
        elif whole and power_of_number:
            self.add("number", whole.group(), start, whole.end())
            self.position = whole.end()
            if len(whole.group()) > 1:
                self.add("doubt", f"TeX raises only the first digit of {whole.group()}", start, whole.end())
        elif whole:
            self.add("number", looks[0], start, start + 1)
        elif kind == "word":
            self.add("word", looks[0], start, start + 1)
        elif kind in ("text", "bold", "command") and looks[1:] not in _COMMANDS:
            self.position = end
            self.one(kind, looks, found)
        else:
            raise fault(start, f"'{looks}' as an argument", "Put it in braces")
        self.add("RBRACE", "}", self.position, self.position)

    def skip_script(self) -> None:
        """What an underbrace says is not part of the formula."""
        after = _SCRIPT.match(self.text, self.position, self.end)
        if after is None or after.end() == self.end:
            return
        at = after.end()
        if self.text[at] == "{":
            self.position = _closing(self.text, at, self.end)
        else:
            word = _UPRIGHT_TEXT.match(self.text, at, self.end) or _COMMAND.match(self.text, at, self.end)
            self.position = word.end() if word else at + 1

    # Words and names.

    def upright(self, content: str, start: int) -> None:
        """`\\text{…}`: one word or phrase, apart from a slash at its ends."""
        text = content.replace("\\_", "_").replace("\\ ", " ").replace("~", " ").replace("\\%", "%")
        if text[:1].isspace():
            self.gap = 2
        bare = text.strip().rstrip(".,;:") or text.strip()  # a sentence may end inside
        if re.search(r"[*+=^<>×·≈\[\]]", bare):
            raise fault(start, f"a formula inside the words '{bare}'", "Write it outside of them")
        if self.script_follows():
            self.name(canonical(text, start), start)
            return
        end = self.position
        if bare.startswith("/"):
            self.add("SLASH", "/", start, start)
        if bare.strip("/ "):
            self.add("text", bare.strip("/ "), start, end)
        if bare.endswith("/") and len(bare) > 1:
            self.add("SLASH", "/", end, end)
        if text[-1:].isspace():
            self.gap = 2

    def word(self, run: str, start: int) -> None:
        """A run of letters; subscripts, primes, labels above belong to its last letter or the whole word."""
        after = self.position
        if not self.script_follows():
            self.add("word", run, start, after)
            return
        longer = _UNBRACED.match(self.text, after, self.end)
        if longer and self.known(run + longer.group()):  # d_model in TeX without braces
            self.position = longer.end()
            self.name(run + longer.group(), start)
            return
        declared = len(run) == 1 or run in self.names or is_word(run) or self.text[after - 1] == "}"
        whole = declared or _TITLE.match(run) is not None
        base, at = (run, start) if whole else (run[-1], after - 1)
        spelled = self.scripts(base, at)
        if not spelled:
            self.add("word", run, start, self.position)
            return
        if at > start:
            self.add("word", run[:-1], start, at)
        self.put_name(spelled, at)
        if not declared and whole:
            self.add("doubt", f"'{run}' with its subscript is read as one name", at, self.position)

    def name(self, name: str, start: int) -> None:
        self.put_name(self.scripts(name, start) or name, start)

    def put_name(self, spelled: str, start: int) -> None:
        self.add("name", spelled, start, self.position)
        if self.power:  # of d^2_{model}
            self.add("CARET", "^", self.power_at, self.power_at + 1)
            self.add("number", self.power, self.power_at + 1, self.position)
            self.power = ""

    def identifier(self, name: str, start: int) -> None:
        """A name in snake_case; `bcd_ff`, if nobody knows it, is b·c·d_ff where d_ff is known."""
        first, underscore, rest = name.partition("_")
        tail = first[-1:] + underscore + rest
        if underscore and len(first) > 1 and not self.known(name) and self.known(tail):
            at = start + len(first) - 1
            self.add("word", first[:-1], start, at)
            self.add("ident", tail, at, self.position)
        else:
            self.add("ident" if underscore or name[-1:].isdigit() else "word", name, start, self.position)

    def script_follows(self) -> bool:
        """Whether a subscript, a prime or a superscript stands next (in TeX also after a blank)."""
        if self.form == "code":
            return self.text.startswith("_", self.position, self.end)
        if self.latex:
            return _SCRIPT.match(self.text, self.position, self.end) is not None or self.prime_follows()
        follows = self.text[self.position : min(self.position + 1, self.end)]
        return follows in ("_", "^") or "₀" <= follows <= "₉" or self.prime_follows()

    def prime_follows(self) -> bool:
        return self.text.startswith(("'", "’"), self.position, self.end)

    def scripts(self, base: str, start: int) -> str:
        """`base` with its subscripts, primes and labels as one name; nothing if none follows."""
        below = above = ""
        text, end = self.text, self.end
        while base:
            position = self.position
            power = _POWER_FIRST.match(text, position, end)
            label = _LABEL.match(text, position, end) if self.form != "code" else None
            subscript = (
                _SUBSCRIPT.match(text, position, end)
                if self.latex or text[position : position + 1] == "_"
                else None
            )
            if power and not below:
                self.power, self.power_at, self.position = power[1] or power[2], position, power.end()
            elif self.prime_follows():
                above, self.position = above + "_prime", position + 1
            elif position < end and "₀" <= text[position] <= "₉":
                below, self.position = f"{below or '_'}{text[position].translate(_SMALL)}", position + 1
            elif subscript and not below:
                below = "_" + self.subscript(base, subscript.end())
            elif label and not above and not self.names.__contains__(label["letters"] or label["capital"]):
                sign = label["sign"] or label["command"]
                content = label["letters"] or label["capital"] or label["braced"] or label["text"] or ""
                above += "_" + (_ABOVE[sign] if sign else canonical(content.strip("{}"), start))
                self.position = label.end()
            else:
                break
        if self.power and not below:
            self.position, self.power = self.power_at, ""
        return base + below + above if below or above else ""

    def subscript(self, base: str, position: int) -> str:
        text, end = self.text, self.end
        upright = _UPRIGHT_TEXT.match(text, position, end)
        command = _COMMAND.match(text, position, end)
        letters = _LETTERS.match(text, position, end)
        if text.startswith("{", position, end):
            self.position = _closing(text, position, end)
            content = text[position + 1 : self.position - 1]
        elif upright:
            content, self.position = upright["text"][1:-1], upright.end()
        elif command and (command[1] in GREEK or command[1] in ("max", "min")):
            content, self.position = command[1], command.end()
        elif letters:
            run = letters.group()
            word = len(run) > 1 and (self.known(f"{base}_{run}") or (len(run) > 2 and is_word(run)))
            content = run if word or not self.latex else run[0]
            self.position = position + len(content)
        else:
            raise fault(position, "a subscript that is no word", "Put it in braces")
        spelled = canonical(content, position)
        if not spelled:
            raise fault(position, "an empty subscript", "Fill it or leave it out")
        return spelled
