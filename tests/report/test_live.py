"""The live page: it computes what Python computes, needs no mouse, and asks nobody for anything."""

import dataclasses
import html
import json
import random
import re
from fractions import Fraction
from functools import cache

import pytest
from click.testing import CliRunner

import symcost
from symcost.cli import commands
from symcost.notation.numbers import scientific
from symcost.report import document, live, side_by_side, write
from symcost.report.pictures import with_pictures
from symcost.tables.gpus import GPUS
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import PRECISIONS

EXACT = 2**53
COUNTED = {"bytes", "FLOPs", "elements", "steps"}
RUN = {"D": 103_000_000, "epochs": 5, "n": 4, "MFU": 0.5, "price": 0.75}


@cache
def page(name, given=(), **options):
    return str(write(document(name, given=dict(given), **options), "html"))


def data_of(text):
    return json.loads(re.search(r'id="live-data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture
def driven(node, chromium, tmp_path):
    def drive(text, **plan):
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        return node("live.js", chromium, tmp_path / "page.html", tmp_path / "plan.json")

    return drive


@pytest.fixture(scope="module")
def lectured():
    return page("cs190c")


def settings(model, count):
    """Random settings that a reader could choose, the same at each run."""
    dice = random.Random(190)
    panel = data_of(page(model))["panels"][0]
    offered = [each["name"] for each in panel["conventions"]]
    for _ in range(count):
        h, width = dice.choice([1, 2, 4, 8, 12, 16, 32, 64]), dice.choice([16, 32, 64, 80, 128])
        letters = {
            "b": dice.randint(1, 300), "c": dice.choice([128, 256, 1000, 4096, 8191]), "h": h, "d": h * width,
            "L": dice.randint(1, 126), "v": dice.randint(1000, 200_000), **RUN,
            "D": dice.randint(10**6, 15 * 10**12),
        }  # fmt: skip
        letters |= {"h_kv": dice.choice([each for each in (1, 2, 4, 8) if h % each == 0]), "d_k": width}
        letters |= {"d_ff": dice.randint(100, 60_000)}
        letters = {name: value for name, value in letters.items() if name in panel["start"]}
        chosen = {
            "under": dice.choice(offered), "precision": dice.choice(["", *PRECISIONS]),
            "optimizer": dice.choice(list(OPTIMIZERS)),
            "gpu": dice.choice(["rtx-3090", "a100-80gb", "h100-sxm", "b200"]),
        }  # fmt: skip
        yield {"letters": letters, "chosen": chosen}


def by_python(model, setting):
    """The same numbers from the library, exact."""
    chosen, numbers = (
        setting["chosen"],
        {name: Fraction(str(value)) for name, value in setting["letters"].items()},
    )
    costs = symcost.derive(
        model, under=chosen["under"], optimizer=chosen["optimizer"], precision=chosen["precision"] or None
    )
    card = GPUS[chosen["gpu"]]
    matmul = costs.precision.matmul
    if matmul in card.peak:
        numbers["peak"] = card.peak[matmul]
    values = {}
    for quantity in data_of(page(model))["names"]:
        terms = costs[quantity]
        if all(name in terms.known(numbers) for name in terms.letters):
            values[quantity] = (terms.at(**numbers), terms.unit)
    limit = symcost.solve(
        costs["peak_memory"], "b", at_most=card.memory, given={k: v for k, v in numbers.items() if k != "b"}
    )
    return values | {"b_max": (limit.floor, "sequences")}


@pytest.mark.parametrize("model", ["cs190c", "llama"])
def test_moving_the_controls_gives_the_numbers_that_python_gives(driven, model):
    """At 50 random settings: to the last digit up to 2⁵³, and beyond it marked as rounded."""
    asked = list(settings(model, 50))
    seen = driven(page(model), settings=asked)
    assert (seen["faults"], seen["requests"]) == ([], [])
    compared = 0
    for setting, found in zip(asked, seen["settings"], strict=True):
        for quantity, (value, unit) in by_python(model, setting).items():
            shown = found[quantity]
            if unit in COUNTED | {"sequences"} and value == int(value) and value < EXACT:
                assert int(shown["value"]) == value, (quantity, setting)
                assert f"{int(value):,}" in shown["text"], (quantity, setting)
            else:
                assert float(shown["value"]) == pytest.approx(float(value), rel=1e-12), (quantity, setting)
                if unit in COUNTED and value >= EXACT and value == int(value):
                    assert "beyond 2⁵³" in shown["text"] and not shown["exact"], (quantity, setting)
            compared += 1
    assert compared > 50 * 15


def results(text):
    """The rows of every result of a report, as they stand in its page."""
    blocks = re.findall(r'data-quantity="(\w+)" data-letters="\d+">(.*?)</div>', text, re.DOTALL)
    found = {}
    for quantity, block in blocks:
        if quantity == "block":  # one block, in letters alone
            continue
        rows = [re.sub("<[^>]*>", "", row) for row in re.findall(r"</mtd>(<mtd>.*?)</mtr>", block, re.DOTALL)]
        found[quantity] = re.split(r"\n(?=[=≈])", "\n".join(map(html.unescape, rows)))
    return found


def figures(text):
    """The numbers among a report's words, by what they are of."""
    body = text[text.index("<main>") :]
    found = re.findall(r'<span data-of="([^"]+)">(.*?)</span>', body, re.DOTALL)
    return {key: signs(html.unescape(re.sub("<[^>]*>", "", words))) for key, words in found}


BEYOND = re.compile(r"\d{1,3}(?:,\d{3}){5,}")
SIGNS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹⋅−", "-0123456789·-", "\u2009\u2061\u2062\n ()/")


def signs(row):
    """What a row says, however its fractions and its lines are set; numbers beyond 2⁵³ rounded as the page does."""
    told = BEYOND.sub(lambda found: rounded_beyond(int(found[0].replace(",", ""))), row)
    return told.replace("beyond 2⁵³, rounded", "").replace("=≈", "=").translate(SIGNS)


def rounded_beyond(value):
    return scientific(value, 6) if value >= EXACT else f"{value:,}"


def value_of(row):
    """The value of a row with its unit; of two, the rounded one."""
    return re.split("[=≈]", signs(row))[-1]


@pytest.mark.parametrize(("model", "options"), [("cs190c", {}), ("llama", {"under": "textbook+checkpoint"})])
def test_every_result_of_the_derivation_moves_with_the_sliders(driven, model, options):
    """At 25 random numbers its rows (letters, numbers put in, values in between, value) are those of a report there."""
    asked = [
        {"letters": each["letters"], "chosen": {"gpu": each["chosen"]["gpu"]}} for each in settings(model, 25)
    ]
    text = page(model, **options)
    seen = driven(text, settings=asked)
    assert (seen["faults"], seen["requests"]) == ([], [])
    compared = 0
    for setting, found in zip(asked, seen["results"], strict=True):
        there = results(report_at(model, setting, **options))
        for quantity, rows in there.items():
            if quantity not in found:
                assert quantity in ("shortcut", "cost")  # not told at the numbers that the page begins with
                continue
            shown = [signs(row) for row in found[quantity]]
            assert shown[:-1] == [signs(row) for row in rows[:-1]], (quantity, setting)
            assert value_of(found[quantity][-1]) == value_of(rows[-1]), (quantity, setting)
            compared += 1
    assert compared > 25 * 14


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("cs190c", {}),
        ("llama-3-8b", {"under": "torch-eager", "precision": "bf16"}),
        ("gpt2", {"gpu": "a100-80gb"}),
    ],
)
def test_every_number_among_the_words_moves_with_the_sliders(driven, model, options):
    """Tables, the proof, what binds and the shortcut: at 25 random numbers as in a report there."""
    asked = [
        {"letters": each["letters"], "chosen": {"gpu": each["chosen"]["gpu"]}} for each in settings(model, 25)
    ]
    first = {name: Fraction(str(value)) for name, value in asked[0]["letters"].items()}
    seen = driven(page(model, given=tuple(first.items()), **{"gpu": "h200", **options}), settings=asked)
    assert (seen["faults"], seen["requests"]) == ([], [])
    compared = 0
    for setting, found in zip(asked, seen["figures"], strict=True):
        chosen = {key: value for key, value in options.items() if key != "gpu"}
        there = figures(report_at(model, setting, **chosen))
        for key, words in found:
            if key in there:
                assert signs(words) == there[key], (key, setting)
                compared += 1
    assert compared > 25 * 30


