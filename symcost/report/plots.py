"""Plots: one picture for each question, its title the answer. Matplotlib is loaded when one is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symcost.errors import NoLimit, UsageError
from symcost.notation import text
from symcost.notation.numbers import DAY, HOUR, grouped, rounded, scientific, significant, with_unit
from symcost.report.lecture.flops import by_growth
from symcost.solve import Limit, solve
from symcost.symbols import GIB, GLOSSARY
from symcost.terms import Number, Terms, evaluator
from symcost.training.ranking import MESH, PARTS, Ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008: told apart by colour-blind readers, and in grey by lightness and hatching together.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
HATCHES = ("", "///", "--", "\\\\\\", "xxx", "||", "++", "//")
STYLE: dict[Any, Any] = {
    "figure.figsize": (7.2, 4.2),
    "figure.dpi": 110,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "symcost",  # the same picture is the same file
    "pdf.fonttype": 42,  # text stays text there too
    "text.parse_math": False,  # a dollar is a dollar
}
POINTS = 120

COMPONENTS: Mapping[str, str] = {
    "parameter_memory": "parameters",
    "gradient_memory": "gradients",
    "optimizer_memory": "optimizer states",
    "activation_memory": "saved activations",
}


def memory_against(limit: Limit) -> Figure:
    """The components of memory, stacked, against the letter solved for, with the limit and the answer marked.

    They are the limit's own terms. Raises UsageError where the limit is not one of memory.
    """
    if limit.terms.unit != "bytes" or limit.integer is None:
        raise UsageError(
            f"plot: expected a limit of memory in whole {limit.letter}, found one of {limit.quantity}."
        )
    top = max(2, limit.integer * 3 // 2)
    xs = _steps(1, top)
    groups: dict[str, Any] = {}
    for quantity, name in COMPONENTS.items():
        part = limit.terms.replaced(tuple(term for term in limit.terms if term.quantity == quantity))
        if part.terms:
            values = _values(part, limit.letter, xs, limit.numbers)
            groups[name] = [float(value) / GIB for value in values]
    budget = float(limit.limit) / GIB
    from matplotlib.ticker import MaxNLocator

    with _figure() as (figure, axes):
        layers = axes.stackplot(
            xs, list(groups.values()), labels=list(groups), colors=COLOURS, edgecolor="white", linewidth=0.5
        )
        for layer, hatch in zip(layers, HATCHES, strict=False):
            layer.set_hatch(hatch)
        axes.axhline(budget, color="black", linewidth=1.2)
        axes.annotate(
            f"limit {with_unit(limit.limit, 'bytes')}",
            (1.01, budget),
            xycoords=("axes fraction", "data"),
            va="center",
        )
        axes.axvline(limit.integer, color="black", linewidth=1, linestyle=":")
        axes.plot([limit.integer], [budget], "ko", markersize=5)
        axes.set_xlabel(_axis(limit.letter))
        axes.set_ylabel("memory in GiB")
        axes.margins(x=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside lower center", ncols=len(groups))
        share = limit.binds()[0]
        axes.set_title(
            f"{limit.letter} = {grouped(limit.integer)} fits {with_unit(limit.limit, 'bytes')}; "
            f"{COMPONENTS.get(share[0], share[0])} take {rounded(100 * share[2], 0)} %"
        )
    return figure


def frontier(
    terms: Terms,
    letter: str,
    against: str,
    *,
    at_most: Number,
    values: Sequence[int],
    given: Mapping[str, Any],
) -> Figure:
    """The largest `letter` that fits, against another letter, both on logarithmic axes."""
    answers = [
        solve(terms, letter, at_most=at_most, given={**given, against: value}).floor or 0 for value in values
    ]
    fitting = [(value, answer) for value, answer in zip(values, answers, strict=True) if answer]
    if not fitting:
        raise NoLimit(
            f"{letter}: nothing fits {with_unit(at_most, terms.unit)} at any {against} asked for. "
            "Raise the limit."
        )
    with _figure() as (figure, axes):
        xs, ys = [value for value, _ in fitting], [answer for _, answer in fitting]
        axes.step(xs, ys, where="mid", color=COLOURS[0], linewidth=1.8)
        axes.plot(xs, ys, "o", color=COLOURS[0], markersize=5)
        for value, answer in fitting:
            axes.annotate(
                grouped(answer), (value, answer), textcoords="offset points", xytext=(5, 5), fontsize=8
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        _plain_ticks(axes, xs, ys)
        axes.set_xlabel(_axis(against))
        axes.set_ylabel(f"largest {_axis(letter)}")
        last, most = fitting[-1]
        rest = (
            ""
            if len(fitting) == len(values)
            else f"; from {against} = {grouped(values[len(fitting)])} on not even one"
        )
        fits = f"{letter} = {grouped(most)} fits {with_unit(at_most, terms.unit)}"
        axes.set_title(f"At {against} = {grouped(last)}, {fits}{rest}")
    return figure


def shares_against(terms: Terms, letter: str, values: Sequence[int], given: Mapping[str, Any]) -> Figure:
    """How much of a quantity each layer takes against a letter, and where the leader changes."""
    numbers = terms.known({name: value for name, value in given.items() if name != letter})
    places: dict[str, list[Number]] = {}
    for part, inside in by_growth(terms, letter).items():
        places[part] = _values(inside, letter, list(values), numbers)
    totals = [sum(column) for column in zip(*places.values(), strict=True)]
    with _figure() as (figure, axes):
        for position, (name, column) in enumerate(places.items()):
            shares = [
                float(Fraction(value) / whole * 100) for value, whole in zip(column, totals, strict=True)
            ]
            axes.plot(
                values,
                shares,
                color=COLOURS[position],
                linestyle=("-", "--", ":", "-.")[position % 4],
                linewidth=2,
                label=name,
            )
        axes.set_xscale("log", base=2)
        _plain_ticks(axes, values, [])
        axes.set_ylim(0, 100)
        axes.set_xlabel(_axis(letter))
        axes.set_ylabel(f"share of {_words(terms.quantity)} in %")
        axes.legend()
        crossing = _crossing(places, terms, letter, values, numbers)
        if crossing is not None:
            axes.axvline(crossing[2], color="black", linewidth=1, linestyle=":")
            axes.set_title(f"{crossing[1]} catch up with {crossing[0]} at {letter} = {grouped(crossing[2])}")
        else:
            first = max(places.items(), key=lambda item: item[1][-1])[0]
            axes.set_title(f"{first} take the most at every {letter} shown")
    return figure


def saved_by_tensor(terms: Terms, given: Mapping[str, Any], most: int = 14) -> Figure:
    """Saved activations as bars, the largest first, each with its form; `most` are shown.

    Raises UsageError where the quantity has no terms.
    """
    numbers = terms.known(given)
    rows = sorted(
        ((evaluator(term.total)(numbers), term) for term in terms),
        key=lambda row: (-row[0], row[1].place, row[1].tensor),
    )
    if not rows:
        raise UsageError(f"plot: expected terms of {_words(terms.quantity)}, found none in {terms.scope}.")
    whole = Fraction(sum(value for value, _ in rows))
    shown = rows[:most]
    scale, unit = (GIB, "GiB") if terms.unit == "bytes" else (10**6, f"million {terms.unit}")
    with _figure() as (figure, axes):
        names = [f"{term.tensor} ({term.place.removeprefix('block.')})" for _, term in shown]
        sizes = [float(value) / scale for value, _ in shown]
        bars = axes.barh(range(len(shown)), sizes, color=COLOURS[0])
        for bar, (value, term) in zip(bars, shown, strict=True):
            share = rounded(value / whole * 100, 1)
            axes.annotate(
                f" {text(term.total)}, {share} %",
                (bar.get_width(), bar.get_y() + bar.get_height() / 2),
                va="center",
                fontsize=8,
            )
        axes.set_yticks(range(len(shown)), names)
        axes.invert_yaxis()
        axes.margins(x=0.28)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.set_xlabel(f"{_words(terms.quantity)} in {unit}")
        largest = [term.tensor for value, term in shown if value == shown[0][0]]
        share = rounded(shown[0][0] / whole * 100, 1)
        are = "is the largest," if len(largest) == 1 else "are the largest, each"
        axes.set_title(f"{_listed(largest)} {are} {share} % of {_words(terms.quantity)}")
    return figure


def derived_against_measured(rows: Sequence[tuple[str, Number, Number]], unit: str) -> Figure:
    """Points of derived against measured values, on the diagonal where they are equal.

    Rows are (name, derived, measured). Raises UsageError where there are none.
    """
    if not rows:
        raise UsageError("plot: expected at least one row of (name, derived, measured), found none.")
    exact = sum(derived == measured for _, derived, measured in rows)
    with _figure() as (figure, axes):
        xs, ys = [float(measured) for _, _, measured in rows], [float(derived) for _, derived, _ in rows]
        low, high = min(xs + ys), max(xs + ys)
        axes.plot([low, high], [low, high], color="#999999", linewidth=1)
        axes.plot(xs, ys, "o", color=COLOURS[0], markersize=5)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for each in (axes.xaxis, axes.yaxis):
            each.set_major_formatter(lambda value, _: scientific(Fraction(value)).removeprefix("1 × "))
            each.set_minor_formatter("")
        axes.set_xlabel(f"measured, in {unit}")
        axes.set_ylabel(f"derived, in {unit}")
        axes.set_title(f"{exact} of {len(rows)} derived values equal the measured ones exactly")
    return figure


def time_and_cost(time: Terms, cost: Terms, counts: Sequence[int], given: Mapping[str, Any]) -> Figure:
    """Time of training, in days or hours, and dollars against the number of GPUs.

    Raises MissingValue where the form of one of them has a letter without a number.
    """
    time.at(**{**given, "n": counts[0]})
    cost.at(**{**given, "n": counts[0]})
    numbers = time.known({name: value for name, value in given.items() if name != "n"})
    seconds = _values(time, "n", list(counts), numbers)
    size, unit = (DAY, "days") if max(seconds) >= 2 * DAY else (HOUR, "hours")
    spans = [float(Fraction(value) / size) for value in seconds]
    dollars = [
        float(value) for value in _values(cost, "n", list(counts), cost.known({**given, "n": counts[0]}))
    ]
    with _figure() as (figure, axes):
        axes.plot(counts, spans, "o-", color=COLOURS[0], label=unit)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        _plain_ticks(axes, counts, [])
        axes.set_xlabel(_axis("n"))
        axes.set_ylabel(f"training time in {unit}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(lambda value, _: "")
        money = axes.twinx()
        money.plot(counts, dollars, "s--", color=COLOURS[5], label="dollars")
        money.set_ylabel("cost in USD")
        money.set_ylim(bottom=0)
        money.grid(visible=False)
        lines = axes.get_lines() + money.get_lines()
        axes.legend(lines, [str(line.get_label()) for line in lines], loc="center right")
        last = significant(Fraction(seconds[-1]) / size, 3)
        same = "; the cost stays the same" if min(dollars) == max(dollars) else ""
        axes.set_title(f"{grouped(counts[-1])} GPUs take {last} {unit}{same}")
    return figure


def scaling(ranking: Ranking) -> Figure:
    """Tokens a second of the quickest mesh against the number of GPUs, and what binds each.

    `ranking` is over several numbers of GPUs. Raises UsageError where none of its points fits.
    """
    rows = ranking.by_gpus()
    if not rows:
        raise UsageError("plot: expected a mesh that fits, found none. Allow more GPUs, or larger ones.")
    counts, rates = [row["n"] for row in rows], [row["rate"] for row in rows]
    with _figure() as (figure, axes):
        ideal = [rates[0] * count / counts[0] for count in counts]
        axes.plot(
            counts, ideal, color="#999999", linewidth=1, linestyle="--", label="in proportion to the GPUs"
        )
        axes.plot(counts, rates, color=COLOURS[0], linewidth=1.8)
        for part, marker in zip(PARTS, "os^", strict=True):
            bound = [(row["n"], row["rate"]) for row in rows if row["binds"] == part]
            if bound:
                axes.plot(*zip(*bound, strict=True), marker, color=COLOURS[0], label=f"{part} binds")
        for row in rows:
            mesh = " ".join(f"{axis}{row[axis]}" for axis in MESH if row[axis] > 1)
            axes.annotate(
                mesh, (row["n"], row["rate"]), textcoords="offset points", xytext=(6, -11), fontsize=8
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        _plain_ticks(axes, counts, [int(rate) for rate in rates])
        axes.margins(x=0.12)
        axes.set_xlabel(_axis("n"))
        axes.set_ylabel("tokens a second")
        axes.legend(loc="upper left")
        last = rows[-1]
        rate, mfu = (
            rounded(Fraction(each), places) for each, places in ((rates[-1], 0), (100 * last["mfu"], 1))
        )
        axes.set_title(f"{grouped(counts[-1])} GPUs: {rate} tokens/s at {mfu} % MFU; {last['binds']} binds")
    return figure


def save(figure: Figure, path: str | Path) -> Path:
    """Writes a picture as SVG, PNG or PDF, by the ending of its name; the same picture gives the same bytes.

    Raises UsageError for another ending, and for a place that cannot be written to.
    """
    place = Path(path)
    if place.suffix.removeprefix(".") not in UNDATED:
        raise UsageError(f"{place}: expected a name that ends in .svg, .png or .pdf, found '{place.suffix}'.")
    try:
        place.write_bytes(drawn(figure, place.suffix.removeprefix(".")))
    except OSError as error:
        raise UsageError(f"{place}: expected a place to write to, found: {error.strerror}.") from None
    return place


UNDATED: Mapping[str, Mapping[str, None]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
}


def drawn(figure: Figure, kind: str = "svg") -> bytes:
    """A picture as a file's bytes, without the time at which it was drawn."""
    import matplotlib

    buffer = BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format=kind, metadata=dict(UNDATED[kind]))
    return buffer.getvalue()


