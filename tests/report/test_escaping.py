"""What users write is shown sign by sign, and does nothing."""

import pytest

from symcost.report.escaping import html, markdown, markdown_code, mathml, plain, tex, tex_code


@pytest.mark.parametrize(
    ("escape", "written", "harmless"),
    [
        (html, "</script>", "&lt;/script&gt;"),
        (html, 'a"b', "a&quot;b"),
        (markdown, "</script> $x$ | a_b", r"\</script\> \$x\$ \| a\_b"),
        (markdown, "# no heading", r"\# no heading"),
        (markdown, "- no item", r"\- no item"),
        (markdown, "12. no item", r"12\. no item"),
        (markdown, "two\nlines", "two lines"),
        (markdown, "&lt;", "&amp;lt;"),
        (tex, r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        (tex, "50 % & $5 #1 a_b ^~", r"50 \% \& \$5 \#1 a\_b \textasciicircum{}\textasciitilde{}"),
        (tex, "[x] *", "{[}x{]} {*}"),
        (tex, "Größe é", r"Gr\"{o}\ss{}e \'{e}"),
        (tex, "10¹⁷ −", r"10\ensuremath{^1}\ensuremath{^7} \ensuremath{-}"),
        (tex, "中", "{[}U+4E2D{]}"),
        (plain, "a\x1b[31m\x00b\nc", "a[31mb c"),
    ],
)
def test_a_text_is_escaped(escape, written, harmless):
    assert escape(written) == harmless


@pytest.mark.parametrize("code", ["a`b", "`", "``x", "a|b", "", "  "])
def test_a_code_span_is_closed_by_its_own_fence_alone(code):
    from markdown_it import MarkdownIt

    (paragraph,) = [
        token for token in MarkdownIt().parse(markdown_code(code) + " after") if token.type == "inline"
    ]
    assert [child.type for child in paragraph.children] == ["code_inline", "text"]
    assert paragraph.children[1].content == " after"


def test_typewriter_names_may_be_broken_after_a_point():
    assert tex_code("block.mlp") == r"\texttt{block.\allowbreak{}mlp}"


def test_a_formula_keeps_its_latex_beside_the_mathml():
    assert mathml("bhc^2").startswith('<math alttext="bhc^2"><mi>b</mi>')
    assert mathml('"<').startswith('<math alttext="&quot;&lt;">')


def test_a_number_is_one_element():
    """A reader, and a program that reads aloud, meets 1,024² and not 1 and 024²."""
    assert "<msup><mn>1,024</mn><mn>2</mn></msup>" in mathml("12\\cdot1{,}024^2")
    assert "<mn>671,026,404,352</mn>" in mathml("671{,}026{,}404{,}352")
    assert mathml(r"\max\left(b,1{,}024\right)").count("<mn>") == 1


def test_latex_that_cannot_be_read_is_shown_as_it_stands():
    assert mathml(r"\nosuch{<b>}") == r"<code>\nosuch{&lt;b&gt;}</code>"
