"""Plots: what the title says is true, the text is text, and the same picture has the same bytes."""

import re
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from math import prod

import pytest

import symcost
from symcost.errors import MissingValue, NoLimit, UsageError
from symcost.report import document, plots, report_files, write
from symcost.report.pictures import with_pictures
from symcost.training import rank

NUMBERS = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}  # CS190C 2026, lecture 9, part 3
RUN = {**NUMBERS, "b": 4, "D": 103_000_000, "epochs": 5, "MFU": Fraction(1, 2), "peak": 35_600_000_000_000}


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


@pytest.fixture(scope="module")
def pictures(costs):
    limit = symcost.solve(costs["peak_memory"], "b", at_most="24 GiB", given=NUMBERS)
    values = [256 * 2**power for power in range(7)]
    return {
        "memory": plots.memory_against(limit),
        "frontier": plots.frontier(
            costs["peak_memory"], "b", "c", at_most=24 * 2**30, values=values, given=NUMBERS
        ),
        "shares": plots.shares_against(
            costs["forward_flops"], "c", [1000 * 2**power for power in range(8)], {**NUMBERS, "b": 1}
        ),
        "saved": plots.saved_by_tensor(costs["saved_activations"], {**NUMBERS, "b": 4}),
        "measured": plots.derived_against_measured([("a", 10, 10), ("b", 2000, 1999)], "bytes"),
        "scaling": plots.scaling(
            rank(
                "llama-2-7b",
                symcost.GPUS["a100-80gb"],
                gpus=[1, 8, 64],
                global_batch=64,
                given={"c": 4096},
                links={"dp": 10**9},
            )
        ),
        "time": plots.time_and_cost(
            costs["training_time"], costs["cost"], [1, 2, 4, 8], {**RUN, "price": Fraction(1, 2)}
        ),
    }


def title(figure):
    return figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        # CS190C 2026, lecture 9, part 3: 63 sequences on 24 GiB, where activations take 24 − 3.977 GiB.
        ("memory", "b = 63 fits 24 GiB; saved activations take 83 %"),
        ("frontier", "At c = 4,096, b = 1 fits 24 GiB; from c = 8,192 on not even one"),
        # 32bcd² = 4bc²d where c = 8d.
        ("shares", "Score and value products catch up with all linear layers at c = 8,192"),
        # hc = 16·256 = 4d: the weights are as large as what the feed-forward layer keeps.
        ("saved", "P, G, H and U are the largest, each 14.9 % of saved activations"),
        ("measured", "1 of 2 derived values equal the measured ones exactly"),
        # Lecture 9, part 4: 10,461.9974 s on four cards, so half of that on eight.
        ("time", "8 GPUs take 1.45 hours; the cost stays the same"),
    ],
)
def test_the_title_states_the_finding(pictures, name, says):
    assert title(pictures[name]) == says


def test_every_plot_is_among_those_looked_at(pictures):
    made = {
        "memory_against",
        "frontier",
        "shares_against",
        "saved_by_tensor",
        "scaling",
        "derived_against_measured",
        "time_and_cost",
    }
    public = {name for name, each in vars(plots).items() if getattr(each, "__module__", "") == plots.__name__}
    assert {name for name in public if not name.startswith("_")} - {"save", "drawn"} == made
    assert len(pictures) == len(made)


@pytest.mark.parametrize("name", ["memory", "frontier", "shares", "saved", "scaling", "measured", "time"])
def test_both_axes_say_what_they_show(pictures, name):
    for axes in pictures[name].axes:
        assert axes.get_ylabel() or name == "saved"
    assert pictures[name].axes[0].get_xlabel()


@pytest.mark.parametrize("name", ["memory", "frontier", "shares", "saved", "scaling", "measured", "time"])
def test_text_stays_text_and_the_bytes_are_the_same_again(pictures, name):
    svg = plots.drawn(pictures[name])
    assert plots.drawn(pictures[name]) == svg
    assert f">{title(pictures[name])}</text>" in svg.decode()
    assert b"<script" not in svg


def test_the_curve_of_the_frontier_is_what_solve_answers(pictures):
    """Each is the largest: it fits in whole bytes, and one sequence more does not."""
    (steps, points) = pictures["frontier"].axes[0].get_lines()
    memory = symcost.derive("cs190c")["peak_memory"]
    for c, b in zip(points.get_xdata(), points.get_ydata(), strict=True):
        here = {**NUMBERS, "c": int(c)}
        assert memory.at(**here, b=int(b)) <= 24 * 2**30 < memory.at(**here, b=int(b) + 1)
    assert list(steps.get_ydata()) == list(points.get_ydata())


def test_scaling_shows_the_quickest_mesh_of_each_number_of_gpus(pictures):
    """One GPU is too small for 7B. The last rate is that of one step, derived for its mesh alone."""
    axes = pictures["scaling"].axes[0]
    proportion, rates = axes.get_lines()[:2]
    assert list(rates.get_xdata()) == [8, 64]
    assert all(rate <= most for rate, most in zip(rates.get_ydata(), proportion.get_ydata(), strict=True))
    sizes = [dict(re.findall(r"([a-z]+)(\d+)", label.get_text())) for label in axes.texts]
    assert [prod(map(int, each.values())) for each in sizes] == [8, 64]
    mesh = ",".join(f"{axis}={size}" for axis, size in sizes[-1].items())
    costs = symcost.derive(
        "llama-2-7b", under="textbook+flash", precision="mixed-16", layout=f"megatron-tp-sp+pp-1f1b,{mesh}",
        given={"b": 1, "c": 4096, "accumulation": 64},
    )  # fmt: skip
    stages = [stage.step_time(symcost.GPUS["a100-80gb"]) for stage in (costs, costs.on("last"))]
    slower = max(stages, key=lambda time: time.serial)
    rate, mfu = 64 * 4096 / slower.serial, float(100 * slower.mfu())
    says = f"64 GPUs: {round(rate):,} tokens/s at {mfu:.1f} % MFU; {slower.binds} binds"
    assert title(pictures["scaling"]) == says


