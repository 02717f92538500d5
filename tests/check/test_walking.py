"""Which documents are read, in which order, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symcost.check.walking import LARGEST, Patterns, documents, read_bytes
from symcost.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    def make(*names: str, **contents: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(contents.get(path.stem, ""), encoding="utf-8")
        return tmp_path

    return make


def read(top: Path, patterns: Patterns | None = None) -> list[str]:
    return [Path(str(each)).relative_to(top).as_posix() for each in documents([str(top)], patterns)]


def test_a_folder_is_walked_in_the_order_of_names_and_only_documents_are_read(folder):
    top = folder("b.md", "a.tex", "c/d.ipynb", "c/a.rst", "e.png", "f.py", ".git/x.md", "node_modules/y.md")
    assert read(top) == ["a.tex", "b.md", "c/a.rst", "c/d.ipynb"]
    assert "f.py" in read(top, Patterns(docstrings=True))


def test_what_gitignore_leaves_out_is_not_read(folder):
    top = folder("a.md", "build/b.md", "c/draft.md", "c/kept.md", "c/deep/draft.md")
    (top / ".git").mkdir()
    (top / ".gitignore").write_text("build/\ndraft.md\n", encoding="utf-8")
    (top / "c" / ".gitignore").write_text("!/draft.md\n", encoding="utf-8")
    assert read(top) == ["a.md", "c/draft.md", "c/kept.md"]


def test_a_gitignore_above_the_folder_counts_inside_its_repository(folder):
    top = folder("docs/a.md", "docs/b.md")
    (top / ".git").mkdir()
    (top / ".gitignore").write_text("/docs/a.md\n", encoding="utf-8")
    assert read(top / "docs") == ["b.md"]


def test_the_patterns_of_a_project_choose_documents(folder):
    top = folder("a.md", "docs/a.md", "docs/old/a.md")
    assert read(top, Patterns(("docs/",), ("old/",), top)) == ["docs/a.md"]


def test_a_corpus_is_known_by_its_claims(folder):
    top = folder("claims.toml", "pyproject.toml", claims="[[claim]]\n")
    assert read(top) == ["claims.toml"]


def test_a_document_named_twice_is_read_once(folder):
    top = folder("a.md")
    assert list(documents([str(top / "a.md"), str(top)])) == [str(top / "a.md")]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_links_in_a_circle_come_to_an_end(folder):
    top = folder("a/b.md")
    (top / "a" / "round").symlink_to(top)
    assert read(top) == ["a/b.md"]
    (top / "a" / "self.md").symlink_to(top / "a" / "self.md")
    assert read(top, Patterns(exclude=("old/",), folder=top)) == ["a/b.md", "a/self.md"]


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_read(folder, monkeypatch):
    top = folder("a/b.md", "c/d.md")
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    read_one, refused = documents([str(top)])
    assert read_one == str(top / "c" / "d.md")
    assert refused.why == f"{top / 'a'}: expected a readable folder, found: Permission denied."


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as told:
        read_bytes(str(path))
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    assert "found a pipe" in refusal(tmp_path / "pipe.md")


def test_what_is_no_readable_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    with (tmp_path / "large.md").open("wb") as file:
        file.truncate(50 * 2**20)
    (tmp_path / "round.md").symlink_to(tmp_path / "round.md")
    assert "found other bytes at 3" in refusal(tmp_path / "latin.md")
    assert f"at most {LARGEST:,} bytes, found 52,428,800" in refusal(tmp_path / "large.md")
    assert "symbolic link" in refusal(tmp_path / "round.md")
    assert "found no such file. Did you mean 'round.md'?" in refusal(tmp_path / "sound.md")
    assert f"found no such file. There is no folder {tmp_path / 'gone'}." in refusal(
        tmp_path / "gone" / "a.md"
    )
    assert "found a folder" in refusal(tmp_path)
    assert "NUL" in refusal(Path("a\0b.md"))
