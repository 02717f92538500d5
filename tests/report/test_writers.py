"""Formats: the same numbers in each, the same bytes every time, and nothing that users wrote takes effect."""

import ast
import dataclasses
import os
import re
import subprocess
import sys
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin

import symcost
from symcost.errors import UnknownName, UsageError
from symcost.report import FORMATS, document, format_of, report, report_files, write, write_files

TEXTS = [name for name in FORMATS if name != "pdf"]


@pytest.mark.parametrize(
    "name", [name for name in TEXTS if name != "ipynb"]
)  # a notebook finds its numbers itself
def test_the_same_numbers_stand_in_every_format(lecture, name):
    signs = re.sub(
        r"\{,\}|(?<=\d),(?=\d{3})|<mo[^>]*>,</mo>|</?m[no][^>]*>", lambda _: "", write(lecture, name)
    )
    for number in ("266888192", "336855040", "5617631232", "1480935201792", "502930", "10460.76"):
        assert number in signs


def test_the_same_document_gives_the_same_bytes_in_another_process(lecture):
    code = (
        "from hashlib import sha256\nfrom symcost.report import FORMATS, document, write\n"
        "made = document('cs190c')\n"
        "print({name: sha256(write(made, name).encode()).hexdigest() for name in FORMATS if name != 'pdf'})"
    )
    here = {name: sha256(write(lecture, name).encode()).hexdigest() for name in TEXTS}
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert ast.literal_eval(done.stdout) == here, done.stderr


@pytest.mark.parametrize("name", TEXTS)
def test_no_format_has_signs_that_steer_a_terminal(lecture, name, hostile):
    made = document(dataclasses.replace(symcost.load("cs190c"), name=hostile, source=hostile))
    assert "\x1b" not in write(made, name)


@pytest.mark.parametrize("name", ["md", "myst", "marp"])
def test_markdown_shows_a_hostile_name_and_does_nothing_of_it(hostile, name):
    engine = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
    honest = engine.parse(write(document("cs190c"), name))
    model = dataclasses.replace(symcost.load("cs190c"), name=hostile, source="one\n\n# two\n\n- three")
    tokens = engine.parse(write(document(model, given=GIVEN, gpu="rtx-3090"), name))
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert not any("two" in title for title in titles)
    inline = [child for token in tokens if token.type == "inline" for child in token.children]
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<br>"}
    assert [token.type for token in tokens if token.type == "table_open"] == [
        token.type for token in honest if token.type == "table_open"
    ]
    shown = "".join(child.content for child in inline if child.type in ("text", "code_inline"))
    assert "<img src=x onerror=alert(1)> \\input{/etc/passwd} $x$ | a_b `c` **d**" in shown


GIVEN = {
    "b": 4,
    "c": 256,
    "d": 1024,
    "h": 16,
    "L": 12,
    "v": 32000,
    "D": 103_000_000,
    "epochs": 5,
    "n": 4,
    "MFU": 0.5,
}