def test_the_layers_of_memory_add_up_to_the_peak(pictures):
    """At b = 1 the top of the stack is the memory of one sequence."""
    stack = pictures["memory"].axes[0].collections
    top = max(max(path.vertices[:, 1]) for layer in stack for path in layer.get_paths())
    peak = symcost.derive("cs190c")["peak_memory"].at(**NUMBERS, b=63 * 3 // 2)
    assert top == pytest.approx(peak / 2**30, rel=1e-12)


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_picture_is_saved_by_the_ending_of_its_name(pictures, tmp_path, ending):
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending]
    assert plots.save(pictures["saved"], tmp_path / f"a.{ending}").read_bytes().startswith(start)


def test_what_cannot_be_drawn_is_said_in_one_line(costs, pictures, tmp_path):
    with pytest.raises(UsageError, match=r"\.svg, \.png or \.pdf"):
        plots.save(pictures["saved"], tmp_path / "a.gif")
    with pytest.raises(UsageError, match="at least one row"):
        plots.derived_against_measured([], "bytes")
    with pytest.raises(NoLimit, match="Raise the limit"):
        plots.frontier(costs["peak_memory"], "b", "c", at_most=1000, values=[256], given=NUMBERS)
    with pytest.raises(UsageError, match="a limit of memory"):
        plots.memory_against(symcost.solve(costs["forward_flops"], "b", at_most=10**15, given=NUMBERS))
    with pytest.raises(MissingValue, match="price"):
        plots.time_and_cost(costs["training_time"], costs["cost"], [1, 2], RUN)


def test_a_dollar_is_a_dollar(costs):
    figure = plots.derived_against_measured([("$5 and $6", 10, 10)], "$a$")
    assert "derived, in $a$" in plots.drawn(figure).decode()


@pytest.mark.parametrize("name", ["memory", "frontier", "shares", "saved", "measured", "time"])
def test_no_text_is_left_in_the_signs_of_another_language(pictures, name):
    """Matplotlib writes powers of ten in TeX unless it is told how."""
    told = re.findall(r"<text[^>]*>(.*?)</text>", plots.drawn(pictures[name]).decode(), re.DOTALL)
    assert told and not any("$" in words or "\\" in words for words in told)


def test_colours_can_be_told_apart_in_grey():
    """Neighbours in the stack differ in lightness by a fifth, or in their hatching."""
    greys = [
        sum(w * int(colour[i : i + 2], 16) for w, i in ((0.2126, 1), (0.7152, 3), (0.0722, 5)))
        for colour in plots.COLOURS
    ]
    pairs = list(zip(greys, plots.HATCHES, strict=True))
    assert all(abs(one - other) > 50 or mark != sign for (one, mark), (other, sign) in pairwise(pairs))


def test_matplotlib_waits_until_something_is_drawn():
    code = "import sys, symcost.report.plots, symcost.report; print('matplotlib' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


NAMES = ["saved-activations", "memory-against-batch", "frontier", "shares-of-flops"]


def test_a_report_holds_the_plots_that_its_numbers_suffice_for(tmp_path):
    """As files beside what can show them, which name them; a page draws its own."""
    files = report_files("cs190c", to="html,md,myst,marp,tex,text", output=tmp_path)
    made = {path.name: path for path in files}
    texts = {"html", "md", "myst.md", "marp.md", "tex", "txt"}
    assert made.keys() == {f"cs190c.{ending}" for ending in texts} | {
        f"cs190c-{name}.{kind}" for name in NAMES for kind in ("svg", "pdf")
    }
    for name in NAMES:
        for ending in ("md", "myst.md", "marp.md"):
            assert f"](cs190c-{name}.svg)" in made[f"cs190c.{ending}"].read_text(encoding="utf-8")
        assert f"{{cs190c-{name}.pdf}}" in made["cs190c.tex"].read_text(encoding="utf-8")
    assert "<img" not in made["cs190c.html"].read_text(encoding="utf-8")


def test_a_report_is_written_without_plots_where_none_are_asked_for(tmp_path):
    assert [path.name for path in report_files("cs190c", to="md", output=tmp_path, plots=False)] == [
        "cs190c.md"
    ]


def test_text_and_pages_wait_for_no_plot(tmp_path):
    """Neither has one that matplotlib draws."""
    code = (
        "import sys; from symcost.report import report_files\n"
        f"report_files('cs190c', to='html,text', output={str(tmp_path)!r})\n"
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_report_without_numbers_has_no_plots(tmp_path):
    assert [path.name for path in report_files("llama", to="md", output=tmp_path)] == ["llama.md"]


def test_a_pdf_holds_the_plots_too(pdflatex):
    without = document("cs190c")
    both = [len(write(each, "pdf")) for each in (without, with_pictures(without))]
    assert both[1] > both[0] + 30_000
