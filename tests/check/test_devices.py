"""What one of many devices holds, sends and waits for: right as papers print it, wrong with a slip."""

import pytest

from symcost.check import check_text

ZERO = "$\\Psi$ parameters, $N_d$ data-parallel ranks. Mixed-precision Adam keeps $K = 12$ bytes for each parameter.\n\n"
MEGATRON = (
    "$s$ sequence length, $b$ micro-batch size, $h$ hidden size, $a$ heads, $L$ layers, $t$ tensor-parallel size, $p$ pipeline "
    "stages, $m$ micro-batches, $v$ model chunks. A GPT with a GELU MLP of width $4h$, LayerNorm, biases, dropout, in fp16.\n\n"
)
MESH = (
    "$P$ parameters, $t$ tensor-parallel size, $p$ pipeline-parallel size, $d$ data-parallel size, $n$ GPUs, $b$ sequences in a "
    "micro-batch, $m$ micro-batches per step, $B$ global batch size. Adam in mixed precision.\n\n"
)
TABLE = (
    f"{ZERO}| stage | bytes | 7.5B, $N_d=64$ |\n|---|---|---|\n| none | $16\\Psi$ | 120 GB |\n"
    "| 1 | $4\\Psi + 12\\Psi/N_d$ | 31.4 GB |\n"
)
RING = "$M$ bytes, $k$ GPUs. In a ring {} of $M$ bytes each GPU sends ${{}}$ bytes."


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "text, right, wrong",
    [  # Rajbhandari et al. 2020, ZeRO, section 5 and figure 1; Anthony et al. 2023, Transformer Math 101
        ("{ZERO}The model states take ${}$ bytes in all.", "(2+2+K)\\Psi = 16\\Psi", "(2+2+K)\\Psi = 18\\Psi"),
        ("{ZERO}| ZeRO | bytes |\n|---|---|\n| 1 | ${}$ |", "4\\Psi + \\frac{K\\Psi}{N_d}", "2\\Psi + \\frac{K\\Psi}{N_d}"),
        ("{ZERO}ZeRO-2 keeps ${}$ bytes.", "2\\Psi + \\frac{(2+K)\\Psi}{N_d}", "4\\Psi + \\frac{(2+K)\\Psi}{N_d}"),
        ("{ZERO}ZeRO stage 2: ${}$ bytes.", "2\\Psi + \\frac{14\\Psi}{N_d}", "2\\Psi + \\frac{12\\Psi}{N_d}"),
        ("{ZERO}ZeRO-3 leaves ${}$ bytes on each GPU.", "\\frac{(4+K)\\Psi}{N_d}", "\\frac{(2+K)\\Psi}{N_d}"),
        ("{MESH}With ZeRO-1 a GPU holds ${}$ bytes.", "\\frac{P}{tp}(4 + \\frac{12}{d})", "\\frac{P}{tp}(2 + \\frac{12}{d})"),
        ("{TABLE}| 2 | $2\\Psi + 14\\Psi/N_d$ | {} |", "16.6 GB", "19.0 GB"),
    ],
)  # fmt: skip
def test_states_over_devices(text, right, wrong):
    put = text.replace("{ZERO}", ZERO).replace("{MESH}", MESH).replace("{TABLE}", TABLE)
    assert [said(put.replace("{}", form)) for form in (right, wrong)] == ["holds", "differs"]


def test_a_row_that_forgets_what_the_rows_above_divide_by():
    rows = f"{MESH}| ZeRO stage | bytes per GPU |\n|---|---|\n| 0 | $\\frac{{16P}}{{tp}}$ |\n| 3 | $\\frac{{16P}}{{{{}}}}$ |"
    assert (said(rows.replace("{{}}", "{tpd}")), said(rows.replace("{{}}", "{d}"))) == ("holds", "differs")


@pytest.mark.parametrize(
    "text, right, wrong",
    [  # Korthikanti et al. 2022, Reducing Activation Recomputation, table 2 and section 4.2
        ("With tensor parallelism a layer keeps ${}$ bytes of activations on each GPU.",
         "sbh(10 + \\frac{24}{t} + 5\\frac{as}{ht})", "sbh(34 + \\frac{24}{t} + 5\\frac{as}{ht})"),
        ("With tensor and sequence parallelism a layer keeps ${}$ bytes of activations on each GPU.",
         "\\frac{sbh}{t}(34 + 5\\frac{as}{h})", "\\frac{sbh}{t}(34 + \\frac{as}{h})"),
        ("With sequence parallelism and selective recomputation all layers keep ${}$ bytes of activations on one GPU.",
         "\\frac{34sbhL}{t}", "\\frac{17sbhL}{t}"),
        ("With sequence parallelism and 1F1B the first stage keeps activations of ${}$ bytes.",
         "\\frac{sbhL}{t}(34 + 5\\frac{as}{h})", "\\frac{sbhL}{t}(34 + 5\\frac{s}{h})"),
        ("With sequence parallelism and 1F1B the last stage keeps activations of ${}$ bytes for its layers.",
         "\\frac{sbhL}{tp}(34 + 5\\frac{as}{h})", "\\frac{sbhL}{tp}(34 + 5\\frac{s}{h})"),
    ],
)  # fmt: skip
def test_activations_over_devices(text, right, wrong):
    assert [said(MEGATRON + text.replace("{}", form)) for form in (right, wrong)] == ["holds", "differs"]