def report_at(model, setting, **options):
    numbers = {name: Fraction(str(value)) for name, value in setting["letters"].items()}
    return page(model, given=tuple(numbers.items()), **options, **setting["chosen"])


def test_every_result_of_the_derivation_follows_the_rules_too(driven):
    """Under 25 random conventions, optimizers and element types its rows are among those of a report under them."""
    asked = list(settings("llama", 25))
    seen = driven(page("llama"), settings=asked)
    assert (seen["faults"], seen["requests"]) == ([], [])
    for setting, found in zip(asked, seen["results"], strict=True):
        chosen = {**setting["chosen"], "precision": setting["chosen"]["precision"] or None}
        there = results(report_at("llama", {**setting, "chosen": chosen}))
        for quantity, rows in there.items():
            if quantity in found:
                told = [signs(row) for row in rows[:-1]]
                own = 1 if quantity == "b_max" else 0  # in letters the page writes it shorter
                assert {signs(row) for row in found[quantity][own:-1]} <= set(told), (quantity, setting)
                assert value_of(found[quantity][-1]) == value_of(rows[-1]), (quantity, setting)


def test_the_page_begins_with_the_numbers_of_the_report(driven, lectured):
    """CS190C 2026, lecture 9: 266,888,192 parameters, 63 sequences on 24 GiB, 10,461.9974 s."""
    first = driven(lectured)["start"]["0"]
    assert first["parameters"]["value"] == "266888192"
    assert first["b_max"]["value"] == "63"
    exact = symcost.derive("cs190c")["training_time"].at(
        b=4, c=256, d=1024, h=16, L=12, v=32000, D=103_000_000, epochs=5, n=4, MFU=0.5, peak=35.6e12
    )
    assert float(first["training_time"]["value"]) == pytest.approx(float(exact), rel=1e-13)


