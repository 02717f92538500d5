"""LaTeX that compiles with the base installation alone."""

import re
import subprocess

import pytest

from symcost.errors import UsageError
from symcost.report import document, pdf, write
from symcost.report.pdf import compiled

BASE = {
    "inputenc",
    "geometry",
    "amsmath",
    "array,longtable",
    "graphicx",
    "hyperref",
}  # latex-base, amsmath and tools
REPORTS = {
    "lecture": ("cs190c", {}),
    "letters": ("gpt", {"under": "megatron-2022", "notation": "kaplan"}),
    "long": ("llama-3-8b", {"under": "torch-eager+flash", "precision": "mixed-16", "gpu": "h100-sxm",
                            "given": {"b": 1, "c": 8192, "D": 15 * 10**12, "n": 1024, "MFU": 0.4}}),
}  # fmt: skip


def test_only_packages_of_the_base_installation_are_used(lecture):
    assert set(re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", write(lecture, "tex"))) == BASE


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_runs_more_than_20_points_over_the_margin(pdflatex, tmp_path, name):
    model, options = REPORTS[name]
    (tmp_path / "report.tex").write_text(write(document(model, **options), "tex"), encoding="utf-8")
    command = [pdflatex, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert [over for over in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(over) > 20] == []


def test_a_fragment_is_read_in_by_another_document(pdflatex, lecture):
    fragment = write(lecture, "fragment")
    packages = r"\usepackage{amsmath,array,longtable,hyperref}"
    around = rf"\documentclass{{article}}{packages}\begin{{document}}%s\end{{document}}"
    assert compiled(around % fragment).startswith(b"%PDF")


def test_the_same_document_gives_the_same_pdf(pdflatex, lecture):
    one, other = write(lecture, "pdf"), write(lecture, "pdf")
    assert one.startswith(b"%PDF")
    assert one == other


def test_latex_may_read_no_file_from_outside(pdflatex):
    with pytest.raises(UsageError, match="expected LaTeX that compiles"):
        compiled(r"\documentclass{article}\begin{document}\input{/etc/passwd}\end{document}")


def test_without_pdflatex_it_says_how_to_get_it(monkeypatch, lecture):
    monkeypatch.setattr("shutil.which", lambda program: None)
    with pytest.raises(UsageError, match=r"expected the program pdflatex, found none.*texlive-latex-base"):
        write(lecture, "pdf")


def test_latex_that_does_not_end_is_stopped(monkeypatch, pdflatex):
    monkeypatch.setattr(pdf, "SECONDS", 0.001)
    with pytest.raises(UsageError, match="to end within"):
        compiled(r"\documentclass{article}\begin{document}x\end{document}")
