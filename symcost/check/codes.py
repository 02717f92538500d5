"""The pages of the codes: what each finding means, an example that gives it, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symcost.check.configuration import SEVERITY
from symcost.check.findings import CODES
from symcost.errors import UnknownName, nearest


@dataclass(frozen=True)
class Page:
    """One code's page; `example` is a Markdown document that gives the code, where there is a short one."""

    meaning: str
    mend: str
    example: str = ""


LETTERS = "Let $b$=`batch_size`, $c$=`seq_len`, $d$=`d_model`, $h$=`num_heads`. "

PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "SC101": Page(
            "Both sides of a relation are the same form, or the same number.",
            "Nothing is to be done.",
            LETTERS + "Then $4d^2 = 2d*2d$.",
        ),
        "SC102": Page(
            "The form equals a quantity that symcost derives; the finding names the quantity, the place and the model.",
            "Nothing is to be done. If another quantity was meant, say so in the sentence.",
            LETTERS + "The saved activations of one block of a SwiGLU model are $20bcd+bhc^2$ elements.",
        ),
        "SC103": Page(
            "The printed number is the exact one, rounded or cut off at the digits that are printed.",
            "Nothing is to be done.",
            "A run takes $10^{15} / 7 = 1.43 \\times 10^{14}$ FLOPs.",
        ),
        "SC110": Page(
            "The document says ≈, and terms are left out or a number is near. The message says which and by how much.",
            "Nothing, if the terms are small where you use the formula. `--fix` never touches it.",
        ),
        "SC111": Page(
            "An approximation that errs on the unsafe side: it promises more than fits in memory.",
            "Put the terms back that the message names, or subtract a margin.",
        ),
        "SC120": Page(
            "Not right under the convention that the document uses, but right under another one, or with GiB for GB.",
            "Name the convention or the unit in the text, or give it with --under.",
            "It is $24 \\times 1024^3 = 24$ GB.",
        ),
        "SC201": Page(
            "The form is not what is derived for the quantity that the words name: a term is missing or too much, or a "
            "coefficient, an exponent or a letter is another.",
            "Compare with the derived form in the message. `--fix` writes it, where there is one.",
            LETTERS + "The forward FLOPs of the attention layer are $8bcd^2+4bcd$.",
        ),
        "SC202": Page(
            "Two sides of a chain of equations are not the same form.",
            "One of the two has a slip; the message says where they differ.",
            LETTERS + "Then $3d^2 = 2d*2d$.",
        ),
        "SC203": Page(
            "The arithmetic is wrong: what stands left comes to another number.",
            "Compute again. The message has the exact value, and the likely slip.",
            "Then $12 \\times 24 = 298$.",
        ),
        "SC204": Page(
            "The units do not fit: seconds for hours, or bytes for FLOPs.",
            "Put in the factor that the message names, or mend the unit.",
            "A run takes $86400 \\text{ s} = 1 \\text{ GB}$.",
        ),
        "SC205": Page(
            "A name that was defined before is defined again as something else that is one slip away.",
            "Use another name, or mend one of the two.",
        ),
        "SC301": Page(
            "The formula could not be read: broken TeX, an unknown function, or more than one reading.",
            "Nothing, if it is no cost. Otherwise write it in a simpler way; the message has the column.",
            "Then $\\foo{3} = 4$.",
        ),
        "SC302": Page(
            "A statement with nothing to hold it against: a letter that the document does not explain, or no quantity by "
            "that form.",
            "Say what the letters stand for, as in: where $b$ is the batch size.",
            LETTERS + "It is $17bq^3$.",
        ),
        "SC303": Page(
            "Broken markup: a dollar sign without its partner, or front matter that cannot be read.",
            "Close it, or write \\$ for a dollar.",
            "Let $d be the model width.",
        ),
        "SC401": Page(
            "A definition, an assumption, a symbol or a rule of thumb: there is nothing to prove.",
            "Nothing is to be done.",
            LETTERS.strip(),
        ),
        "SC402": Page(
            "A tensor equation, a derivative or an update: symcost proves costs, not calculus.",
            "Nothing is to be done.",
            "The update is $\\theta_{t+1} = \\theta_t - \\alpha g_t$.",
        ),
    }
)


def explained(code: str) -> str:
    """The page of a code as text, or of `all` codes as Markdown. Raises UnknownName, with the nearest code.

    >>> print(explained("sc203").splitlines()[0])
    SC203  differs: the arithmetic is wrong
    """
    if code.lower() == "all":
        return all_pages()
    code = code.upper()
    if code not in CODES:
        raise UnknownName(f"'{code}' is not a code. {nearest(code, CODES)}")
    page = PAGES[code]
    rows = [f"{code}  {CODES[code]}", "", page.meaning, "", f"What to do: {page.mend}"]
    if page.example:
        rows += ["", "Example:", f"  {page.example}"]
    rows += ["", *_silencing(code)]
    return "\n".join(rows)


def all_pages() -> str:
    """The pages of all codes as one Markdown document."""
    rows = ["# The codes of `symcost check`", "", "Made by `symcost check --explain all`.", ""]
    rows += ["| code | what it says | as it is told |", "| --- | --- | --- |"]
    rows += [f"| [{code}](#{code.lower()}) | {words} | {SEVERITY[code]} |" for code, words in CODES.items()]
    for code, words in CODES.items():
        page = PAGES[code]
        rows += ["", f"## {code}", "", f"*{words}.* {page.meaning}", "", f"What to do: {page.mend}"]
        if page.example:
            rows += ["", "```markdown", page.example, "```"]
    rows += ["", "## Silencing a finding", "", *_silencing("SC201")]
    return "\n".join(rows)


def _silencing(code: str) -> list[str]:
    comments = (f"<!-- symcost: ignore {code} -->", f"% symcost: ignore {code}", f"# symcost: ignore {code}")
    return [
        f"To silence it in one place: {', '.join(f'`{comment}`' for comment in comments)};",
        f'for a project: `ignore = ["{code}"]` under `[tool.symcost]` in pyproject.toml.',
    ]
