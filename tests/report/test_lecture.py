"""The report of a model: its sections, and the lecture's numbers in them."""

import re

import pytest

import symcost
from symcost.report import document
from symcost.report.blocks import Equation, Substitution, Table


def section(made, title):
    return next(
        each
        for each in made.sections
        if "".join(getattr(piece, "text", piece) for piece in each.title) == title
    )


def results(made):
    """Every substitution of a document, by the name on its left."""
    found = [block for each in made.sections for block in each.blocks if isinstance(block, Substitution)]
    return {block.name.text: block for block in reversed(found)}


def said(made):
    """All words and formulas of a document, without thousands' commas."""

    def words(line):
        return "".join(
            getattr(piece, "text", piece) if not hasattr(piece, "kind") or piece.kind != "break" else " "
            for piece in line
        )

    lines = [
        line
        for each in made.sections
        for block in each.blocks
        for line in getattr(block, "lines", (getattr(block, "line", ()),))
    ]
    return " ".join(map(words, lines)).replace(",", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [  # CS190C 2026, lecture 9, with the numbers of its parts 3 and 4
        ("N", "266,888,192 parameters"),
        ("N_A", "336,855,040 elements"),
        ("M_peak", "5,617,631,232 B ≈ 5.232 GiB"),
        ("F_step", "1,480,935,201,792 FLOPs ≈ 1.481 × 10¹² FLOPs"),
        ("steps", "502,930 steps"),
        ("T_training", "10,460.76 s = 2.906 h"),
    ],
)
def test_the_lectures_numbers_come_out(lecture, name, value):
    assert results(lecture)[name].value.text == value


def test_the_peak_stands_in_names_and_as_on_the_slide(lecture):
    assert [form.text for form in results(lecture)["M_peak"].letters] == [
        "M_parameters + M_gradients + M_optimizer + M_activations",
        "16N + 4N_A",
        "L(256d² + 32d + 80bcd + 4bhc²) + (32dv + 16d + 8bcd + 4bcv)",
    ]


def test_the_largest_batch_is_turned_round_in_names_letters_and_gibibytes(lecture):
    largest = section(lecture, "The largest batch on rtx-3090")
    shown = next(block for block in largest.blocks if isinstance(block, Substitution))
    assert [form.text for form in shown.forms] == [
        "⌊(M − 16N)/(4N_A/b)⌋",
        "⌊(M − (L(256d² + 32d) + (32dv + 16d)))/(L(80cd + 4hc²) + (8cd + 4cv))⌋",
        "⌊(24 GiB − 3.977 GiB)/0.3137 GiB⌋",
        "⌊63.82⌋",
        "63 sequences",
    ]


def test_the_shortcut_of_the_slide_is_called_unsafe_with_its_numbers(lecture):
    """The deck's approximation gives 65, where 58 fit in 24·10⁹ bytes and 63 in 24 GiB."""
    words = said(lecture)
    assert "Unsafe." in words
    assert "promises 65 sequences where 58 fit (63 with 24 GiB)" in words


def test_the_number_that_the_slide_prints_is_explained_by_its_rounded_coefficient(lecture):
    """3.617·10⁻⁶ · 1,480,935,201,792 / (1,024 · 0.5), worked out by hand."""
    assert pytest.approx(10_461.9973, abs=5e-5) == 3617 * 1_480_935_201_792 / 10**9 / 512
    assert "to 3.617 × 10⁻⁶ first which gives 10461.9973 s" in said(lecture)


def test_every_layer_of_the_tree_stands_under_its_parent(lecture):
    tree = next(
        block for block in section(lecture, "The model, layer by layer").blocks if isinstance(block, Table)
    )
    rows = [
        ("".join(piece.text for piece in row[0]), depth)
        for row, depth in zip(tree.rows, tree.indent, strict=True)
    ]
    assert rows == [
        ("model", 0), ("embedding", 1), ("block", 1), ("norm_1", 2), ("attention", 2),
        ("norm_2", 2), ("mlp", 2),
        ("final_norm", 1), ("head", 1),
    ]  # fmt: skip


def test_the_parts_of_the_tree_add_up_to_the_whole(lecture):
    tree = next(
        block for block in section(lecture, "The model, layer by layer").blocks if isinstance(block, Table)
    )
    for column in (3, 5):
        model, embedding, block, *layers, final_norm, head = [
            int(row[column][0].text.replace(",", "")) for row in tree.rows
        ]
        assert block == sum(layers)
        assert model == embedding + 12 * block + final_norm + head


def test_where_numbers_lack_forms_stand_alone(letters):
    blocks = [block for each in letters.sections for block in each.blocks]
    assert any(isinstance(block, Equation) for block in blocks)
    assert not any(isinstance(block, Substitution) for block in blocks)
    assert "Results" not in [each.title[0] for each in letters.sections]


def test_what_is_computed_again_is_named_and_left_out_of_the_models_work():
    made = document("cs190c", under="textbook+flash+checkpoint")
    (run,) = (
        block
        for block in section(made, "Training time").blocks
        if getattr(block, "name", None) and block.name.text == "T_training"
    )
    assert run.forms[0].text == "D·epochs·(F_step − F_again)/(bcn·MFU·peak)"


def test_letters_are_those_of_the_notation_asked_for():
    made = document("gpt", under="megatron-2022", notation="megatron", given={"d_ff": "4*d"})
    saved = next(
        block
        for each in made.sections
        for block in each.blocks
        if getattr(block, "name", None) and block.name.text == "M_block"
    )
    assert saved.forms[0].text == "34sbh + 5as²b"  # Korthikanti et al. 2022, equation 1


def test_what_does_not_fit_is_said_with_what_is_missing():
    made = document("llama-3-8b", given={"b": 1, "c": 8192}, gpu="rtx-3090")
    assert re.search(r"Not one sequence fits: [\d.]+ GiB are missing", said(made))


def test_options_of_a_convention_are_listed_with_their_sources():
    assert "Option +flash" in said(document("cs190c", under="textbook+flash"))


def test_a_gpu_brings_its_peak_and_its_price_with_their_source():
    made = document(
        "llama-3-8b", given={"b": 1, "c": 8192, "D": 10**9, "MFU": 0.5}, gpu="h100-sxm", precision="mixed-16"
    )
    assert "p5.48xlarge" in said(made)
    assert results(made)["cost"].letters[0].text == "price·H"


def test_what_kinds_of_block_have_alike_is_told_once():
    """DeepSeek-V3: dense blocks and blocks with experts have the same attention."""
    made = document("deepseek-v3")
    titles = [[piece.text for piece in each.title if not isinstance(piece, str)] for each in made.sections]
    assert ["block.dense.attention", "block.moe.attention"] in titles
    assert ["block.dense.mlp"] in titles

    (parameters,) = (block for block in section(made, "Parameters").blocks if block.kind == "table")
    labels = [piece.text for row in parameters.rows for piece in row[0] if piece.kind == "code"]
    assert len(labels) == len(symcost.derive("deepseek-v3")["parameters"].terms) > len(parameters.rows)
    (products,) = (block for block in section(made, "FLOPs of the products").blocks if block.kind == "table")
    assert [piece.text for piece in products.rows[0][0] if piece.kind == "code"] == [
        "block.dense.attention.C_Q", "block.moe.attention.C_Q",
    ]  # fmt: skip
    assert products.rows[0][-1][0].text == "L_dense + L_moe"
