"""Context: the words around a formula, the nearest first, as a reader takes them in."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice, takewhile

from symcost.check.documents import Block, Document, Span
from symcost.check.tables import row_of
from symcost.check.wordings import Wording

TITLE = "Title: "
MOST_BLOCKS = 8  # before a formula in which its section may have said something of it
LETTERS_ONLY = re.compile(r"[A-Za-z\\,_{}^\s\u1d40]{1,12}\Z")
_SETTING = re.compile(r"[a-z]\w{3,}: [a-z]\w*\Z")
_UNFINISHED = re.compile(r"(?:\\times|\\cdot|×|·)[\s\\,]*\Z")  # "3×" before the words that it multiplies
_CLAUSE = re.compile(
    r"(?<! [QKVO])(?<!\A[QKVO])[,;:.!?，；：。、](?!(?<=forward,) recomput)\s+|[，；：。]|\s[–—-]\s"  # "Q, K, V" is one
    r"|\bwhile\b|\bwhereas\b|\bwhich (?:makes|gives|means)\b|\bso that\b"
)
_CLAUSE_OF_LIST = re.compile(r"[;:.!?；：。]\s+|[；：。]")
_DRAWN = Wording(r"\bwhich (?:makes|gives|means)\b|\bso that\b")
_OF_THE_LAST = re.compile(r"(?:[a-zA-Z]+ ){1,5}(?:and|or)|[a-zA-Z ]{0,40},")
_DRAWS_ON = Wording(r",\s+((?:and )?(?:therefore|hence|thus|so))\W*\Z", re.IGNORECASE)
_NAMES_ITSELF = Wording(
    r"[$`)\\\s]*(?:FLOPs |bytes |parameters )?(?:per|for|in) [a-z]"
)  # 12Lcd per token in training
_SAYS_MORE = Wording(r"\s*(?:forward|backward|in bytes|per|for (?:one|each|a))\b[^.,;:]*", re.IGNORECASE)
_PRONOUN = Wording(r"\b(?:they|them|these|both)\b", re.IGNORECASE)
_RUN_IN = re.compile(r"(?:\*{1,2}(?=\S)[^*\n]{2,60}\*{1,2}\s+)+")  # **Q6.** *KV cache.* Per token …
_COUNTED_VALUES = Wording(r"\A\s*(?:values|entries)\b")  # "2bcd values" are no values of attention
_OPENING = re.compile(r"([A-Z][\w-]*(?: [\w-]+){0,3}): (?=[A-Za-z]{2})")
_IN_BOLD = re.compile(r"\*\*(?=[A-Z])([^*\n]{2,60})\*\*")  # **Activations**, bytes on one GPU: …
_AMOUNT = Wording(
    r"\b(?:param(?:eter)?s?|weights|flops?|elements|bytes|memory|numbers)\b", re.IGNORECASE
)  # of a column
_SAYS_NOTHING = Wording(r"values?|results?|numbers?|formula|arithmetic", re.IGNORECASE)  # above a column
_WIDE = re.compile(r"[\u4e00-\u9fff]")
SHORT = 48  # characters; words before a formula that are no longer are taken as one
_STOP = re.compile(
    r"\A(?:and|which|that|of which|while|where|plus|as|against)\s|[,;:.!?，；：。(（]|\s[–—-]\s"
    r"|\sand\s(?!backward|(?:per )?(?:layer|block|token|sequence)\b)"
    r"|\s(?:which|that|of which|while|where|plus|as|against)\s|\n\s*\n|\n[A-Z][\w ,]{0,30}:|[$`\\]"
)
_ASIDE = re.compile(r"\(([a-zA-Z][^()$`=]{3,90})\)")  # 2dh (gate and up)
_REMARK = re.compile(r"\([^()]*\)")
_SENTENCE_ASIDE = re.compile(r"\((?:it|we|they|this|which|I|you) [^()]*\)")  # has its own subject
_SENTENCE = re.compile(r"(?<=[.!?])\s+|[。；]")
_FORMULA = re.compile(r"\$+([^$]+)\$+|\\\(.+?\\\)|\\\[.+?\\\]|`([^`]*)`", re.DOTALL)
_MARKUP = re.compile(
    r"\\\\|\\(?:begin|end)\{\w+\*?\}(?:\{[^{}]*\})?|\\[\[\]()]|\\item\b|\\(?:textbf|emph|textit|text)\b|[*_{}]{1,2}|~"
)
_GOES_ON = re.compile(r"\A(?:[\s$`)}*]|\\[\])]|\\end\{\w+\*?\})*(?=[a-z\u4e00-\u9fff]|FLOPs?\b|GB\b|MB\b)")

_OF_ITS_PARTS = re.compile(
    r",? of (?:which|these|those|them)\b"
)  # what follows is of shares, not of the whole
_STARTS_ANEW = re.compile(r"[\s.]*(?:\$\$|\\\]|\\end\{\w+\*?\})\s*[A-Z][a-z]*\s")


def levels(document: Document, position: int) -> list[str]:
    """The words around the formula at a position of `document.spans`, the nearest first.

    The clause it stands in (or the row and column of its cell), what stands before and behind it up to its neighbours,
    its sentence, what introduces it, the headings above, and the title of the whole.
    """
    span = document.spans[position]
    before = _before(document, position)
    if span.row and not before.strip():  # of an alignment: what introduces its first row
        before = _before(document, max(0, position - span.row))
    after = _after(document, span)
    cell = span.block.cell
    introduction = [_last_sentence(lead) for lead in reversed(span.block.lead)]
    if cell is not None:
        column = "" if _SAYS_NOTHING.fullmatch(cell.column.strip()) else _clean(cell.column)
        nearest = f"{' | '.join(_row_words(document, span))} | {column} {before} {after}"
        wide = ""
    else:
        if not before.strip() and span.block.kind in ("math", "paragraph", "html") and introduction:
            before, introduction = introduction[0], introduction[1:]
        nearest = f"{_last_clause(before)} {after}"
        wide = before
    headings = span.block.headings[1:] or span.block.headings
    above = [_clean(heading) for heading in reversed(headings)]
    title = [_clean(span.block.headings[0])] if len(span.block.headings) > 1 else []
    return [
        nearest.strip(),
        wide.strip(),
        _sentence(document, position),
        *_referred(document, position),
        *introduction[:2],
        *_topic(document, span),
        *above[:2],
        *(TITLE + words for words in title),
    ]


def section(document: Document, span: Span) -> Iterator[Block]:
    """The block that a formula stands in and some of those before it in its section, the nearest first."""
    at = bisect_right(document.blocks, span.start, key=lambda block: block.start)
    back = map(
        document.blocks.__getitem__, range(at - 1, -1, -1)
    )  # a copy for each formula would be quadratic
    before = (block for block in back if block.kind != "heading")
    return islice(takewhile(lambda block: block.headings == span.block.headings, before), MOST_BLOCKS)


def _row_words(document: Document, span: Span) -> list[str]:
    """What the cells before a formula say in words, mere letters too where they are no amount."""
    cells = row_of(document, span)
    found = []
    for block in cells[: cells.index(span.block)]:
        if block.cell and _AMOUNT.search(block.cell.column) and _FORMULA.fullmatch(block.text.strip()):
            continue
        words = _clean(_FORMULA.sub(_tensors_or_dot, block.text)).replace("·", " ").strip(" |")
        if re.search(r"[^\W\d]", words):
            found.append(words)
    return found


def words_before(span: Span, most: int = 90) -> str:
    """What the sentence says before a formula, other formulas and all."""
    start = span.start - span.sentence.start
    return span.sentence.text[max(0, start - most) : max(0, start)]


def words_behind(document: Document, span: Span, most: int = 160) -> str:
    """The block of a formula and what follows it directly, where authors say what they left out."""
    return document.text[span.block.start : span.end + most]


def _before(document: Document, position: int) -> str:
    """The words before a formula, back to the formula before it; mere letters and "3×" on the way are words too."""
    span = document.spans[position]
    start = span.block.start
    for other in reversed(document.spans[max(0, position - 12) : position]):
        if other.block is not span.block:
            break
        if not (_is_words(other.text) or _UNFINISHED.search(other.text)) or other.start < span.sentence.start:
            start = other.end
            break
    within = start
    start = max(start, span.sentence.start) if span.sentence.start <= span.start else start
    words = span.block.text[start - span.block.start : span.start - span.block.start]
    if start == within > span.block.start and _OF_THE_LAST.fullmatch(_clean(words)):
        return ""  # "forward and" is said of the formula before it
    if (
        start == within > span.block.start
        and (drawn := _DRAWS_ON.search(words))
        and _NAMES_ITSELF.match(span.block.text, span.end - span.block.start)
    ):
        words = drawn[1]  # what comes before it is said of the formula before too
    if "\n" in words and _is_in_lines(document, span):
        line = words.rpartition("\n")[2]
        words = line if re.search(r"[^\W\d_]", line) else words
    return _clean(words).lstrip(" $`)]}.,;:")


def _is_words(text: str) -> bool:
    """Whether what looks like a formula is words for those about it: mere letters, or a setting, `recompute: full`."""
    return bool(LETTERS_ONLY.match(text) or _SETTING.match(text))


def _after(document: Document, span: Span) -> str:
    """The words behind a formula, to the end of their clause."""
    if span.display or span.block.kind == "math":
        tail = document.text[span.end : span.end + 120]
        goes_on = _GOES_ON.match(tail)
        if goes_on is None:
            return ""
        words = tail[goes_on.end() :]
    else:
        words = span.block.text[span.end - span.block.start :][:120].lstrip("$`)\\ ")
        if _is_in_lines(document, span):
            words = words.partition("\n")[0]
    words = _COUNTED_VALUES.sub("elements", words)
    aside = _ASIDE.match(words)
    if aside is not None:
        return _clean(aside[1])
    stop = _STOP.search(words)
    if stop is None:
        return _clean(words)
    told = words[: stop.start()]
    rest = words[stop.end() :] if stop.group().startswith(",") else ""
    more = _SAYS_MORE.match(rest)
    return _clean(f"{told} {more.group()}" if more else told)


def _is_in_lines(document: Document, span: Span) -> bool:
    """Whether each line around a formula stands for itself: in plain text, and where a paragraph goes on with indented ones."""
    return document.kind == "text" or (span.block.kind == "paragraph" and "\n  " in span.block.text)


def _topic(document: Document, span: Span) -> Iterator[str]:
    """What the nearest paragraph before a formula opens with, as a heading of its own: `Activations: we keep …`, or in bold."""
    for block in section(document, span):
        found = (_OPENING.match(block.text), _IN_BOLD.match(block.text)) if block.kind == "paragraph" else ()
        opening = next(filter(None, found), None)
        if opening is not None:
            yield TITLE + opening[1]
            return


def _last_clause(words: str) -> str:
    """The last clause of some words, and the one before it where it says nothing; a remark in brackets is no clause."""
    words = _REMARK.sub(lambda remark: re.sub(r"[,;:]", " ", remark.group()), words)
    enumerates = words.rstrip().endswith((":", "："))
    parts = [
        part
        for part in (_CLAUSE_OF_LIST if enumerates else _CLAUSE).split(words.rstrip(" ,;:.，；：。"))
        if part
    ]
    if not parts:
        return ""
    if not _DRAWN.search(words) and len(words) + 3 * len(_WIDE.findall(words)) < SHORT:
        return words
    return (
        parts[-1]
        if len(re.findall(r"[\u4e00-\u9fff]|[^\W\d_]{2,}", parts[-1])) > 1 or len(parts) == 1
        else " ".join(parts[-2:])
    )


def _tensors_or_dot(found: re.Match[str]) -> str:
    """In the cells before a formula, products of tensors are words too: `q @ k.T`."""
    return found[2] if found[2] and "@" in found[2] else _letters_or_dot(found)


def _letters_or_dot(found: re.Match[str]) -> str:
    """A formula that is mere letters is a word; any other is not looked into."""
    inside = next((group for group in found.groups() if group is not None), "·").strip("`")
    return inside if LETTERS_ONLY.match(inside) or re.fullmatch(r"[A-Za-z][\w.]*", inside) else "·"


def _last_sentence(words: str) -> str:
    words = _FORMULA.sub(_letters_or_dot, words)
    parts = [part for part in _SENTENCE.split(_clean(words)) if re.search(r"[^\W\d_]{2}", part)]
    return parts[-1] if parts else ""


def _sentence(document: Document, position: int) -> str:
    """The sentence of a formula without the formulas in it; mere letters are words too.

    A capital behind a displayed formula starts another one, and "of which …" is not of the formula before it.
    """
    span = document.spans[position]
    sentence = span.sentence
    words, first, last = sentence.text, 0, len(sentence.text)
    for other in document.spans[max(0, position - 12) : position + 12]:
        alone = other.display and not other.row
        if alone and sentence.start <= other.start and _STARTS_ANEW.match(document.text, other.end):
            if other.end <= span.start:
                first = other.end - sentence.start
            elif other.start >= span.start:
                last = min(last, other.end - sentence.start)
        if sentence.start <= other.start and other.end <= sentence.end and not _is_words(other.text):
            start, end = other.start - sentence.start, other.end - sentence.start
            words = f"{words[:start]}{'·' * (end - start)}{words[end:]}"
    parts = _OF_ITS_PARTS.search(words, max(first, span.end - sentence.start), last)
    last = parts.start() if parts is not None else last
    return _clean(re.sub("·+", "·", words[first:last]))


def _referred(document: Document, position: int) -> list[str]:
    """What a paragraph opens with in bold or slanted letters, or the sentence before where a formula's own speaks of it."""
    span = document.spans[position]
    run_in = _RUN_IN.match(span.block.text)
    if run_in is not None and span.block.kind != "heading":
        return [_clean(run_in.group())]
    if span.block.cell is not None or not _PRONOUN.search(span.sentence.text):
        return []
    ahead = span.block.text[: max(0, span.sentence.start - span.block.start)]
    before = _last_sentence(ahead)
    return [before] if before else []


def _clean(words: str) -> str:
    plain = _SENTENCE_ASIDE.sub(" ", words).replace("$", " ").replace("`", " ")
    return " ".join(_MARKUP.sub(" ", plain).split())