class Page(HTMLParser):
    """The tags of a page, its links, its ids and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
            (self.ids if key == "id" else self.links if key in ("href", "src") else []).append(value)

    def handle_data(self, data):
        self.words.append(data)


def test_a_page_shows_a_hostile_name_and_does_nothing_of_it(hostile):
    page = Page(
        write(document(dataclasses.replace(symcost.load("cs190c"), name=hostile, source=hostile)), "html")
    )
    assert not {"img", "iframe", "object", "link"} & set(page.tags)
    assert page.tags.count("script") == 2  # the page's own: its data and what computes
    assert "<img src=x onerror=alert(1)> \\input{/etc/passwd} $x$ | a_b" in "".join(page.words)


def test_a_page_asks_for_nothing_outside_and_its_contents_lead_somewhere(lecture):
    text = write(lecture, "html")
    page = Page(text)
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in text
    assert page.links and all(link.startswith("#") for link in page.links)
    headings = [each for each in page.ids if each not in ("live", "live-data")]
    assert {link[1:] for link in page.links} == set(headings)
    assert len(headings) == len(set(headings)) == len(lecture.sections)


def test_every_formula_of_a_page_keeps_its_latex(lecture):
    page = Page(write(lecture, "html"))
    assert page.tags.count("math") == write(lecture, "html").count("<math alttext=") > 100


def test_latex_is_written_without_a_command_that_users_brought(hostile):
    made = document(dataclasses.replace(symcost.load("cs190c"), name=hostile, source=hostile))
    for name in ("tex", "fragment"):
        text = write(made, name)
        assert not re.search(r"(?<!by )\\(input|include|write|openin|def|csname)\b", text)
        assert "\\textbackslash{}input\\{/" in text


def test_a_fragment_is_the_body_of_the_whole_document(lecture):
    fragment = write(lecture, "fragment").split("\n", 1)[1].strip()
    assert fragment in write(lecture, "tex")
    assert "\\documentclass" not in fragment


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(UnknownName, match=r"'htm' is not a format. Did you mean 'html'\?"):
        format_of("htm")


# Templates of one's own.


def folder(tmp_path, text, ending="md"):
    (tmp_path / f"document.{ending}.j2").write_text(text)
    return tmp_path


def test_a_template_of_ones_own_is_a_format(tmp_path, hostile):
    mine = folder(
        tmp_path,
        '{% from "md/pieces.j2" import line %}{{ document.title }}: {{ line(document.sections[0].title) }}',
    )
    assert report("cs190c", to="mine", templates=mine) == "What it costs to train cs190c: Results\n"
    named = dataclasses.replace(symcost.load("cs190c"), name=hostile)
    assert "\\<img" in report(named, to="mine", templates=mine)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ document.__class__.__init__.__globals__ }}",
        "{{ 'a' * 10**9 }}",
        "{{ 'aaaaaaaaaa' * 100000 }}",
        "{{ 9**9**9 }}",
        "{% for i in range(10000000000) %}{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{{ nobody.knows }}",
        "{% broken",
    ],
)
def test_a_template_of_ones_own_runs_in_a_sandbox(tmp_path, attack):
    with pytest.raises(UsageError, match=r"expected a template that renders"):
        report("cs190c", to="mine", templates=folder(tmp_path, attack))


def test_a_folder_without_a_template_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"expected one template, document\.md\.j2, .*found none"):
        report("cs190c", to="mine", templates=tmp_path)
    with pytest.raises(UsageError, match="expected a folder"):
        report("cs190c", to="mine", templates=tmp_path / "nowhere")


# Files.


def test_a_report_in_several_formats_is_a_file_for_each(tmp_path):
    made = report_files("cs190c", to="md, html,text", output=tmp_path / "new" / "folder", plots=False)
    assert [path.name for path in made] == ["cs190c.md", "cs190c.html", "cs190c.txt"]
    assert made[0].read_text(encoding="utf-8") == report("cs190c")


def test_files_are_written_all_or_none(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_text("before")
    with pytest.raises(UsageError, match="found a directory"):
        write_files({tmp_path / "a": "after", tmp_path / "b": "new"})
    assert (tmp_path / "a").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_models_name_is_no_way_out_of_the_folder(tmp_path):
    model = dataclasses.replace(symcost.load("cs190c"), name="../../etc/x y")
    (path,) = report_files(model, output=tmp_path)
    assert path.parent == tmp_path and path.name == "etc-x-y.md"


def test_a_document_made_before_is_written_as_well(lecture, tmp_path):
    (path,) = report_files(lecture, to=["text"], output=tmp_path)
    assert path.name == "cs190c.txt"
    assert path.read_text(encoding="utf-8") == write(lecture, "text")


def test_only_a_notebook_can_be_executed(tmp_path):
    with pytest.raises(UsageError, match="expected the format ipynb"):
        report_files("cs190c", to="md", execute=True, output=tmp_path)
    assert not list(tmp_path.iterdir())
