"""Names that only a table or the code itself explains, states added up over a sentence, and products of named shapes."""

import pytest

from symcost.check import check_text

FP32 = "Everything is in fp32 (4 bytes). $N$ is the number of parameters, $B$ sequences of $S$ tokens are a batch. "
GQA = (
    "A decoder with $L$ layers of width $D$, $N$ query heads, $K$ key/value heads of size $H$, SwiGLU with three matrices, "
    "no biases. "
)

BF16 = "Everything is in bf16. "
CONFIGS = """A decoder with RMSNorm, no biases, grouped-query attention, SwiGLU and an untied head.

| key | `small.yaml` | `large.yaml` |
|---|---|---|
| `num_layers` | 22 | 32 |
| `hidden` | 2048 | 4096 |
| `ffn` | 5632 | 14336 |
| `num_heads` / `num_kv_heads` / `head_dim` | 32 / 4 / 64 | 32 / 8 / 128 |
| `vocab` | 32000 | 128256 |
| `seq_len` | 2048 | 8192 |

"""
SIZE = (
    "The parameters of the whole model:\n\n    num_params = num_layers*(2*hidden**2 + 2*hidden*num_kv_heads*head_dim + "
    "3*hidden*ffn + 2*hidden) + 2*vocab*hidden + hidden\n\n"
)