def test_the_page_is_used_by_keyboard_alone(driven, lectured):
    seen = driven(lectured, walk=True)
    assert (seen["faults"], seen["requests"]) == ([], [])
    keys = seen["keys"]
    assert all(keys[each] for each in ("slider", "choice", "copy", "term", "sort"))
    assert (keys["b"], keys["under"]) == ("6", "textbook+flash")  # the next after 4, the next after textbook
    assert keys["copied"] == "copied"
    assert keys["why"].startswith("x (norm_1)") or keys["why"].startswith("x (block.norm_1)")
    assert "∂W_Q = x_normᵀ·∂Q" in keys["why"] and "Q" in keys["lit"]
    assert keys["sizes"] == sorted(keys["sizes"], reverse=True) and keys["sorted"] == "descending"

    # The address alone brings the same numbers back.
    assert "b=6" in seen["address"] and "under=textbook%2Bflash" in seen["address"]
    assert seen["after"] == seen["before"]

    # Hovering over bcv, the last term, shows the logits and the gradient that asks for them.
    why, lit = seen["hovered"]
    assert why.startswith("logits (head)") and lit == 1

    # What cannot be is said, with the mend, and the last right numbers stay.
    empty, negative, broken, more, uneven = seen["wrong"]
    assert "positive number" in empty and "positive number" in negative and "whole number" in broken
    assert "up to 1" in more and "d_k = d/h = 62.5" in uneven
    assert seen["mended"] == ""

    assert seen["printed"] == "none"


@pytest.mark.parametrize(("model", "options"), [("cs190c", {}), ("gpt", {"notation": "megatron"})])
def test_the_page_is_readable_light_and_dark_at_a_desk_and_on_a_phone(driven, model, options):
    """Contrast of at least 4.5 (WCAG 2.2, criterion 1.4.3), nothing too wide, every control named."""
    for look, found in driven(page(model, **options))["looks"].items():
        ratio, where = found["contrast"]
        assert ratio >= 4.5, f"{look}: {where}"
        assert (found["over"], found["unnamed"], found["twice"]) == (0, [], []), look