# ------------------------------------------------------------------------------------------------- helpers


@contextmanager
def _figure() -> Iterator[tuple[Figure, Axes]]:
    """A figure in the one style, laid out when it is done, without a window."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.add_subplot()
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # each drawing would move it by a hair


def _steps(low: int, high: int) -> list[int]:
    count = min(POINTS, high - low + 1)
    return sorted({low + (high - low) * position // max(1, count - 1) for position in range(count)})


def _values(terms: Terms, letter: str, values: Sequence[int], numbers: Mapping[str, Number]) -> list[Number]:
    form = evaluator(terms.total)
    return [form({**numbers, letter: value}) for value in values]


def _crossing(
    places: Mapping[str, list[Number]],
    terms: Terms,
    letter: str,
    values: Sequence[int],
    numbers: Mapping[str, Number],
) -> tuple[str, str, int] | None:
    """Where the lead changes hands: who led, who leads, and the least value at which it is no smaller."""
    leaders = [max(places, key=lambda name: places[name][position]) for position in range(len(values))]
    for position in range(1, len(values)):
        before, after = leaders[position - 1], leaders[position]
        if before != after:
            groups = by_growth(terms, letter)
            one, other = evaluator(groups[before].total), evaluator(groups[after].total)
            low, high = values[position - 1] - 1, values[position]
            while high - low > 1:
                middle = (low + high) // 2
                here = {**numbers, letter: middle}
                low, high = (low, middle) if other(here) >= one(here) else (middle, high)
            return before, after[0].upper() + after[1:], high
    return None


def _plain_ticks(axes: Axes, xs: Sequence[int], ys: Sequence[int]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    plain = FuncFormatter(lambda value, _: grouped(int(value)) if value >= 1 else "")
    axes.xaxis.set_major_formatter(plain)
    axes.xaxis.set_minor_locator(NullLocator())
    if ys:
        axes.yaxis.set_major_formatter(plain)
        axes.yaxis.set_minor_locator(NullLocator())


def _axis(letter: str) -> str:
    entry = GLOSSARY[letter]
    return f"{letter}: {entry.meaning}" + (
        f" in {entry.unit}" if entry.unit and entry.unit not in entry.meaning else ""
    )


def _words(quantity: str) -> str:
    return quantity.replace("_", " ").replace("flops", "FLOPs")


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