def said(text):
    """The verdict of the last formula of a text that claims something."""
    verdicts = [each.verdict for each in check_text(text, "a.md")]
    return next((verdict for verdict in reversed(verdicts) if verdict != "no claim"), "")


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # the moments alone
            f"{FP32}\n\nThe two Adam moments take $8N$ bytes.",
            f"{FP32}\n\nThe two Adam moments take $4N$ bytes.",
        ),
        (  # what comes on top of what the sentence has named
            f"{FP32}\n\nThe two moments take $8N$ bytes; with weights and gradients $16N$.",
            f"{FP32}\n\nThe two moments take $8N$ bytes; with weights and gradients $12N$.",
        ),
        (  # compared with one pass, and of both
            f"{FP32}\n\n## Forward FLOPs\n\nTraining step $= 3\\times$ forward; attention left out, $6NBS$.",
            f"{FP32}\n\n## Forward FLOPs\n\nTraining step $= 3\\times$ forward; attention left out, $3NBS$.",
        ),
        (  # a name that only a table of sizes has
            f"{CONFIGS}Per layer the feed-forward has `3*hidden*ffn` weights.",
            f"{CONFIGS}Per layer the feed-forward has `2*hidden*ffn` weights.",
        ),
        (  # what the code's name says, here that the lookup is left out
            f"{CONFIGS}{SIZE}FLOPs per token, forward and backward, with `matmul_params = num_params - vocab*hidden`:\n\n"
            "    flops_per_token = 6*matmul_params + 12*num_layers*hidden*seq_len",
            f"{CONFIGS}{SIZE}FLOPs per token, forward and backward, with `matmul_params = num_params - vocab*hidden`:\n\n"
            "    flops_per_token = 6*matmul_params + 24*num_layers*hidden*seq_len",
        ),
        (  # in the units that names spell
            "We log `days = num_tokens/(num_gpus*tokens_per_sec_per_gpu*86400)`.",
            "We log `days = num_tokens/(num_gpus*tokens_per_sec_per_gpu*3600)`.",
        ),
        (
            "We log `gpu_hours = days*24*num_gpus`.",
            "We log `gpu_hours = days*num_gpus`.",
        ),
        (
            "Of all GPUs, `hours = num_tokens/(num_gpus*tokens_per_sec_per_gpu*3600)`.",
            "Of all GPUs, `hours = num_tokens/(tokens_per_sec_per_gpu*3600)`.",
        ),
        (  # the hours of all devices
            "| GPUs | days | GPU-hours |\n|---|---|---|\n| 16 A100 | 90.4 | 34,714 |",
            "| GPUs | days | GPU-hours |\n|---|---|---|\n| 16 A100 | 90.4 | 2,170 |",
        ),
        (  # a formula in the column before is no name of a part
            f"{GQA}$V$ words. $B$ sequences of $T$ tokens.\n\n| component | parameters | training FLOPs |\n|---|---|---|\n"
            "| unembedding | $DV$ | $6BTDV$ |",
            f"{GQA}$V$ words. $B$ sequences of $T$ tokens.\n\n| component | parameters | training FLOPs |\n|---|---|---|\n"
            "| unembedding | $DV$ | $12BTDV$ |",
        ),
        (  # a product of named shapes: its FLOPs,
            f"{BF16}Take $X[B, D] \\cdot W[D, F]$. That is $2BDF$ FLOPs.",
            f"{BF16}Take $X[B, D] \\cdot W[D, F]$. That is $BDF$ FLOPs.",
        ),
        (  # what it reads and writes,
            f"{BF16}Take $X[B, D] \\cdot W[D, F]$. It moves $2BD + 2DF + 2BF$ bytes.",
            f"{BF16}Take $X[B, D] \\cdot W[D, F]$. It moves $2BD + 2DF + BF$ bytes.",
        ),
        (  # and one over the other
            f"{BF16}An (m, k) matrix times a (k, n) matrix has an intensity of $mkn/(mk+kn+mn)$.",
            f"{BF16}An (m, k) matrix times a (k, n) matrix has an intensity of $2mkn/(mk+kn+mn)$.",
        ),
        (  # a name with a rate
            f"{GQA}$F$ is the width of the gated MLP, all in bf16. The link moves $W = 9 \\times 10^{{10}}$ bytes/s.\n\n"
            "We gather the weights of the MLP in $T = 6DF/W$.",
            f"{GQA}$F$ is the width of the gated MLP, all in bf16. The link moves $W = 9 \\times 10^{{10}}$ bytes/s.\n\n"
            "We gather the weights of the MLP in $T = 4DF/W$.",
        ),
        (  # a name that words explain
            f"{GQA}$F$ is the width of the gated MLP, $V$ words, $B$ sequences of $S$ tokens.\n\n## Training FLOPs\n\nWith "
            "$\\Phi$ = forward FLOPs of one block and every block recomputed, training takes $4L\\Phi + 6BSDV$.",
            f"{GQA}$F$ is the width of the gated MLP, $V$ words, $B$ sequences of $S$ tokens.\n\n## Training FLOPs\n\nWith "
            "$\\Phi$ = forward FLOPs of one block and every block recomputed, training takes $4L\\Phi + 8BSDV$.",
        ),
        (  # the width of an MLP with an adjective
            f"{GQA}$F$ is the width of the gated MLP.\n\nParameters of the MLP: $3DF$.",
            f"{GQA}$F$ is the width of the gated MLP.\n\nParameters of the MLP: $2DF$.",
        ),
    ],
)
def test_right_holds_and_a_slip_differs(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


@pytest.mark.parametrize(
    "text",
    [
        f"{FP32}\n\nThe two moments are $2N$ numbers.",
        f"{FP32}\n\nEach of the two moments takes $4N$ bytes.",
        f"{FP32}\n\n## FLOPs of AdamW\n\nBoth moments and the weights: $14N$.",
        "On one GPU `hours = num_tokens/(tokens_per_sec_per_gpu*3600)`.",
        "`flops_per_step = 6*num_params*tokens_per_step`.",
        "| GPUs | days | GPU-hours |\n|---|---|---|\n| 1 | 90.4 | 2,170 |",
        f"{BF16}Take $X[B, D] \\cdot W[D, F]$. Both passes take $6BDF$ FLOPs.",
        f"{BF16}Take $X[B, D] \\cdot W[D, F]$. We count MACs: $BDF$ FLOPs.",
        # $F$ and $D$ both seem to be the width, so that the number tells nothing
        "$D$ is the width and $F$ the width too, with $D = 8$ and $F = 32$.\n\nThen $3DF = 12345$.",
    ],
)
def test_what_is_not_certain_is_not_told_wrong(text):
    assert "differs" not in [each.verdict for each in check_text(text, "a.md")]


def test_each_column_of_a_table_of_sizes_is_a_model():
    """TinyLlama 1.1B and Llama 3 8B: the published counts of their parameters."""
    text = f"{CONFIGS}{SIZE}This prints 1,100,048,384 for `small` and 8,030,261,248 for `large`."
    assert [each.verdict for each in check_text(text, "a.md")][-2:] == ["holds", "holds"]
    swapped = f"{CONFIGS}{SIZE}This prints 1,100,048,384 for `large` and 8,030,261,248 for `small`."
    assert not any(each.text[0].isdigit() for each in check_text(swapped, "a.md"))


@pytest.mark.parametrize(("head", "verdict"), [("6*vocab*hidden", "holds"), ("8*vocab*hidden", "unchecked")])
def test_a_name_is_explained_behind_the_form_and_the_head_is_computed_once(head, verdict):
    text = (
        f"{CONFIGS}FLOPs for training. With `recompute: full` (all layers, not the head) count per token `8*num_layers*"
        f"layer_params + {head} + 16*num_layers*hidden*seq_len`, where `layer_params` are the weight matrices of one layer."
    )
    assert said(text) == verdict
