"""Slides: in the lecture's order, one idea each, and nothing hangs over the edge."""

import pytest

from symcost.report import document, write
from symcost.report.blocks import Table, line
from symcost.report.slides import ROOM, height, slides

LLAMA = {
    "given": {"b": 1, "c": 8192, "D": 15 * 10**12, "n": 1024, "MFU": 0.4},
    "gpu": "h100-sxm",
    "precision": "mixed-16",
}


def test_slides_keep_the_order_of_the_sections(lecture):
    titles = [slide.title for slide in slides(lecture)]
    assert list(dict.fromkeys(titles)) == [section.title for section in lecture.sections]


def test_no_row_is_lost_when_a_table_is_cut(lecture):
    def rows(parts):
        return [
            row for part in parts for block in part.blocks if isinstance(block, Table) for row in block.rows
        ]

    assert rows(slides(lecture)) == rows(lecture.sections)


def test_a_slide_holds_no_more_than_it_has_room_for(lecture):
    assert all(sum(map(height, slide.blocks)) <= ROOM for slide in slides(lecture) if len(slide.blocks) > 1)


def test_a_cell_with_two_lines_is_taller():
    from symcost.report.blocks import Break

    short, tall = (Table(("a",), (row,), "w") for row in ((line("x"),), (line("x", Break(), "y"),)))
    assert height(tall) > height(short)


@pytest.mark.parametrize(("model", "options"), [("cs190c", {}), ("llama-3-8b", LLAMA)])
def test_marps_own_engine_renders_every_slide_and_none_runs_over(node, chromium, tmp_path, model, options):
    made = document(model, **options)
    deck, page = tmp_path / "deck.md", tmp_path / "deck.html"
    deck.write_text(write(made, "marp"), encoding="utf-8")
    seen = node("slides.js", deck, page)
    assert seen["slides"] == len(slides(made)) + 1  # and the title's
    assert seen["formulas"] > 200
    assert (seen["faults"], seen["images"]) == (0, 0)
    assert node("browse.js", chromium, page)["overfull"] == []