@pytest.mark.parametrize(
    ("model", "given", "gpu"),
    [
        ("cs190c", {**RUN, "b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}, "rtx-3090"),
        ("llama-3-8b", {**RUN, "b": 1, "c": 8192, "n": 300, "price": 3}, "h200"),
        ("gpt2", {**RUN, "b": 2, "c": 1024}, "rtx-3090"),
    ],
)
def test_a_chart_of_the_page_states_what_the_plot_states(driven, model, given, gpu):
    numbers = {name: Fraction(str(value)) for name, value in given.items()}
    made = document(model, given=numbers, gpu=gpu)
    seen = driven(str(write(made, "html")))
    assert (seen["faults"], seen["requests"]) == ([], [])
    stated = {picture.words for picture in with_pictures(made).pictures}
    assert len(stated) >= 3 and stated <= set(seen["findings"])


def test_two_models_stand_side_by_side(driven):
    both = side_by_side(document("cs190c"), document("gpt2", gpu="a100-80gb"))
    seen = driven(str(write(both, "html")))
    assert (seen["faults"], seen["requests"]) == ([], [])
    assert seen["start"]["0"]["parameters"]["value"] == "266888192"
    assert seen["start"]["1"]["parameters"]["value"] == "124439808"  # transformers: GPT2LMHeadModel(gpt2)


def test_two_conventions_stand_side_by_side_from_the_command_line(tmp_path):
    run = CliRunner().invoke(
        commands, ["report", "cs190c", "torch-eager", "--to", "html", "--output", str(tmp_path)]
    )
    assert run.exit_code == 0, run.output
    (made,) = tmp_path.iterdir()
    first, second = data_of(made.read_text(encoding="utf-8"))["panels"]
    assert (first["model"], first["under"]) == ("cs190c", "textbook")
    assert (second["model"], second["under"]) == ("cs190c", "torch-eager")
    assert len(made.read_bytes()) < 400_000


def test_a_hostile_name_stays_a_name(driven, hostile):
    model = dataclasses.replace(symcost.load("cs190c"), name=hostile, source=hostile)
    text = str(write(document(model), "html"))
    assert "</script><img" not in text
    seen = driven(text)
    assert (seen["faults"], seen["requests"]) == ([], [])


def test_the_policy_names_the_script_and_forbids_all_else(lectured):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', lectured)[1]
    script = re.search(r"<script>(.*?)</script>", lectured, re.DOTALL)[1]
    style = re.search(r"<style>(.*?)</style>", lectured, re.DOTALL)[1]
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert live.digest(script).strip("'") in policy and live.digest(style).strip("'") in policy
    assert not re.search(r'(?:src|href)="(?!#)', lectured)


def test_a_page_is_the_same_again(lectured):
    assert write(document("cs190c"), "html") == lectured


def test_a_document_without_a_model_has_no_script():
    text = str(write(dataclasses.replace(document("cs190c"), talks=()), "html"))
    assert "<script" not in text and "script-src" not in text


# One model of each shape, and the published ones with the most kinds of block and the longest forms.
SHAPES = (
    "cs190c", "cs336", "gpt2-xl", "llama-2-7b", "mixtral-8x7b", "gemma-2-9b", "gemma-3-27b", "glm-4.5-air",
    "llama-4-maverick", "deepseek-v3", "kimi-k2",
)  # fmt: skip


@pytest.mark.parametrize("model", SHAPES)
def test_every_known_model_has_a_page_and_it_is_small(model):
    """The forms of every family can be printed in JavaScript, and no letter is left without a field."""
    numbers = {**RUN, "b": 2, "c": 1024}
    text = page(
        model, gpu="h100-sxm", given=tuple((name, Fraction(str(value))) for name, value in numbers.items())
    )
    (made,) = data_of(text)["panels"]
    assert made["start"] and made["conventions"]
    assert len(text.encode()) < 400_000