@pytest.mark.parametrize(
    "text, right, wrong",
    [  # Narayanan et al. 2021, sections 2.2.1 and 2.2.2
        ("The pipeline bubble, relative to the ideal time, is ${}$.", "\\frac{p-1}{m}", "\\frac{p}{m}"),
        ("The bubble, relative to the ideal time, is ${}$.", "\\frac{p-1}{m}", "\\frac{p-1}{m+p-1}"),
        ("The bubble is ${}$ of the whole step.", "\\frac{p-1}{m+p-1}", "\\frac{p-1}{m}"),
        ("With $p = 8$ and $m = 32$ the bubble is ${}$ of the whole step.", "17.9\\%", "21.9\\%"),
    ],
)
def test_a_bubble_of_a_step(text, right, wrong):
    assert [said(MEGATRON + text.replace("{}", form)) for form in (right, wrong)] == ["holds", "differs"]


@pytest.mark.parametrize(
    "text",
    [
        "Interleaving shrinks the bubble from $\\frac{p-1}{m}$ to $\\frac{p-1}{vm}$.",
        "A micro-batch takes $\\theta$, so $t_{\\text{bubble}} = (p-1)\\theta$.",
        "A micro-batch takes $t_f + t_b$. The bubble lasts $(p-1)(t_f + t_b)$.",
        "A GPU does $X$ FLOP/s, so a step of $F$ FLOPs on $n$ GPUs takes the time "
        "$\\frac{F}{nX}\\left(1 + \\frac{p-1}{m}\\right)$.",
    ],
)
def test_other_ways_to_write_a_bubble(text):
    assert {finding.verdict for finding in check_text(MEGATRON + text, "a.md")} & {"holds"}
    assert all(finding.verdict != "differs" for finding in check_text(MEGATRON + text, "a.md"))


@pytest.mark.parametrize(
    "text, right, wrong",
    [  # Patarasuk and Yuan 2009; Rajbhandari et al. 2020, section 7; Shoeybi et al. 2019, section 3
        (RING.format("all-reduce"), "\\frac{2(k-1)}{k}M", "\\frac{k-1}{k}M"),
        (RING.format("all-gather"), "\\frac{k-1}{k}M", "\\frac{2(k-1)}{k}M"),
        (f"{ZERO}The all-reduce of the fp16 gradients makes each rank send ${{}}$ bytes.",
         "\\frac{4\\Psi(N_d-1)}{N_d}", "\\frac{2\\Psi(N_d-1)}{N_d}"),
        (f"{ZERO}The communication volume of ZeRO-3 is ${{}}$ elements.", "3\\Psi", "2\\Psi"),
        (f"{ZERO}Plain data parallelism communicates ${{}}$ elements in one step.", "2\\Psi", "3\\Psi"),
        (f"{MEGATRON}Tensor parallelism needs four all-reduces per layer, so a GPU sends ${{}}$ bytes per layer.",
         "\\frac{16bsh(t-1)}{t}", "\\frac{8bsh(t-1)}{t}"),
    ],
)  # fmt: skip
def test_messages(text, right, wrong):
    assert [said(text.replace("{}", form)) for form in (right, wrong)] == ["holds", "differs"]


@pytest.mark.parametrize(
    "right, wrong",
    [("B = bmd", "B = bm/d"), ("n = tpd", "n = tp/d"), ("d = \\frac{n}{tp}", "d = \\frac{tp}{n}")],
)
def test_counts_of_a_step(right, wrong):
    assert [said(f"{MESH}So ${form}$.") for form in (right, wrong)] == ["holds", "differs"]


@pytest.mark.parametrize(
    "text",
    [
        "$N$ parameters. The weights, gradients and the two moments are $N$ numbers each.",
        "$N$ parameters, everything in fp32. The two moments together are $2N$ numbers.",
        "$N$ parameters, $d$ data-parallel size. With ZeRO-1 each parameter costs $4 + \\frac{12}{d}$ bytes.",
        "$P$ parameters on $n$ GPUs. Fully sharded (FSDP), each GPU keeps $\\frac{16P}{n}$ bytes.",
        f"{ZERO}In ZeRO-2 gradients and states are sharded, which makes $\\frac{{14\\Psi}}{{N_d}}$ bytes on each rank.",
        f"{ZERO}ZeRO-1: weights $2\\Psi$, gradients $2\\Psi$, optimizer states $\\frac{{12\\Psi}}{{N_d}}$.",
        f"{ZERO}With 8-bit Adam ZeRO-1 leaves $4\\Psi + \\frac{{6\\Psi}}{{N_d}}$ bytes.",
        f"{ZERO}With fp32 gradients ZeRO-2 leaves $2\\Psi + \\frac{{16\\Psi}}{{N_d}}$ bytes.",
        f"{ZERO}With ZeRO-3 all ranks together still hold $16\\Psi$ bytes.",
        f"{ZERO}In ZeRO-1 the all-reduce becomes a reduce-scatter of $2\\Psi\\frac{{N_d-1}}{{N_d}}$ bytes and an all-gather.",
        f"{MEGATRON}With sequence parallelism and selective recomputation GPipe keeps $\\frac{{34sbhLm}}{{tp}}$ bytes a stage.",
        f"{MEGATRON}Forward, a layer sends $\\frac{{8bsh(t-1)}}{{t}}$ bytes per GPU.",
        f"{MEGATRON}The bubble, with $m = 4p$, is $\\frac{{p-1}}{{4p}}$; the pipeline's efficiency is $\\frac{{m}}{{m+p-1}}$.",
    ],
)
def test_what_is_right_in_another_way_does_not_differ(text):
    assert all(finding.verdict != "differs" for finding in check_text(text, "a.md"))
