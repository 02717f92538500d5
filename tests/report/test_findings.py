"""Check reports: what is wrong first, each with what was written, what is derived, and why."""

import pytest
from markdown_it import MarkdownIt

from symcost.errors import UsageError
from symcost.report import findings_document, write

WRONG = {
    "file": "notes.md",
    "line": 3,
    "column": 2,
    "text": "N_B = 20bcd",
    "verdict": "differs",
    "code": "SC201",
    "quantity": "saved_activations",
    "scope": "block",
    "convention": "textbook",
    "document": "20*b*c*d",
    "derived": "20*b*c*d + b*h*c**2",
    "difference": "b*h*c**2",
    "message": "missing bhc² = P: attention.P keeps its own result",
    "pairs": [],
}
RIGHT = WRONG | {
    "line": 1,
    "text": "4*N_p",
    "verdict": "holds",
    "code": "SC102",
    "message": "parameter memory",
    "difference": "",
}
UNREAD = WRONG | {
    "line": 2,
    "text": "$x",
    "verdict": "unchecked",
    "code": "SC303",
    "message": "broken markup",
    "document": "",
}
SOURCE = "we need 4*N_p bytes\n$x\n$N_B = 20bcd$ for each block\n"


def titles(made):
    return ["".join(getattr(piece, "text", piece) for piece in section.title) for section in made.sections]


def test_what_is_wrong_comes_first():
    made = findings_document([RIGHT, UNREAD, WRONG], SOURCE)
    assert titles(made) == [
        "Summary",
        "What differs",
        "line 3: N_B = 20bcd",
        "What could not be checked",
        "What holds",
    ]
    assert made.title == "What symcost finds in notes.md"
    assert made.summary == ("notes.md: differs 1, unchecked 1, holds 1",)


@pytest.mark.parametrize("name", ["md", "html", "text"])
def test_both_forms_the_difference_and_the_reason_are_shown(name):
    text = write(findings_document([WRONG], SOURCE), name)
    for words in ("N_B = 20bcd", "for each block", "SC201", "attention.P"):
        assert words in text.replace("\\", "")


def test_forms_are_printed_as_a_lecturer_writes_them():
    text = write(findings_document([WRONG], SOURCE), "md")
    assert "| derived | $`20bcd+bhc^2`$ |" in text
    assert "| difference | $`bhc^2`$ |" in text


def test_a_form_that_is_none_is_shown_as_it_stands():
    text = write(findings_document([WRONG | {"derived": "32 GiB?"}], SOURCE), "md")
    assert "| derived | `32 GiB?` |" in text


@pytest.mark.parametrize(
    ("text", "set_as_formula"),
    [
        (r"\frac{4N_A}{b} = 3 \cdot 2", True),
        (r"16\times(2dv+d)", True),
        (r"\input{/etc/passwd}", False),
        (r"\frac{1}{2}\write18{x}", False),
        (r"\frac{1}{2} % rest", False),
        (r"\times `$", False),
        (r"\frac{1}", False),
        ("plain words", False),
    ],
)
def test_latex_that_only_sets_signs_is_shown_as_a_formula(text, set_as_formula):
    shown = write(findings_document([WRONG | {"text": text}], SOURCE), "md")
    assert (f"| written | $`{text}`$ |" in shown) is set_as_formula


def test_numbers_are_grouped():
    assert "$`3{,}020`$" in write(findings_document([WRONG | {"derived": "3020"}], SOURCE), "md")


def test_places_name_their_file_where_there_are_several():
    made = findings_document(
        [WRONG, WRONG | {"file": "other.md"}], {"notes.md": SOURCE, "other.md": "\n\nelsewhere\n"}
    )
    assert "notes.md:3:2: N_B = 20bcd" in titles(made)
    assert "elsewhere" in write(made, "md")


def test_a_clean_document_is_told_so():
    assert "No formula is proven wrong." in write(findings_document([RIGHT], SOURCE), "text")


@pytest.mark.parametrize("name", ["md", "html", "tex"])
def test_what_a_document_holds_does_nothing_in_the_report(hostile, name):
    made = findings_document(
        [WRONG | {"text": hostile, "message": hostile, "fix": hostile, "file": hostile}], hostile * 3
    )
    text = write(made, name)
    if name == "html":
        assert "<img" not in text and "<script" not in text
    elif name == "md":
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
        assert len([token for token in tokens if token.type == "heading_open"]) == 1 + len(made.sections)
        assert not [
            child for token in tokens for child in token.children or () if child.type == "html_inline"
        ]
    else:
        assert "\\input{" not in text


def test_a_documents_long_line_is_cut():
    text = write(findings_document([WRONG], "\n\n" + "x" * 1000), "md")
    assert "x" * 150 in text and "x" * 201 not in text


def test_many_documents_are_counted_in_the_title():
    made = findings_document([WRONG | {"file": f"{at}.md"} for at in range(9)])
    assert made.title == "What symcost finds in 9 documents"


def test_what_could_not_be_read_is_told():
    text = write(
        findings_document([RIGHT], SOURCE, unread=["x.md: expected UTF-8 text, found other bytes."]), "text"
    )
    assert "could not be read" in text and "x.md: expected UTF-8 text" in text


def test_a_notebook_of_nothing_to_run_is_refused():
    with pytest.raises(UsageError, match="found none"):
        write(findings_document([WRONG], SOURCE), "ipynb")
