"""Escaping: what users wrote, made harmless in each format; and formulas as MathML."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape
from typing import Any
from unicodedata import name as unicode_name
from unicodedata import normalize

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|$~&])")
_LINE_START = re.compile(
    r"^(\s*\d*)([-+=.)])(?=\s|$)"
)  # what begins an item of a list, or underlines a heading


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
    """A code span for any text, fenced by more backticks than it has in a row; `bar` is a table's `|`.

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


_TEX_MATHS = {
    **dict(zip("<>|−", "<>|-", strict=True)),
    **{above: f"^{below}" for above, below in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n", strict=True)},
    "×": r"\times", "·": r"\cdot", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "∂": r"\partial", "√": r"\surd",
    "←": r"\leftarrow", "→": r"\rightarrow", "⊙": r"\odot", "ᵀ": r"^\top", "⌊": r"\lfloor", "⌋": r"\rfloor",
    "⌈": r"\lceil", "⌉": r"\rceil", "Σ": r"\Sigma", "σ": r"\sigma", "Φ": r"\Phi", "Ψ": r"\Psi",
    "α": r"\alpha", "β": r"\beta", "ε": r"\epsilon", "θ": r"\theta", "λ": r"\lambda",
}  # fmt: skip
_TEX_SIGNS = {
    **{sign: rf"\ensuremath{{{latex}}}" for sign, latex in _TEX_MATHS.items()},
    **{sign: f"\\{sign}" for sign in "{}$&#%_"},
    **{sign: f"{{{sign}}}" for sign in "-[]*"},  # alone they would join, or begin an argument
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "`": r"{\char18}",
    '"': "''", "–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''", "…": r"\ldots{}",
    "\u00a0": "~", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ł": r"\l{}",
    "Ł": r"\L{}", "å": r"\aa{}", "Å": r"\AA{}",
}  # fmt: skip
_TEX_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip
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
    parts = normalize("NFD", sign)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _TEX_ACCENTS:
        letter = {"i": r"\i", "j": r"\j"}.get(parts[0], parts[0])
        return rf"\{_TEX_ACCENTS[parts[1]]}{{{letter}}}"
    return f"{{[}}U+{ord(sign):04X}{{]}}"


def tex_code(text: str) -> str:
    """A name in typewriter letters, which may be broken after a point, a line or a slash."""
    inside = "".join(
        _tex_sign(sign) + (r"\allowbreak{}" if sign in "._/+,:" else "") for sign in normalize("NFC", text)
    )
    return rf"\texttt{{{inside}}}"


def yaml(text: str) -> str:
    """A string for front matter: JSON's quotes are YAML's too."""
    import json

    return json.dumps(text, ensure_ascii=False)


def mathml(latex: str, display: bool = False) -> str:
    r"""A formula as MathML, its LaTeX beside it (`alttext`); where that fails, its LaTeX as code.

    >>> mathml(r"d_{\mathrm{ff}}")
    '<math alttext="d_{\\mathrm{ff}}"><msub><mi>d</mi><mi>ff</mi></msub></math>'
    >>> mathml("1{,}024^2")
    '<math alttext="1{,}024^2"><msup><mn>1,024</mn><mn>2</mn></msup></math>'
    """
    from math_core import LatexError

    try:
        made = str(_converter().convert_with_local_state(latex, displaystyle=display))
    except LatexError:
        return f"<code>{html(latex)}</code>"
    for needless, short in _SHORTER:
        made = needless.sub(short, made)
    return made.replace("<math", f'<math alttext="{escape(latex)}"', 1)


_SHORTER = (
    *[(re.compile(r'<mn>([\d,]+)</mn><mo rspace="0">,</mo>(<msup>)?<mn>'), r"\2<mn>\1,")]
    * 6,  # one number, one element
    (re.compile(r"<mrow><mspace/>(<mi>[^<]*</mi>)</mrow>"), r"\1"),
    (re.compile(r'<mo lspace="0.2222em" rspace="0.2222em">([⋅×])'), r"<mo>\1"),  # their space by default
    (re.compile(r'<mtd style="[^"]*">'), "<mtd>"),  # the page's style aligns the cells
)


@cache
def _converter() -> Any:
    from math_core import LatexToMathML

    return LatexToMathML(fancy_error=False)
