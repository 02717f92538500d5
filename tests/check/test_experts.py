"""Arithmetic about a mixture of experts: which parameters are kept, which a token uses, and what a name says."""

import pytest

from symcost.check import check_text

MIXTRAL = """Mixtral 8x7B: $L=32$ layers of width $d=4096$, $h=32$ heads and $h_{{kv}}=8$ key/value heads, $E=8$ experts of
inner width $f=14336$, of which every token uses $k=2$, vocabulary $v=32000$, untied, bf16. It has $N = 46.7\\text{{B}}$
parameters, $N_{{\\text{{act}}}} = 12.9\\text{{B}}$ of them active.

{sentence}
"""


@pytest.mark.parametrize(
    "sentence, verdict, why",
    [
        ("Training costs $6 \\cdot 12.9 \\times 10^9 = 77.4$ GFLOPs per token.", "holds", ""),
        ("Training costs $6 \\cdot 46.7 \\times 10^9 = 280$ GFLOPs per token.", "differs", "only sent to"),
        ("A dense model would need $6 \\cdot 46.7 \\times 10^9 = 280$ GFLOPs per token.", "holds", ""),
        ("The weights take $2 \\cdot 46.7 = 93.4$ GB.", "holds", ""),
        ("The weights take $2 \\cdot 12.9 = 25.8$ GB.", "differs", "have to be kept"),
        ("For each token $2 \\cdot 12.9 = 25.8$ GB of weights are read.", "holds", ""),
        ("By its name it has $8 \\times 7\\text{B} = 56\\text{B}$ parameters.", "differs", "the rest once"),
        ("It does not have $8 \\times 7\\text{B} = 56\\text{B}$ parameters.", "holds", ""),
    ],
)
def test_all_parameters_are_kept_and_some_are_used(sentence, verdict, why):
    found = check_text(MIXTRAL.format(sentence=sentence), "note.md")[-1]
    assert (found.verdict, why in found.message) == (verdict, True)


def test_all_parameters_of_a_dense_model_are_used():
    text = "A GPT has $N = 355\\text{M}$ parameters. Its weights in fp32 take 355e6 × 4 bytes = 1.42 GB.\n"
    assert check_text(text, "note.md")[-1].verdict == "holds"
