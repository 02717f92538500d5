"""How well-known tools and papers count: as multiples of a model's own parts, or as forms in letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from sympy import Expr, Rational

from symcost.symbols import L, N, b, c, d, d_ff, dp, h, k, n, v
from symcost.tables import by_name, entry

# The parts of a model that tools count, or forget, as wholes. A part's parameters are what it learns; its
# forward FLOPs are those of its products, and for what is no product those that one would take.
PROJECTIONS = "attention projections"
CORE = "score and value products"
MLP = "feed-forward layers"
EXPERTS = "experts"
ROUTER = "router"
HEAD = "LM head"
EMBEDDING = "embedding look-up"
POSITIONS = "learned positions"
NORMS = "norm gains"
SHIFTS = "norm shifts"
FINAL_NORM = "final norm's gain"
BIASES = "biases"
IDLE = "experts that a token is not sent to"
SCORES = "operations on scores"  # one for each score
ELEMENTS = "operations on elements"
PRODUCTS = (PROJECTIONS, CORE, MLP, EXPERTS, ROUTER, HEAD)
NO_PRODUCTS = (EMBEDDING, POSITIONS, NORMS, SHIFTS, FINAL_NORM, BIASES, IDLE)
LEARNED = (PROJECTIONS, MLP, EXPERTS, ROUTER, HEAD, *NO_PRODUCTS)

WEIGHTS, GRADIENTS, STATES = "weights", "gradients", "optimizer states"
IN_BLOCKS, AT_INPUT, AT_HEAD, SLACK = "blocks", "input", "final norm, head and loss", "buffers"

BATCH_FLOPS = "batch_flops"  # forward, backward and recomputed; the update of the parameters apart

Amount: TypeAlias = Expr | Fraction | int


@dataclass(frozen=True)
class Count:
    """How a tool counts one quantity.

    `times` says how often it counts each part, in the part's own parameters or forward FLOPs (3: forward and
    backward); a part that is not named is not counted. `forms` are amounts by name, in letters.
    """

    quantity: str
    times: Mapping[str, Amount] = field(default_factory=dict)
    forms: Mapping[str, Expr] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """A tool, or a rule of a paper, that people take numbers from."""

    name: str
    counts: tuple[Count, ...]
    source: str
    note: str = ""

    @property
    def quantities(self) -> tuple[str, ...]:
        """What it counts."""
        return tuple(count.quantity for count in self.counts)


def _flops(times: Mapping[str, Amount], forms: Mapping[str, Expr] | None = None) -> Count:
    return Count(BATCH_FLOPS, times, forms or {})


def _all_but(*parts: str, times: Amount = 1) -> dict[str, Amount]:
    """All that is learned, but for some parts."""
    return {part: times for part in LEARNED if part not in parts}


def _bytes(weights: Expr, gradients: Expr, states: Expr) -> Count:
    return Count("static_memory", forms={WEIGHTS: weights, GRADIENTS: gradients, STATES: states})


CAUSAL, FLASH = Rational(3, 2), Rational(7, 2)
EXACT = dict.fromkeys(PRODUCTS, 3)  # forward once, backward twice
EVERY_PARAMETER = dict.fromkeys(LEARNED, 3)
WITHOUT_EMBEDDING = _all_but(EMBEDDING, IDLE, times=3)
ACTIVATIONS = b * c * d * L  # one tensor of the model's width in every block
NARAYANAN = "Narayanan et al. 2021, Efficient Large-Scale Language Model Training, section 5.1"
KAPLAN = "Kaplan et al. 2020, Scaling Laws for Neural Language Models"
KORTHIKANTI = "Korthikanti et al. 2022, Reducing Activation Recomputation, section 4.1"
MEGATRON = "NVIDIA/Megatron-LM, megatron/training"
COOKBOOK = "EleutherAI/cookbook, calc"
ZERO = "Rajbhandari et al. 2020, ZeRO, section 3 and figure 1 (K = 12)"

TOOLS: Mapping[str, Tool] = by_name(
    (
        Tool("6ND", (_flops(EVERY_PARAMETER),),
             f"{KAPLAN}, section 2.1",
             "every parameter as a product, forward and backward; no score and value products"),
        Tool("8ND", (_flops(dict.fromkeys(LEARNED, 4)),), NARAYANAN,
             "6ND and a second forward pass, as full recomputation makes it"),
        Tool("kaplan", (_flops({PROJECTIONS: 3, MLP: 3, EXPERTS: 3, CORE: CAUSAL}),
                        Count("parameters", {PROJECTIONS: 1, MLP: 1, EXPERTS: 1, IDLE: 1})),
             f"{KAPLAN}, table 1: 2N + 2 n_layer n_ctx d_attn",
             "N without embeddings; half the score and value products; no LM head"),
        Tool("chinchilla", (_flops({**EXACT, EMBEDDING: 3, SCORES: 9}),),
             "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, appendix F",
             "embedding and LM head both as products, softmax as 3 operations on a score"),
        Tool("palm", (_flops({**EVERY_PARAMETER, CORE: 3}),),
             "Chowdhery et al. 2022, PaLM, appendix B: 6N + 12LHQT a token"),
        Tool("nanogpt", (_flops({**_all_but(POSITIONS, times=3), CORE: 3}),
                         Count("parameters", _all_but(BIASES, SHIFTS))),
             "karpathy/nanoGPT, model.py (estimate_mfu: 6N + 12LHQT, N without positions) and "
             "transformer_sizing.ipynb (parameters without biases)"),
        Tool("torchtitan", (_flops({**WITHOUT_EMBEDDING, CORE: 3}),),
             "pytorch/torchtitan, get_nparams_and_flops: 6(N − N_embedding) + 12LHQT a token"),
        Tool("olmo-core", (_flops({**EXACT, FINAL_NORM: 3}),),
             "allenai/OLMo-core, num_flops_per_token", "the head's norm counted as a product"),
        Tool("pytorch", (_flops(EXACT),), "PyTorch 2.13, torch.utils.flop_counter.FlopCounterMode",
             "2 FLOPs a product and sum of each matrix product, causal or not; look-ups are free"),
        Tool("pytorch-flash", (_flops({**EXACT, CORE: FLASH}),),
             "PyTorch 2.13, torch.utils.flop_counter: sdpa_flop and sdpa_backward_flop",
             "the flash kernel's backward pass makes the scores again: 5 products for 2"),
        Tool("narayanan-2021", (_flops({PROJECTIONS: 4, CORE: 4, MLP: 4, EXPERTS: 4, HEAD: 3}),),
             f"{NARAYANAN}: 96Bslh²(1 + s/6h + V/16lh)",
             "blocks computed again on the way back, logits not"),
        Tool("megatron-lm",
             (_flops({PROJECTIONS: 3, MLP: 3, EXPERTS: 3, CORE: CAUSAL, HEAD: 3}),
              Count("parameters", _all_but(ROUTER, POSITIONS, BIASES)),
              _bytes(2 * N, 4 * N, 12 * N),
              Count("activation_memory", forms={
                  IN_BLOCKS: 18 * ACTIVATIONS + 4 * b * c * d_ff * L, AT_INPUT: b * c * d + 8 * b * c,
                  AT_HEAD: 4 * b * c * d + 4 * b * c * v})),
             f"{MEGATRON}/training.py (num_floating_point_operations), theoretical_memory_usage.py",
             "half the score and value products, as a causal mask leaves; activations with sequence "
             "parallelism and selective recomputation"),
        Tool("megatron-lm-without-sp",
             (Count("activation_memory", forms={
                 IN_BLOCKS: 34 * ACTIVATIONS, AT_INPUT: b * c * d + 8 * b * c,
                 AT_HEAD: 2 * b * c * d + 2 * b * c * v,
                 SLACK: (34 * ACTIVATIONS + 3 * b * c * d + 8 * b * c + 2 * b * c * v) / 20}),),
             f"{MEGATRON}/theoretical_memory_usage.py (compute_activation_memory_without_sp)",
             "without sequence parallelism; a twentieth more for buffers"),
        Tool("megatron-lm-distributed",
             (_bytes(2 * N, 4 * N, 12 * N / dp),),
             f"{MEGATRON}/theoretical_memory_usage.py: 6 + 12/d bytes a parameter",
             "the distributed optimizer"),
        Tool("korthikanti",
             (Count("activation_memory", forms={IN_BLOCKS: 34 * ACTIVATIONS + 5 * b * h * c**2 * L}),),
             KORTHIKANTI, "sbh(34 + 5as/h) for each block"),
        Tool("maxtext", (_flops({**EXACT, CORE: CAUSAL}),),
             "AI-Hypercomputer/maxtext, maxtext_utils.py (calculate_tflops_training_per_device)"),
        Tool("verl", (_flops({**EXACT, CORE: CAUSAL, EMBEDDING: 3}),),
             "verl-project/verl, verl/utils/flops_counter.py"),
        Tool("levanter", (_flops({**EXACT, SCORES: 9}),),
             "stanford-crfm/levanter, utils/flop_utils.py (lm_flops_per_token), forward times 3"),
        Tool("llm-analysis",
             (_flops({PROJECTIONS: 3, CORE: 3, MLP: 3, EXPERTS: 3 / k, HEAD: 3}),
              Count("parameters", _all_but(HEAD, BIASES, SHIFTS, POSITIONS)),
              _bytes(2 * N, 4 * N, 12 * N)),
             "cli99/llm-analysis, llm_analysis/analysis.py",
             "of several experts one is counted; an untied head is forgotten among the parameters"),
        Tool("litgpt", (_flops({**EVERY_PARAMETER, CORE: 5}),),
             "Lightning-AI/litgpt, litgpt/utils.py (estimate_flops)",
             "score and value products for the trained parameters and once more for the frozen ones"),
        Tool("simumax", (_flops(EXACT),), "MooreThreads/SimuMax, theoretical FLOPs"),
        Tool("simumax-executed", (_flops({**EXACT, CORE: FLASH}),), "MooreThreads/SimuMax, executed FLOPs",
             "flash attention's backward pass makes the scores again"),
        Tool("llm-viewer", (_flops({**EXACT, HEAD: 3 / c, SCORES: 15},
                                   {ELEMENTS: 54 * ACTIVATIONS}),),
             "hahnyuan/LLM-Viewer, model_analyzer.py, prefill times 3",
             "the LM head for the last token alone; 5 operations on a score, 18 on an element of x"),
        Tool("genz", (_flops(dict.fromkeys((*PRODUCTS, EMBEDDING), CAUSAL)),),
             "abhibambhaniya/GenZ-LLM-Analyzer, prefill times 3",
             "multiply-adds under the name of FLOPs; the embedding look-up as a product"),
        Tool("calflops", (_flops({part: 3 for part in PRODUCTS if part != CORE}),),
             "MrYxJ/calculate-flops.pytorch", "fused attention is not seen"),
        Tool("transformers", (_flops(_all_but(EMBEDDING, times=3)),),
             "huggingface/transformers, modeling_utils.py (floating_point_ops)",
             "6 for each token and parameter, embeddings apart"),
        Tool("cookbook",
             (_flops({PROJECTIONS: 3, CORE: 3, HEAD: 1}, {MLP: 72 * ACTIVATIONS * d}),
              Count("parameters", {PROJECTIONS: 1, MLP: 1}, {
                  EMBEDDING: d * v, HEAD: d * v, NORMS: 8 * d * L, FINAL_NORM: 2 * d, POSITIONS: c * d}),
              _bytes(2 * N, 4 * N, 12 * N),
              Count("activation_memory", forms={IN_BLOCKS: 34 * ACTIVATIONS + 5 * b * h * c**2 * L})),
             f"{COOKBOOK}/calc_transformer_flops.py (gated, --ffn-hidden-size), calc_transformer_mem.py",
             "feed-forward layers of width 4d whatever is given; the LM head without its backward pass; "
             "positions for every token"),
        Tool("calculon", (_bytes(2 * N, 2 * N, 12 * N),),
             "calculon-ai/calculon: 2 + 2 + 12 bytes a parameter"),
        Tool("zero-stage-1", (_bytes(2 * N, 2 * N, 12 * N / dp),), ZERO, "optimizer states over the GPUs"),
        Tool("zero-stage-2", (_bytes(2 * N, 2 * N / dp, 12 * N / dp),), ZERO,
             "gradients over the GPUs as well"),
        Tool("zero-stage-3", (_bytes(*(each * N / dp for each in (2, 2, 12))),), ZERO,
             "weights over the GPUs as well"),
        Tool("deepspeed-zero2", (_bytes(2 * N, 2 * N, 16 * N / n),),
             "deepspeedai/DeepSpeed, runtime/zero/stage_1_and_2.py (estimate_zero2_model_states_mem_needs)",
             "4 bytes a parameter on every GPU and 16 over all of them, so 20 on one"),
        Tool("deepspeed-zero3", (_bytes(2 * N / n + 4 * d * v, 2 * N / n, 14 * N / n),),
             "deepspeedai/DeepSpeed, runtime/zero/stage3.py (estimate_zero3_model_states_mem_needs)",
             "18 bytes a parameter over all GPUs, and the largest layer, which is taken to be the embedding"),
        Tool("accelerate", (_bytes(4 * N, 4 * N, 8 * N),),
             "huggingface/accelerate, commands/estimate.py (estimate_training_usage), float32"),
        Tool("accelerate-bf16", (Count("static_memory", forms={STATES: 8 * N}),),
             "huggingface/accelerate, commands/estimate.py (estimate_training_usage), bfloat16, the step",
             "the peak is that of the step alone: the optimizer's states, less than the sum of the parts"),
    )
)  # fmt: skip

ALIASES: Mapping[str, str] = MappingProxyType({name.lower(): name for name in TOOLS})


def tool(name: str) -> Tool:
    """The tool of that name, however its capitals are written. Raises UnknownName, naming the nearest.

    >>> tool("6nd").counts[0].times["embedding look-up"]
    3
    """
    return entry(TOOLS, "tool", ALIASES.get(name.lower(), name))
