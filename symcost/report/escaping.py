"""Escaping: what users wrote, made harmless in each format; and formulas as MathML."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape
from unicodedata import name as unicode_name
from unicodedata import normalize

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|$~&])")
_LINE_START = re.compile(r"^(\s*\d*)([-+=.)])(?=\s|$)")  # what begins an item of a list, or underlines a heading


def plain(text: str) -> str:
    r"""Text on one line, without signs that steer a terminal or a printer.

    >>> plain("a\n\x1b[31mb")
    'a [31mb'
    """
    return _CONTROL.sub("", " ".join(text.splitlines())) if _CONTROL.search(text) else text


def markdown(text: str) -> str:
    r"""Text that Markdown shows sign by sign, in a paragraph, a heading or a cell.

    >>> markdown("d_ff | $x$ </script>")
    'd\\_ff \\| \\$x\\$ \\</script\\>'
    """
    flat = plain(text)
    return _LINE_START.sub(r"\1\\\2", _MARKDOWN_SIGNS.sub(r"\\\1", flat)).replace("\\&", "&amp;")


def markdown_code(text: str, bar: str = "|") -> str:
    """A code span for any text: its fence is longer than any run of backticks inside; `bar` is `|` as a table needs it.

    >>> markdown_code("a`b"), markdown_code("x|y", bar="!")
    ('``a`b``', '`x!y`')
    """
    flat = plain(text).replace("|", bar) or " "
    fence = "`" * (max(map(len, re.findall(r"`+", flat)), default=0) + 1)
    space = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{fence}{space}{flat}{space}{fence}"


def html(text: str) -> str:
    """Text inside an element or an attribute."""
    return escape(plain(text), quote=True)


_TEX_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}", '"': "''", "`": r"{\char18}", "-": "{-}", "[": "{[}", "]": "{]}", "*": "{*}",
    "×": r"\ensuremath{\times}", "·": r"\ensuremath{\cdot}", "−": r"\ensuremath{-}", "≈": r"\ensuremath{\approx}",
    "≤": r"\ensuremath{\le}", "≥": r"\ensuremath{\ge}", "∂": r"\ensuremath{\partial}", "√": r"\ensuremath{\surd}",
    "←": r"\ensuremath{\leftarrow}", "→": r"\ensuremath{\rightarrow}", "⊙": r"\ensuremath{\odot}",
    "Σ": r"\ensuremath{\Sigma}", "σ": r"\ensuremath{\sigma}", "Φ": r"\ensuremath{\Phi}", "ᵀ": r"\ensuremath{^\top}",
    "α": r"\ensuremath{\alpha}", "β": r"\ensuremath{\beta}", "ε": r"\ensuremath{\epsilon}", "θ": r"\ensuremath{\theta}",
    "λ": r"\ensuremath{\lambda}", "Ψ": r"\ensuremath{\Psi}", "²": r"\ensuremath{^2}", "³": r"\ensuremath{^3}",
    **{above: rf"\ensuremath{{^{{{below}}}}}" for above, below in zip("⁰¹⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "01456789-+n", strict=True)},
    "–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''", "…": r"\ldots{}", "\u00a0": "~",
    "⌊": r"\ensuremath{\lfloor}", "⌋": r"\ensuremath{\rfloor}", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}",
    "Æ": r"\AE{}", "ł": r"\l{}", "Ł": r"\L{}", "å": r"\aa{}", "Å": r"\AA{}",
}  # fmt: skip
_TEX_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
                "\u0308": '"', "\u030b": "H", "\u030c": "v", "\u0327": "c"}  # fmt: skip
_HAT = {"x̂": r"\ensuremath{\hat{x}}"}


def tex(text: str) -> str:
    r"""Text that TeX sets sign by sign; a sign that its base fonts lack is named by its code.

    >>> tex(r"\input{/etc/passwd}"), tex("100 % of d_ff"), tex("naïve 中")
    ('\\textbackslash{}input\\{/etc/passwd\\}', '100 \\% of d\\_ff', 'na\\"{\\i}ve {[}U+4E2D{]}')
    """
    for written, set_as in _HAT.items():
        if written in text:
            return set_as.join(tex(part) for part in text.split(written))
    return "".join(map(_tex_sign, normalize("NFC", text)))


@lru_cache(maxsize=4096)
def _tex_sign(sign: str) -> str:
    if sign in _TEX_SIGNS:
        return _TEX_SIGNS[sign]
    if " " <= sign <= "~":
        return sign
    if sign.isspace():
        return " "
    if not unicode_name(sign, ""):
        return ""  # a control sign
    base, *accents = normalize("NFD", sign)
    if base.isascii() and len(accents) == 1 and accents[0] in _TEX_ACCENTS:
        letter = {"i": r"\i", "j": r"\j"}.get(base, base)
        return rf"\{_TEX_ACCENTS[accents[0]]}{{{letter}}}"
    return f"{{[}}U+{ord(sign):04X}{{]}}"


def tex_code(text: str) -> str:
    """A name in typewriter letters, which may be broken after a point, a line or a slash."""
    inside = "".join(_tex_sign(sign) + (r"\allowbreak{}" if sign in "._/+,:" else "") for sign in normalize("NFC", text))
    return rf"\texttt{{{inside}}}"


def yaml(text: str) -> str:
    """A string for front matter: JSON's quotes are YAML's too."""
    import json

    return json.dumps(text, ensure_ascii=False)


def mathml(latex: str, display: bool = False) -> str:
    """A formula as MathML, its LaTeX kept as annotation; where that fails, its LaTeX as code.

    >>> mathml("bhc^2")[:17]
    '<math><semantics>'
    """
    from math_core import LatexError

    try:
        return _converter().convert_with_local_state(latex, displaystyle=display)
    except LatexError:
        return f"<code>{html(latex)}</code>"


@cache
def _converter() -> "LatexToMathML":
    from math_core import LatexToMathML

    return LatexToMathML(annotation=True, fancy_error=False)
