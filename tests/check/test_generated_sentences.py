"""Right forms in many wordings and letters, and the same with one slip: what a lecturer's notes are made of.

The forms are derived, so it is the reading that is put to the test: letters, words, parts, passes, lists and tables.
"""

import random
from collections import Counter
from itertools import product

from sympy import Symbol, expand

from symcost import derive
from symcost.check import check_text
from symcost.check.polynomials import form_of, summands
from symcost.notation import latex

MODEL = (
    "The model is Llama-like: RMSNorm, SwiGLU, no biases, rotary positions, an untied head, as many key/value heads as "
    "query heads. Attention is counted over the full square; elementwise work is neglected."
)
LEGENDS = (
    ("$b$ sequences in a batch, $c$ tokens per sequence, $d$ model width, $h$ heads, $v$ vocabulary size, $L$ layers, $f$ "
     "inner width of the MLP", "b c d h v L f"),
    ("Let $s$ be the sequence length, $b$ the microbatch size, $h$ the hidden size, $a$ the number of attention heads, $l$ "
     "the number of layers, $V$ the vocabulary size and $m$ the intermediate size", "b s h a V l m"),
    ("$B$ batch, $T$ sequence length, $D$ model dimension, $F$ feed-forward dimension, $N$ query heads, $L$ layers, $V$ "
     "vocabulary", "B T D N V L F"),
    ("We use $u$ for the width of the model, $w$ for the width of the feed-forward layer, $q$ for the number of heads, $n$ "
     "for the sequence length, $B$ for the batch size, $K$ for the number of blocks, $V$ for the vocabulary", "B n u q V K w"),
)  # fmt: skip
OURS = "b c d h v L d_ff".split()
SENTENCES = (  # words, quantity, place, tensors, whether of all blocks
    ("Attention parameters per layer", "parameters", "block.attention", (), False),
    ("Parameters of the MLP of one layer", "parameters", "block.mlp", (), False),
    ("Total parameters per layer", "parameters", "block", (), False),
    ("The number of parameters of the model", "parameters", "model", (), True),
    ("Forward FLOPs of the Q, K, V projections of a layer", "forward_flops", "block.attention", ("Q", "K", "V"), False),
    ("Forward FLOPs for $QK^T$ per layer", "forward_flops", "block.attention", ("scores",), False),
    ("Feed-forward layer, forward FLOPs of one block", "forward_flops", "block.mlp", (), False),
    ("The forward pass of a layer costs, in FLOPs,", "forward_flops", "block", (), False),
    ("Output projection to the vocabulary, forward FLOPs", "forward_flops", "head", (), True),
    ("Forward FLOPs of the whole model", "forward_flops", "model", (), True),
    ("Backward FLOPs of one layer", "backward_flops", "block", (), False),
    ("Elements saved for the backward pass by the attention of one layer", "saved_activations", "block.attention", (), False),
    ("Saved activations per layer, in numbers", "saved_activations", "block", (), False),
)  # fmt: skip
LAYOUTS = ("{}: ${}$.", "- {}: ${}$", "| what | formula |\n|---|---|\n| {} | ${}$ |")


def derived(quantity, place, tensors, in_all):
    costs = derive("llama", given={"h_kv": "h", "d_ff": "d_ff"})
    terms = [term for term in costs[quantity].of(place) if not tensors or term.tensor in tensors]
    return expand(sum(term.amount * (term.times if in_all else 1) for term in terms))


def slipped(form, dice):
    """The form with one coefficient doubled, one exponent raised, or one letter in place of another."""
    table = dict(summands(form))
    monomial = dice.choice(sorted(table))
    value, powers = table.pop(monomial), dict(monomial)
    slip, name = dice.choice(("factor", "exponent", "letter")), dice.choice(sorted(powers))
    if slip == "factor":
        table[monomial] = 3 * value
        return form_of(table)
    powers[name] += 1 if slip == "exponent" else -1
    other = dice.choice([each for each in ("b", "c", "d", "h") if each != name])
    powers[other] = powers.get(other, 0) + (slip == "letter")
    wrong = tuple(sorted((each, power) for each, power in powers.items() if power))
    table[wrong] = table.get(wrong, 0) + value
    return form_of(table)


def document(legend, letters, words, form, layout):
    names = dict(zip(OURS, letters.split(), strict=True))
    theirs = form.xreplace(
        {Symbol(our, positive=True): Symbol(f"{name}_", positive=True) for our, name in names.items()}
    )
    theirs = theirs.xreplace(
        {Symbol(f"{name}_", positive=True): Symbol(name, positive=True) for name in names.values()}
    )
    return f"# Notes\n\n{legend}. {MODEL}\n\n## Counting\n\n{layout.format(words, latex(theirs))}\n"


def test_right_forms_hold_in_any_letters_and_most_slips_are_told():
    dice, right, wrong = random.Random(1), Counter(), Counter()
    for (legend, letters), (words, *what), layout in product(LEGENDS, SENTENCES, LAYOUTS):
        form = derived(*what)
        right[check_text(document(legend, letters, words, form, layout))[-1].verdict] += 1
        wrong[check_text(document(legend, letters, words, slipped(form, dice), layout))[-1].verdict] += 1
    assert right == {"holds": right.total()}
    assert wrong["differs"] >= wrong.total() * 9 // 10, wrong
